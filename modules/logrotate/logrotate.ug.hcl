module "logrotate" {
  description = "Log files rotated by logrotate, as the distribution packages it"
  when        = option.enable
}

option "enable" {
  type        = bool
  default     = false
  description = "Whether log files are rotated."
}

option "program" {
  type        = path
  default     = "/usr/sbin/logrotate"
  description = "The logrotate program."
}

option "schedule" {
  type        = calendar
  default     = "daily"
  description = "When logrotate looks at the files."
}

option "files" {
  type = map(submodule({
    paths      = nonempty(list(path))
    frequency  = optional(enum("hourly", "daily", "weekly", "monthly", "yearly"), "weekly")
    keep       = optional(range(number, 0, 1000), 4)
    size       = nullable(bytes)
    compress   = optional(bool, true)
    create     = nullable(string)
    owner      = nullable(match("[^ ]+ [^ ]+", "must be a user and a group, such as \"www-data adm\""))
    shared     = optional(bool, true)
    postrotate = optional(string, "")
    extra      = optional(list(string), [])
  }))
  default = {}
  example = {
    app = { paths = ["/var/log/app/*.log"], keep = 14, postrotate = "systemctl reload app.service" }
  }
  description = "What is rotated, by a name: paths with patterns, how often, how many old files are kept, and what runs afterwards. `create` is mode, user and group of the new file; `owner` whom logrotate acts as."
}

option "distribution" {
  type        = bool
  default     = true
  description = "Whether the rules that packages install in /etc/logrotate.d are followed too. Off under a manager that is not root."
}

service "logrotate" {
  Description        = "Rotate log files"
  Documentation      = ["man:logrotate(8)", "man:logrotate.conf(5)"]
  Type               = "oneshot"
  StateDirectory     = "logrotate"
  ExecStart          = "${option.program} --state %S/logrotate/status %E/unitgen.d/logrotate.conf"
  Nice               = 19
  IOSchedulingClass  = "best-effort"
  PrivateTmp         = default(true)
  restart_if_changed = false
}

timer "logrotate" {
  Description = "Rotate log files on schedule"
  OnCalendar  = option.schedule
  AccuracySec = "1h"
  Persistent  = true
  WantedBy    = ["timers.target"]
}

etc "unitgen.d/logrotate.conf" {
  text = <<EOT
# Made by unitgen from the module logrotate.
weekly
rotate 4
create
%{ if option.distribution ~}
include /etc/logrotate.d
%{ endif ~}
%{ for name, f in option.files ~}

# ${name}
${join(" ", [for p in f.paths : strcontains(p, " ") ? "\"${p}\"" : p])} {
    ${f.frequency}
    rotate ${f.keep}
    missingok
    notifempty
%{ if f.size != null ~}
    size ${bytes(coalesce(f.size, "1"))}
%{ endif ~}
%{ if f.compress ~}
    compress
    delaycompress
%{ endif ~}
%{ if f.create != null ~}
    create ${f.create}
%{ endif ~}
%{ if f.owner != null ~}
    su ${f.owner}
%{ endif ~}
%{ if f.shared ~}
    sharedscripts
%{ endif ~}
%{ for l in f.extra ~}
    ${l}
%{ endfor ~}
%{ if f.postrotate != "" ~}
    postrotate
        ${indent(8, chomp(f.postrotate))}
    endscript
%{ endif ~}
}
%{ endfor ~}
EOT
}
