module "mariadb" {
  description = "The database MariaDB, as the distribution packages it"
  when        = option.enable
}

option "enable" {
  type        = bool
  default     = false
  description = "Whether MariaDB runs."
}

option "program" {
  type        = path
  default     = "/usr/sbin/mariadbd"
  description = "The mariadbd program."
}

option "user" {
  type        = nonempty(string)
  default     = "mysql"
  description = "The user that the server runs as; on the socket it may act as root of the database."
}

option "port" {
  type        = nullable(port)
  default     = null
  example     = 3306
  description = "TCP port to listen on besides the socket; none without."
}

option "address" {
  type        = nonempty(string)
  default     = "127.0.0.1"
  description = "Address to listen on, where there is a port."
}

option "databases" {
  type        = unique(list(match("[A-Za-z0-9_-]{1,64}", "must be made of letters, digits, _ and -")))
  default     = []
  example     = ["wiki"]
  description = "Databases that are made where they are missing."
  merge       = "unite"
}

option "users" {
  type = map(submodule({
    databases = optional(list(string), [])
    rights    = optional(match("[A-Z ,]+", "must be privileges in capitals, such as \"SELECT, INSERT\""), "ALL PRIVILEGES")
  }))
  default     = {}
  example     = { www-data = { databases = ["wiki"] } }
  description = "Users of the machine that may use databases, on the socket, without a password: made where they are missing, with their rights."
}

option "settings" {
  type        = map(either(string, number, bool))
  default     = {}
  example     = { innodb_buffer_pool_size = "1G", skip_name_resolve = true }
  description = "Further lines of the section [mariadbd]. A bool is written ON or OFF."
}

option "socket" {
  type        = string
  read_only   = true
  default     = "%t/mariadb/mariadb.sock"
  description = "Where the socket is, for the units of others."
}

# The name and the aliases are Debian's.
service "mariadb" {
  Description          = "Database MariaDB"
  Documentation        = ["man:mariadbd(8)"]
  After                = ["network.target"]
  Type                 = "notify"
  User                 = option.user
  Group                = option.user
  RuntimeDirectory     = "mariadb"
  RuntimeDirectoryMode = "0755"
  StateDirectory       = "mariadb"
  StateDirectoryMode   = "0700"
  ExecStartPre         = "/bin/sh %E/unitgen.d/mariadb/prepare.sh %S/mariadb %E/unitgen.d/mariadb/my.cnf"
  ExecStart            = "${option.program} --defaults-file=%E/unitgen.d/mariadb/my.cnf --datadir=%S/mariadb/data --socket=%t/mariadb/mariadb.sock --pid-file=%t/mariadb/mariadb.pid --init-file=%E/unitgen.d/mariadb/ensure.sql"
  KillSignal           = "SIGTERM"
  SendSIGKILL          = false
  TimeoutStartSec      = default("15min")
  TimeoutStopSec       = default("15min")
  Restart              = default("on-abnormal")
  RestartSec           = default("5s")
  UMask                = "0007"
  LimitNOFILE          = default(32768)
  NoNewPrivileges      = default(true)
  ProtectHome          = default(true)
  ProtectSystem        = default("full")
  PrivateTmp           = default(true)
  Alias                = ["mysql.service", "mysqld.service"]
  WantedBy             = ["multi-user.target"]
  restart_triggers     = [etc["unitgen.d/mariadb/my.cnf"], etc["unitgen.d/mariadb/ensure.sql"]]
}

etc "unitgen.d/mariadb/prepare.sh" {
  source = "files/prepare.sh"
}

etc "unitgen.d/mariadb/my.cnf" {
  text = <<EOT
# Made by unitgen from the module mariadb.
[mariadbd]
skip_log_error
character_set_server = utf8mb4
%{ if option.port == null ~}
skip_networking
%{ else ~}
port = ${option.port}
bind_address = ${option.address}
%{ endif ~}
%{ for name, value in option.settings ~}
${name} = ${try(tobool(value) ? "ON" : "OFF", tostring(value))}
%{ endfor ~}
EOT
}

# One statement a line, as --init-file wants it; carried out at every start.
etc "unitgen.d/mariadb/ensure.sql" {
  text = <<EOT
%{ for d in option.databases ~}
CREATE DATABASE IF NOT EXISTS `${d}`;
%{ endfor ~}
%{ for name, u in option.users ~}
CREATE USER IF NOT EXISTS '${name}'@'localhost' IDENTIFIED VIA unix_socket;
%{ for d in u.databases ~}
GRANT ${u.rights} ON `${d}`.* TO '${name}'@'localhost';
%{ endfor ~}
%{ endfor ~}
EOT
}

assert {
  condition = alltrue([for name in keys(option.users) : can(regex("^[A-Za-z0-9_.-]{1,32}$", name))])
  message   = "The name of a user of mariadb is that of a user of the machine: letters, digits and _.-."
}

assert {
  condition = length(setsubtract(flatten([for u in option.users : u.databases]), option.databases)) == 0
  message   = "A user of mariadb is given databases that are not among mariadb.databases: ${join(", ", setsubtract(flatten([for u in option.users : u.databases]), option.databases))}."
}
