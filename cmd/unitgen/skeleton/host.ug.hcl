# The host: which modules belong to it, and what their options are.
host "NAME" {
  systemd = 252 # the oldest systemd this configuration has to load on
  imports = ["./modules/greeting"]
}

config "greeting" {
  text = "Hello from NAME"
}
