module "redis" {
  description = "The key-value store redis, as the distribution packages it"
  when        = option.enable
}

option "enable" {
  type        = bool
  default     = false
  description = "Whether redis runs."
}

option "program" {
  type        = path
  default     = "/usr/bin/redis-server"
  description = "The redis-server program."
}

option "user" {
  type        = nonempty(string)
  default     = "redis"
  description = "The user that redis runs as."
}

option "port" {
  type        = nullable(port)
  default     = null
  example     = 6379
  description = "TCP port on loopback to listen on besides the socket redis/redis.sock in the runtime directory."
}

option "socket_mode" {
  type        = mode
  default     = "0666"
  description = "Mode of the socket."
}

option "settings" {
  type        = map(string)
  default     = {}
  example     = { maxmemory = "256mb", "maxmemory-policy" = "allkeys-lru" }
  description = "Further lines of the configuration, by their first word."
}

option "socket" {
  type        = string
  read_only   = true
  default     = "%t/redis/redis.sock"
  description = "Where the socket is, for the units of others."
}

# The name is Debian's, so that its alias redis.service leads here as well.
service "redis-server" {
  Description        = "Key-value store redis"
  Documentation      = ["man:redis-server(1)"]
  After              = ["network.target"]
  Type               = "notify"
  User               = option.user
  Group              = option.user
  RuntimeDirectory   = "redis"
  StateDirectory     = "redis"
  StateDirectoryMode = "0750"
  ExecStart          = "${option.program} %E/unitgen.d/redis.conf --dir %S/redis --unixsocket %t/redis/redis.sock"
  Restart            = default("on-failure")
  TimeoutStopSec     = "30s"
  NoNewPrivileges    = default(true)
  LimitNOFILE        = default(4096)
  WantedBy           = ["multi-user.target"]
  restart_triggers   = [etc["unitgen.d/redis.conf"]]
}

etc "unitgen.d/redis.conf" {
  text = <<EOT
# Made by unitgen from the module redis.
daemonize no
supervised systemd
loglevel notice
logfile ""
unixsocketperm ${option.socket_mode}
port ${option.port == null ? 0 : option.port}
bind 127.0.0.1
%{ for name, value in option.settings ~}
${name} ${value}
%{ endfor ~}
EOT
}
