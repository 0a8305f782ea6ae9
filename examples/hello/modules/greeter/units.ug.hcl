# What the others need: it runs once, before them.
service "hello-prepare" {
  Description     = "Prepare the greeter's state"
  Type            = "oneshot"
  RemainAfterExit = true
  StateDirectory  = "hello"
  ExecStart       = "/bin/sh -c 'test -e %S/hello/visits || echo 0 >%S/hello/visits'"
}

# The manager listens; the service starts with the first visitor.
socket "greeter" {
  Description = "Where visitors are greeted"
  ListenStream = concat(
    ["%t/hello.sock"],
    option.port == null ? [] : ["127.0.0.1:${option.port}"],
  )
  SocketMode = "0666"
  WantedBy   = ["sockets.target"]
}

service "greeter" {
  Description      = "Greet visitors"
  Requires         = [service.hello-prepare]
  After            = [service.hello-prepare]
  StateDirectory   = "hello"
  ExecStart        = "/usr/bin/perl %E/hello/greet.pl %E/hello/greeter.conf"
  NoNewPrivileges  = true
  restart_triggers = [etc["hello/greet.pl"], etc["hello/greeter.conf"]]
}

# Says itself when it is ready, and is restarted when it no longer says that it
# is alive.
service "heartbeat" {
  Description      = "A heart that beats"
  Requires         = [service.hello-prepare]
  After            = [service.hello-prepare]
  Type             = "notify"
  ExecStart        = "/usr/bin/perl %E/hello/heartbeat.pl"
  WatchdogSec      = "30s"
  Restart          = "on-failure"
  restart_triggers = [etc["hello/heartbeat.pl"]]
  WantedBy         = ["multi-user.target"]
}

service "almanac" {
  Description    = "Write down the time"
  Type           = "oneshot"
  StateDirectory = "hello"
  ExecStart      = "/bin/sh -c 'date >%S/hello/almanac.new && mv %S/hello/almanac.new %S/hello/almanac'"
}

timer "almanac" {
  Description     = "Write down the time now and then"
  OnActiveSec     = "5s"
  OnUnitActiveSec = option.almanac_every
  AccuracySec     = "1s"
  WantedBy        = ["timers.target"]
}

# One template, an instance for each worker.
service "worker@" {
  Description      = "Worker %i"
  After            = [service.hello-prepare]
  Wants            = [service.hello-prepare]
  ExecStart        = "/bin/sh %E/hello/work.sh %i"
  Restart          = "on-failure"
  restart_triggers = [etc["hello/work.sh"]]
  WantedBy         = ["multi-user.target"]
}

instance "worker@.service" {
  for_each = option.workers
  enable   = true
}

etc "hello/greeter.conf" {
  ini = { greeter = { greeting = option.greeting } }
}

etc "hello/greet.pl" {
  source = "files/greet.pl"
}

etc "hello/heartbeat.pl" {
  source = "files/heartbeat.pl"
}

etc "hello/work.sh" {
  source = "files/work.sh"
}
