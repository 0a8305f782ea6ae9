run "servers" {
  config "chrony" {
    enable  = true
    pools   = []
    servers = ["ntp.example.org"]
    allow   = ["192.0.2.0/24"]
    step    = { threshold = 0.5 }
  }
  assert {
    condition = alltrue([for l in ["server ntp.example.org iburst", "allow 192.0.2.0/24", "makestep 0.5 3", "rtcsync"] : strcontains(etc["unitgen.d/chrony.conf"].text, "\n${l}\n")])
    message   = "chrony.conf lacks a line: ${etc["unitgen.d/chrony.conf"].text}"
  }
}

run "a container" {
  config "chrony" {
    enable        = true
    control_clock = false
  }
  assert {
    condition = strcontains(unit["chrony.service"].ExecStart[0], " -x ") && !can(unit["chrony.service"].ConditionCapability)
    message   = "the clock would be set"
  }
}

run "nobody to ask" {
  config "chrony" {
    enable = true
    pools  = []
  }
  expect {
    message = "neither pools nor servers"
  }
}
