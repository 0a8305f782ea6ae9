module "node_exporter" {
  description = "The machine's figures for Prometheus: the node exporter, as the distribution packages it"
  when        = option.enable
}

option "enable" {
  type        = bool
  default     = false
  description = "Whether the exporter runs."
}

option "program" {
  type        = path
  default     = "/usr/bin/prometheus-node-exporter"
  description = "The exporter's program."
}

option "user" {
  type        = nonempty(string)
  default     = "prometheus"
  description = "The user that the exporter runs as."
}

option "address" {
  type        = string
  default     = "127.0.0.1"
  example     = "0.0.0.0"
  description = "Address to listen on; an empty string is every address."
}

option "port" {
  type        = port
  default     = 9100
  description = "TCP port to listen on."
}

option "collectors" {
  type        = map(bool)
  default     = {}
  example     = { systemd = true, wifi = false }
  description = "Collectors to turn on or off; the others are as the exporter has them."
}

option "textfiles" {
  type        = bool
  default     = true
  description = "Whether *.prom files in the state directory (%S/node_exporter) are served too."
}

option "arguments" {
  type        = list(string)
  default     = []
  example     = ["--web.disable-exporter-metrics"]
  description = "Further arguments."
}

# The name is Debian's.
service "prometheus-node-exporter" {
  Description             = "Prometheus exporter for machine metrics"
  Documentation           = ["https://github.com/prometheus/node_exporter"]
  After                   = ["network.target"]
  User                    = option.user
  StateDirectory          = "node_exporter"
  ExecStart               = join(" ", concat(["${option.program} --web.listen-address=${strcontains(option.address, ":") ? "[${option.address}]" : option.address}:${option.port}"], [for name, on in option.collectors : "--${on ? "" : "no-"}collector.${name}"], option.textfiles ? ["--collector.textfile.directory=%S/node_exporter"] : [], [for a in option.arguments : exec_quote(a)]))
  Restart                 = default("on-failure")
  NoNewPrivileges         = default(true)
  ProtectHome             = default("read-only")
  ProtectSystem           = default("strict")
  PrivateTmp              = default(true)
  ProtectControlGroups    = default(true)
  RestrictSUIDSGID        = default(true)
  LockPersonality         = default(true)
  RestrictRealtime        = default(true)
  SystemCallArchitectures = default("native")
  WantedBy                = ["multi-user.target"]
}

assert {
  condition = alltrue([for name in keys(option.collectors) : can(regex("^[a-z0-9_]+$", name))])
  message   = "A collector's name is made of small letters, digits and _."
}
