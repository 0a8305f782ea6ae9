package value

// enums holds the words of every enumeration of the directive table, in the
// order of the man pages.
var enums = map[string]*enum{
	"service-type":                 {words: []string{"simple", "exec", "forking", "oneshot", "dbus", "notify", "notify-reload", "idle"}, since: map[string]int{"notify-reload": 253}},
	"service-exit-type":            {words: []string{"main", "cgroup"}},
	"service-restart":              {words: []string{"no", "on-success", "on-failure", "on-abnormal", "on-watchdog", "on-abort", "always"}},
	"service-restart-mode":         {words: []string{"normal", "direct", "debug"}, since: map[string]int{"debug": 257}},
	"service-timeout-failure-mode": {words: []string{"terminate", "abort", "kill"}},
	"notify-access":                {words: []string{"none", "main", "exec", "all"}},
	"oom-policy":                   {words: []string{"continue", "stop", "kill"}},
	"job-mode": {words: []string{"fail", "replace", "replace-irreversibly", "isolate", "flush", "ignore-dependencies", "ignore-requirements", "triggering", "restart-dependencies"},
		since: map[string]int{"restart-dependencies": 257}},
	"emergency-action": {
		words: []string{"none", "reboot", "reboot-force", "reboot-immediate", "poweroff", "poweroff-force", "poweroff-immediate", "exit", "exit-force",
			"soft-reboot", "soft-reboot-force", "kexec", "kexec-force", "halt", "halt-force", "halt-immediate"},
		since:   map[string]int{"soft-reboot": 254, "soft-reboot-force": 254, "kexec": 254, "kexec-force": 254, "halt": 254, "halt-force": 254, "halt-immediate": 254},
		userMay: []string{"none", "exit", "exit-force"},
	},
	"collect-mode":   {words: []string{"inactive", "inactive-or-failed"}},
	"kill-mode":      {words: []string{"control-group", "mixed", "process", "none"}, unsafe: map[string]string{"none": "mixed or control-group"}},
	"bind-ipv6-only": {words: []string{"default", "both", "ipv6-only"}, legacy: [2]string{"ipv6-only", "both"}},
	"timestamping":   {words: []string{"off", "us", "ns"}, legacy: [2]string{"ns", "off"}, aliases: map[string]string{"usec": "us", "µs": "us", "μs": "us", "nsec": "ns"}},
	"utmp-mode":      {words: []string{"init", "login", "user"}},
	"protect-system": {words: []string{"full", "strict"}, bools: true},
	"protect-home":   {words: []string{"read-only", "tmpfs"}, bools: true},
	"protect-proc":   {words: []string{"noaccess", "invisible", "ptraceable", "default"}},
	"proc-subset":    {words: []string{"all", "pid"}},
	"protect-control-groups": {words: []string{"private", "strict"}, bools: true,
		since: map[string]int{"private": 257, "strict": 257}},
	"private-tmp": {words: []string{"disconnected"}, bools: true, since: map[string]int{"disconnected": 257}},
	"private-users": {words: []string{"self", "identity", "full", "managed"}, bools: true,
		since: map[string]int{"self": 257, "identity": 257, "full": 258, "managed": 260}},
	"private-bpf":            {bools: true},
	"keyring-mode":           {words: []string{"inherit", "private", "shared"}},
	"preserve-mode":          {words: []string{"restart"}, bools: true},
	"io-scheduling-class":    {words: []string{"none", "realtime", "best-effort", "idle"}, numbers: 9},
	"cpu-scheduling-policy":  {words: []string{"other", "batch", "idle", "fifo", "rr", "ext"}, since: map[string]int{"ext": 258}, numbers: 1 << 31},
	"numa-policy":            {words: []string{"default", "preferred", "bind", "interleave", "local"}},
	"memory-thp":             {words: []string{"inherit", "disable", "madvise", "system"}},
	"log-level":              {words: []string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}, numbers: 8},
	"log-facility":           {words: logFacilities, numbers: 128},
	"device-policy":          {words: []string{"auto", "closed", "strict"}},
	"managed-oom-mode":       {words: []string{"auto", "kill"}},
	"managed-oom-preference": {words: []string{"none", "avoid", "omit"}},
	"memory-pressure-watch":  {words: []string{"auto", "skip"}, bools: true},
	"mount-flags":            {words: []string{"shared", "slave", "private"}},
}

// logFacilities are the syslog facilities by number.
var logFacilities = []string{
	"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
	"12", "13", "14", "15", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
}
