module "backup" {
  description = "Archives of directories on a schedule, the oldest thrown away"
  when        = option.enable
}

option "enable" {
  type        = bool
  default     = false
  description = "Whether backups are made."
}

option "target" {
  type        = path
  default     = "%S/backup"
  example     = "/srv/backup"
  description = "Directory that the archives go to, one below it for each job."
}

option "jobs" {
  type = map(submodule({
    paths    = nonempty(list(path))
    exclude  = optional(list(nonempty(string)), [])
    schedule = optional(calendar, "daily")
    keep     = optional(range(number, 1, 10000), 7)
    user     = nullable(string)
    before   = optional(list(string), [])
    after    = optional(list(string), [])
    requires = optional(list(unit_name), [])
    compress = optional(enum("gzip", "none"), "gzip")
  }))
  default = {}
  example = {
    home = { paths = ["/home"], exclude = ["*/.cache"], keep = 14 }
  }
  description = "What is archived, by name: paths, patterns that are left out (tar(1)), when, how many archives are kept, as whom; command lines that run before (such as a database dump) and after; units that must run."
}

option "random" {
  type        = duration
  default     = "30min"
  description = "The runs of many machines are spread over this time."
}

service "backup" {
  for_each           = option.jobs
  name               = "backup-${each.key}"
  Description        = "Backup of ${each.key}"
  Documentation      = ["man:tar(1)"]
  Requires           = each.value.requires
  After              = each.value.requires
  Type               = "oneshot"
  User               = each.value.user
  StateDirectory     = "backup"
  StateDirectoryMode = "0700"
  ExecStartPre       = each.value.before
  ExecStart          = "/bin/sh %E/unitgen.d/backup/run.sh ${exec_quote(each.key)} ${option.target} ${each.value.keep} ${each.value.compress} %E/unitgen.d/backup/${each.key}.paths %E/unitgen.d/backup/${each.key}.exclude"
  ExecStartPost      = each.value.after
  Nice               = default(15)
  IOSchedulingClass  = default("idle")
  TimeoutStartSec    = default("infinity")
  restart_if_changed = false
}

timer "backup" {
  for_each           = option.jobs
  name               = "backup-${each.key}"
  Description        = "Schedule of the backup of ${each.key}"
  OnCalendar         = each.value.schedule
  RandomizedDelaySec = option.random
  Persistent         = true
  WantedBy           = ["timers.target"]
}

etc "unitgen.d/backup/run.sh" {
  source = "files/run.sh"
}

etc "unitgen.d/backup/paths" {
  for_each = option.jobs
  name     = "unitgen.d/backup/${each.key}.paths"
  text     = join("", [for p in each.value.paths : "${trimprefix(p, "/") == "" ? "." : trimprefix(p, "/")}\n"])
}

etc "unitgen.d/backup/exclude" {
  for_each = option.jobs
  name     = "unitgen.d/backup/${each.key}.exclude"
  text     = join("", [for p in each.value.exclude : "${trimprefix(p, "/")}\n"])
}

assert {
  condition = alltrue([for name in keys(option.jobs) : can(regex("^[A-Za-z0-9_.-]+$", name)) && !startswith(name, ".")])
  message   = "The name of a backup job is made of letters, digits and _.-, for it becomes part of a unit's and a file's name."
}

assert {
  condition = alltrue(flatten([for job in option.jobs : [for p in job.paths : !startswith(p, "%")]]))
  message   = "The paths of a backup are absolute: specifiers are not known to tar."
}
