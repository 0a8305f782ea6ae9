module "cron" {
  description = "Commands on a schedule: a timer and a service each"
  when        = option.enable
}

option "enable" {
  type        = bool
  default     = false
  description = "Whether the jobs are there."
}

option "jobs" {
  type = map(submodule({
    schedule    = calendar
    command     = nonempty(string)
    description = optional(string, "Job ${name}")
    user        = nullable(string)
    directory   = nullable(path)
    environment = optional(map(string), {})
    persistent  = optional(bool, true)
    random      = optional(duration, "0")
    timeout     = optional(duration, "infinity")
  }))
  default = {}
  example = {
    report = { schedule = "Mon 06:00", command = "/opt/app/bin/report --weekly", user = "app" }
  }
  description = "Jobs by name: when, what (a command line of systemd.service(5), no shell), as whom. A run that was missed while the machine was off is made up for, unless `persistent` is false; `random` spreads the runs of many machines."
}

service "cron" {
  for_each           = option.jobs
  name               = "cron-${each.key}"
  Description        = each.value.description
  Type               = "oneshot"
  ExecStart          = each.value.command
  User               = each.value.user
  WorkingDirectory   = each.value.directory
  Environment        = each.value.environment
  TimeoutStartSec    = each.value.timeout
  Nice               = default(10)
  restart_if_changed = false
}

timer "cron" {
  for_each           = option.jobs
  name               = "cron-${each.key}"
  Description        = "Schedule of ${each.value.description}"
  OnCalendar         = each.value.schedule
  Persistent         = each.value.persistent
  RandomizedDelaySec = each.value.random
  WantedBy           = ["timers.target"]
}
