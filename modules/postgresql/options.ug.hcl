module "postgresql" {
  description = "The database PostgreSQL, as the distribution packages it"
  when        = option.enable
}

option "enable" {
  type        = bool
  default     = false
  description = "Whether PostgreSQL runs."
}

option "version" {
  type        = range(number, 10, 99)
  default     = 15
  description = "Major version. Each has a data directory of its own, %S/postgresql-<version>."
}

option "bin_dir" {
  type        = path
  default     = "/usr/lib/postgresql/${option.version}/bin"
  description = "Where the programs of that version are."
}

option "user" {
  type        = nonempty(string)
  default     = "postgres"
  description = "The user that the server runs as; it may act as every role."
}

option "port" {
  type        = port
  default     = 5432
  description = "TCP port, and the number in the name of the socket."
}

option "listen" {
  type        = list(string)
  default     = []
  example     = ["127.0.0.1"]
  description = "Addresses to listen on besides the socket directory postgresql in the runtime directory."
}

option "settings" {
  type        = map(string)
  default     = {}
  example     = { shared_buffers = "2GB", max_connections = "200" }
  description = "Further settings of postgresql.conf; unitgen quotes them."
}

option "authentication" {
  type        = list(string)
  default     = []
  example     = ["host all all 10.0.0.0/8 scram-sha-256"]
  description = "Lines of pg_hba.conf after the first, which lets users in by their name on the socket."
}

option "roles" {
  type = map(submodule({
    os_user   = optional(nullable(string), null)
    superuser = optional(bool, false)
    createdb  = optional(bool, false)
  }))
  default     = {}
  example     = { app = { os_user = "www-data" } }
  description = "Roles that are made where they are missing. `os_user` is who may log in as the role on the socket; the role's own name where it is null."
}

option "databases" {
  type = map(submodule({
    owner = optional(string, "postgres")
  }))
  default     = {}
  example     = { app = { owner = "app" } }
  description = "Databases that are made where they are missing."
}

option "mask_distribution" {
  type        = bool
  default     = true
  description = "Whether the clusters that Debian's package starts by itself (postgresql@.service) are masked. They would want the same port."
}

option "socket_dir" {
  type        = string
  read_only   = true
  default     = "%t/postgresql"
  description = "Where the socket is, for the units of others."
}
