# A web application with its database, its cache and its web server, all from
# the distribution's packages, reachable on loopback:
#
#   apt-get install nginx postgresql redis-server
#   unitgen run examples/web
#   curl http://127.0.0.1:8088/
#
# The same host runs under systemd: `unitgen switch examples/web`.

host "web" {
  systemd = 247
  imports = ["./modules/guestbook"]
}

config "guestbook" {
  enable = true
  title  = "Guests of ${host.name}"
}

config "nginx" {
  enable  = true
  address = "127.0.0.1"
  port    = 8088
  workers = 2
}

config "postgresql" {
  enable   = true
  settings = { max_connections = "20", shared_buffers = "16MB" }
}

config "redis" {
  enable   = true
  settings = { maxmemory = "16mb" }
}
