module "haproxy" {
  description = "The load balancer HAProxy, as the distribution packages it"
  when        = option.enable
}

option "enable" {
  type        = bool
  default     = false
  description = "Whether HAProxy runs."
}

option "program" {
  type        = path
  default     = "/usr/sbin/haproxy"
  description = "The haproxy program."
}

option "user" {
  type        = nonempty(string)
  default     = "haproxy"
  description = "The user and group that the workers run as, where the master is root."
}

option "frontends" {
  type = map(submodule({
    bind    = nonempty(list(string))
    mode    = optional(enum("http", "tcp"), "http")
    backend = nullable(string)
    extra   = optional(list(string), [])
  }))
  default = {}
  example = {
    web = { bind = ["*:80"], backend = "app" }
  }
  description = "Where connections come in: addresses to bind, the backend that answers, further lines."
}

option "backends" {
  type = map(submodule({
    mode    = optional(enum("http", "tcp"), "http")
    balance = optional(string, "roundrobin")
    servers = optional(map(string), {})
    extra   = optional(list(string), [])
  }))
  default = {}
  example = {
    app = { servers = { one = "127.0.0.1:8081 check", two = "127.0.0.1:8082 check" } }
  }
  description = "Where connections go: servers by name with address and options, further lines."
}

option "timeouts" {
  type = submodule({
    connect = optional(duration, "5s")
    client  = optional(duration, "50s")
    server  = optional(duration, "50s")
  })
  default     = {}
  description = "How long HAProxy waits for a connection, a client, a server."
}

option "global" {
  type        = list(string)
  default     = []
  description = "Further lines of the global section."
}

option "max_connections" {
  type        = range(number, 1, 1000000)
  default     = 4096
  description = "Connections at a time."
}

option "extra" {
  type        = string
  default     = ""
  description = "Text for the end of haproxy.cfg."
}

service "haproxy" {
  Description      = "Load balancer HAProxy"
  Documentation    = ["man:haproxy(1)"]
  Wants            = ["network-online.target"]
  After            = ["network-online.target"]
  Type             = "notify"
  RuntimeDirectory = "haproxy"
  ExecStartPre     = "${option.program} -Ws -f %E/unitgen.d/haproxy.cfg -c -q"
  ExecStart        = "${option.program} -Ws -f %E/unitgen.d/haproxy.cfg -p %t/haproxy/haproxy.pid"
  ExecReload = [
    "${option.program} -Ws -f %E/unitgen.d/haproxy.cfg -c -q",
    "/bin/kill -USR2 $MAINPID",
  ]
  KillMode          = "mixed"
  SuccessExitStatus = "143"
  Restart           = default("always")
  WantedBy          = ["multi-user.target"]
  reload_triggers   = [etc["unitgen.d/haproxy.cfg"]]
}

locals {
  milliseconds = { for k, v in option.timeouts : k => floor(seconds(v) * 1000) }
}

etc "unitgen.d/haproxy.cfg" {
  text = <<EOT
# Made by unitgen from the module haproxy.
global
    log stderr format raw local0
    user ${option.user}
    group ${option.user}
    maxconn ${option.max_connections}
%{ for l in option.global ~}
    ${l}
%{ endfor ~}

defaults
    log global
    option dontlognull
    timeout connect ${local.milliseconds.connect}
    timeout client ${local.milliseconds.client}
    timeout server ${local.milliseconds.server}
%{ for name, f in option.frontends ~}

frontend ${name}
    mode ${f.mode}
%{ for b in f.bind ~}
    bind ${b}
%{ endfor ~}
%{ for l in f.extra ~}
    ${l}
%{ endfor ~}
%{ if f.backend != null ~}
    default_backend ${f.backend}
%{ endif ~}
%{ endfor ~}
%{ for name, b in option.backends ~}

backend ${name}
    mode ${b.mode}
    balance ${b.balance}
%{ for l in b.extra ~}
    ${l}
%{ endfor ~}
%{ for server, address in b.servers ~}
    server ${server} ${address}
%{ endfor ~}
%{ endfor ~}
${option.extra}
EOT
}

assert {
  condition = alltrue([for name, f in option.frontends : f.backend == null || contains(keys(option.backends), coalesce(f.backend, "-"))])
  message   = "A frontend of haproxy names a backend that is not declared: ${join(", ", [for name, f in option.frontends : "${name} names ${coalesce(f.backend, "-")}" if f.backend != null && !contains(keys(option.backends), coalesce(f.backend, "-"))])}."
}
