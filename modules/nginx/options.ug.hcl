module "nginx" {
  description = "The web server nginx, as the distribution packages it"
  when        = option.enable
}

option "enable" {
  type        = bool
  default     = false
  description = "Whether nginx runs."
}

option "program" {
  type        = path
  default     = "/usr/sbin/nginx"
  description = "The nginx program."
}

option "user" {
  type        = nonempty(string)
  default     = "www-data"
  description = "The user that the worker processes run as, where the master runs as root."
}

option "address" {
  type        = nonempty(string)
  default     = "0.0.0.0"
  example     = "127.0.0.1"
  description = "Address that every site without `listen` listens on."
}

option "port" {
  type        = port
  default     = 80
  description = "TCP port that every site without `listen` listens on."
}

option "workers" {
  type        = either(enum("auto"), range(number, 1, 1024))
  default     = "auto"
  description = "Number of worker processes, or one a core."
}

option "connections" {
  type        = range(number, 16, 1048576)
  default     = 1024
  description = "Connections that one worker keeps open."
}

option "log_level" {
  type        = enum("debug", "info", "notice", "warn", "error", "crit", "alert", "emerg")
  default     = "error"
  description = "What is said on standard error, which the manager keeps."
}

option "access_log" {
  type        = bool
  default     = false
  description = "Whether every request is written to access.log below the log directory (%L/nginx)."
}

option "mime_types" {
  type        = path
  default     = "/etc/nginx/mime.types"
  description = "The distribution's table of file name suffixes and media types."
}

option "http" {
  type        = map(string)
  default     = {}
  example     = { client_max_body_size = "20m" }
  description = "Further directives of the http block."
}

option "sites" {
  type = map(submodule({
    names    = optional(list(string), [])
    listen   = optional(list(string), [])
    default  = optional(bool, false)
    root     = optional(nullable(string), null)
    proxy    = optional(nullable(string), null)
    headers  = optional(map(string), {})
    redirect = optional(nullable(string), null)
    extra    = optional(string, "")
  }))
  default = {}
  example = {
    "example.org" = { proxy = "http://127.0.0.1:8080" }
  }
  description = "Virtual hosts by their first name. `proxy` is where requests go to, `http://host:port` or `unix:name.sock` below the runtime directory; `root` a directory to serve; `redirect` an address to send visitors to; `extra` goes into the server block as it is."
}
