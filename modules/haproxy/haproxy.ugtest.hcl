run "two servers" {
  config "haproxy" {
    enable    = true
    frontends = { web = { bind = ["127.0.0.1:8080"], backend = "app" } }
    backends  = { app = { servers = { one = "127.0.0.1:8081 check" } } }
    timeouts  = { client = "1min" }
  }
  assert {
    condition = alltrue([for l in ["    bind 127.0.0.1:8080", "    default_backend app", "    server one 127.0.0.1:8081 check", "    timeout client 60000"] : strcontains(etc["unitgen.d/haproxy.cfg"].text, "\n${l}\n")])
    message   = "a line is missing: ${etc["unitgen.d/haproxy.cfg"].text}"
  }
}

run "a backend that is not there" {
  config "haproxy" {
    enable    = true
    frontends = { web = { bind = ["127.0.0.1:8080"], backend = "ap" } }
    backends  = { app = {} }
  }
  expect {
    message = "web names ap"
  }
}
