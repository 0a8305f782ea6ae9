module "chrony" {
  description = "The clock kept right by chrony (NTP), as the distribution packages it"
  when        = option.enable
}

option "enable" {
  type        = bool
  default     = false
  description = "Whether chrony runs."
}

option "program" {
  type        = path
  default     = "/usr/sbin/chronyd"
  description = "The chronyd program."
}

option "user" {
  type        = nonempty(string)
  default     = "_chrony"
  description = "The user that chronyd runs as once it has what it needs."
}

option "pools" {
  type        = unique(list(nonempty(string)))
  default     = ["pool.ntp.org"]
  description = "Names that stand for several time servers each."
}

option "servers" {
  type        = unique(list(nonempty(string)))
  default     = []
  example     = ["ntp1.example.org", "192.0.2.123"]
  description = "Single time servers."
}

option "options" {
  type        = string
  default     = "iburst"
  description = "What stands behind each pool and server."
}

option "allow" {
  type        = unique(list(nonempty(string)))
  default     = []
  example     = ["192.0.2.0/24"]
  description = "Networks whose machines may ask this one for the time; none without any."
}

option "step" {
  type = submodule({
    threshold = optional(range(number, 0, null), 1)
    limit     = optional(number, 3)
  })
  default     = {}
  description = "The clock is stepped instead of slewed when it is off by more than `threshold` seconds, in the first `limit` updates."
}

option "control_clock" {
  type        = bool
  default     = true
  description = "Whether the machine's clock is set. Off in containers, which have no clock of their own."
}

option "extra" {
  type        = string
  default     = ""
  description = "Text for the end of chrony.conf."
}

# The name is Debian's, so that its alias chronyd.service leads here as well.
# Directories come on the command line, where specifiers are known.
service "chrony" {
  Description            = "NTP client and server chrony"
  Documentation          = ["man:chronyd(8)", "man:chrony.conf(5)"]
  Conflicts              = ["ntp.service", "ntpsec.service", "openntpd.service", "systemd-timesyncd.service"]
  After                  = ["network.target"]
  ConditionCapability    = when(option.control_clock, ["CAP_SYS_TIME"])
  Type                   = "simple"
  RuntimeDirectory       = "chrony"
  RuntimeDirectoryMode   = "0700"
  StateDirectory         = "chrony"
  StateDirectoryMode     = "0750"
  ExecStart              = "${option.program} -n ${option.control_clock ? "-u ${option.user}" : "-x -u ${option.user}"} \"include %E/unitgen.d/chrony.conf\" \"driftfile %S/chrony/chrony.drift\" \"dumpdir %S/chrony\" \"pidfile %t/chrony/chronyd.pid\" \"bindcmdaddress %t/chrony/chronyd.sock\""
  Restart                = default("on-failure")
  NoNewPrivileges        = default(true)
  PrivateTmp             = default(true)
  ProtectHome            = default(true)
  ProtectSystem          = default("full")
  ProtectKernelModules   = default(true)
  ProtectControlGroups   = default(true)
  RestrictNamespaces     = default(true)
  MemoryDenyWriteExecute = default(true)
  Alias                  = ["chronyd.service"]
  WantedBy               = ["multi-user.target"]
  restart_triggers       = [etc["unitgen.d/chrony.conf"]]
}

etc "unitgen.d/chrony.conf" {
  text = <<EOT
# Made by unitgen from the module chrony.
%{ for p in option.pools ~}
pool ${p} ${option.options}
%{ endfor ~}
%{ for s in option.servers ~}
server ${s} ${option.options}
%{ endfor ~}
%{ for n in option.allow ~}
allow ${n}
%{ endfor ~}
makestep ${option.step.threshold} ${option.step.limit}
%{ if option.control_clock ~}
rtcsync
%{ endif ~}
leapsectz right/UTC
maxupdateskew 100.0
${option.extra}
EOT
}

assert {
  condition = length(option.pools) + length(option.servers) > 0
  message   = "chrony has neither pools nor servers to ask for the time."
}
