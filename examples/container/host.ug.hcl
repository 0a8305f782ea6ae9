# Several services in one container, with unitgen as PID 1: nginx serves a page
# that a timer writes anew. Containerfile beside this file makes the image: the
# tree is compiled when the image is built, so nothing can be wrong with it when
# the container starts.

host "container" {
  systemd = 247
}

config "nginx" {
  enable  = true
  port    = 8080
  workers = 1
  sites = {
    localhost = { root = "/var/lib/pages", default = true }
  }
}

service "page" {
  Description    = "Write the page"
  Type           = "oneshot"
  StateDirectory = "pages"
  Environment    = { TZ = "UTC" }
  ExecStart      = "/bin/sh -c 'echo \"<p>Written at $$(date)</p>\" >/var/lib/pages/index.html.new && mv /var/lib/pages/index.html.new /var/lib/pages/index.html'"
}

# The first page is there before nginx is.
service "nginx" {
  Wants = [service.page]
  After = [service.page]
}

timer "page" {
  Description     = "Write the page every few seconds"
  OnActiveSec     = "5s"
  OnUnitActiveSec = "5s"
  AccuracySec     = "100ms"
  WantedBy        = ["timers.target"]
}
