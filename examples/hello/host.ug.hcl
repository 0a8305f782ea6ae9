# A small host that runs on every Debian machine, with or without systemd, as
# root or not:
#
#   unitgen run examples/hello

host "hello" {
  systemd = 247
  imports = ["./modules/greeter"]
}

config "greeter" {
  greeting = "Hello from ${host.name}"
  workers  = ["ada", "brian", "grace"]
}

# For the user's own manager: `systemctl --user`, or `unitgen run --user`.
service "hello-session" {
  scope           = "user"
  Description     = "Greet the user who logs in"
  Type            = "oneshot"
  RemainAfterExit = true
  ExecStart       = "/bin/sh -c 'echo \"${config.greeter.greeting}, your session has begun.\"'"
  WantedBy        = ["default.target"]
}
