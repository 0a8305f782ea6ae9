# A module declares options, and contributes units and files.
module "greeting" {
  description = "Greets in the log, again and again"
  when        = option.enable
}

option "enable" {
  type        = bool
  default     = true
  description = "Whether the greeting runs."
}

option "text" {
  type        = string
  description = "What is said."
}

option "every" {
  type        = duration
  default     = "10s"
  description = "How long to wait between two greetings."
}

# Absolute paths below /etc work everywhere; %E is /etc for a system service,
# and the tree's own etc where an ordinary user runs it.
etc "greeting.txt" {
  text = "${option.text}\n"
}

service "greeting" {
  Description      = "Greets again and again"
  ExecStart        = "/bin/sh -c 'while cat %E/greeting.txt; do sleep ${option.every}; done'"
  Restart          = "on-failure"
  WantedBy         = ["multi-user.target"]
  restart_triggers = [etc["greeting.txt"]]
}

service "clock" {
  Description = "Says what time it is"
  Type        = "oneshot"
  ExecStart   = "/bin/date"
}

timer "clock" {
  Description = "Tells the time every hour"
  OnCalendar  = "hourly"
  WantedBy    = ["timers.target"]
}
