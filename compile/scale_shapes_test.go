package compile

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// shape is a sort of host of n services; the contents differ, the scale does
// not.
type shape struct {
	name string
	make func(b testing.TB, dir string, n int)
}

// shapes are hosts as different people write them.
var shapes = []shape{
	{"one service a file", shapeSingle},
	{"2,000 services a file, texts", shapeLong},
	{"modules with options", shapeModules},
	{"timers, sockets, dependencies", shapeGraph},
	{"expressions everywhere", shapeExpressions},
}

const shapeHost = `host "big" {
  systemd = 252
  imports = [%s]
}
`

func shapeSingle(b testing.TB, dir string, n int) {
	write(b, filepath.Join(dir, "host.ug.hcl"), fmt.Sprintf(shapeHost, ""))
	for i := range n {
		write(b, filepath.Join(dir, fmt.Sprintf("worker-%05d.ug.hcl", i)), fmt.Sprintf(`# The worker number %[1]d.
service "worker-%[1]d" {
  Description            = "Worker %[1]d"
  After                  = ["network.target"]
  StartLimitIntervalSec  = "10min"
  StartLimitBurst        = 3
  Type                   = "exec"
  ExecStart              = "/usr/bin/worker --config /etc/worker/%[1]d.conf --queue q%[2]d"
  ExecStartPost          = "/usr/bin/worker-announce %[1]d"
  Environment            = { QUEUE = "q%[2]d", RUST_LOG = "info" }
  EnvironmentFile        = "-/etc/default/worker"
  DynamicUser            = true
  StateDirectory         = "worker-%[1]d"
  RuntimeDirectory       = "worker-%[1]d"
  Restart                = "always"
  RestartSec             = 2
  CPUWeight              = 200
  TasksMax               = 512
  NoNewPrivileges        = true
  ProtectHome            = "yes"
  SystemCallFilter       = ["@system-service", "~@privileged"]
  CapabilityBoundingSet  = ["CAP_NET_BIND_SERVICE"]
  WantedBy               = ["multi-user.target"]
}
`, i, i%16))
	}
}

func shapeLong(b testing.TB, dir string, n int) {
	write(b, filepath.Join(dir, "host.ug.hcl"), fmt.Sprintf(shapeHost, ""))
	const files = 5
	for f := range files {
		var s strings.Builder
		for i := f * n / files; i < (f+1)*n/files; i++ {
			fmt.Fprintf(&s, `
/* Verkäufe – Dienst %[1]d.
   Wird vom Lager gebraucht. */
service "verkauf-%[1]d" {
  Description      = "Verkäufe für Lager %[1]d – „Süd“"
  Documentation    = "https://example.org/verkaeufe/%[1]d"
  Type             = "simple"
  ExecStart        = "/opt/verkauf/bin/server --nummer %[1]d --port %[2]d --name \"Süd\""
  ExecStop         = "/bin/sh -c 'kill -TERM $MAINPID; sleep 1'" # sanft
  Environment      = ["LAGER=%[1]d", "SPRACHE=de", "\"TITEL=Für Süd\""]
  User             = "verkauf" // das Konto
  Group            = "verkauf"
  WorkingDirectory = "/var/lib/verkauf"
  Restart          = "on-failure"
  RestartSec       = "1min 30s"
  TimeoutStartSec  = "5min"
  KillMode         = "mixed"
  LimitNOFILE      = "4096:65536"
  MemoryHigh       = "400M"
  MemoryMax        = "512M"
  IOWeight         = 50
  PrivateTmp       = true
  ProtectSystem    = "full"
  ReadWritePaths   = [
    "/var/lib/verkauf/%[1]d", # Daten
    "/var/log/verkauf",
  ]
  WantedBy         = "multi-user.target"
}
etc "verkauf/%[1]d.conf" {
  text = <<-EOT
    # Lager %[1]d
    nummer = %[1]d
    titel  = "Für Süd"
  EOT
}
`, i, 10000+i%50000)
		}
		write(b, filepath.Join(dir, fmt.Sprintf("lager-%d.ug.hcl", f)), s.String())
	}
}

func shapeModules(b testing.TB, dir string, n int) {
	const per = 100
	var imports []string
	var config strings.Builder
	for m := range n / per {
		name := fmt.Sprintf("mod%d", m)
		imports = append(imports, fmt.Sprintf("%q", "./modules/"+name))
		fmt.Fprintf(&config, "config %q {\n  enable = true\n  port   = force(%d)\n  tags   = [\"host\"]\n  limits = { memory = \"1G\" }\n}\n", name, 9000+m)
		var s strings.Builder
		fmt.Fprintf(&s, `module %q {
  description = "Services of group %d"
  when        = option.enable
}
option "enable" {
  type    = bool
  default = true
}
option "port" {
  type    = port
  default = 8080
}
option "user" {
  type    = string
  default = "svc%d"
}
option "tags" {
  type    = list(string)
  default = ["a", "b"]
}
option "limits" {
  type = object({ memory = optional(string, "512M"), files = optional(number, 1024) })
  default = {}
}
locals {
  base = "/opt/${option.user}"
  args = join(",", option.tags)
}
`, name, m, m)
		for i := range per {
			fmt.Fprintf(&s, `service "m%[1]d-%[2]d" {
  Description      = "Service %[2]d of group %[1]d on ${host.name}"
  After            = when(option.enable, ["network-online.target"])
  Wants            = ["network-online.target"]
  Type             = "notify"
  ExecStart        = "${local.base}/bin/server --port ${option.port} --id %[2]d --tags ${local.args}"
  ExecReload       = "${local.base}/bin/reload --port ${config.mod%[1]d.port}"
  Environment      = { PORT = option.port, HOME = "${local.base}/%[2]d", MODE = "prod" }
  User             = option.user
  Group            = option.user
  WorkingDirectory = local.base
  Restart          = default("on-failure")
  RestartSec       = option.port > 9010 ? "5s" : "10s"
  TimeoutStopSec   = 30
  LimitNOFILE      = option.limits.files
  MemoryMax        = option.limits.memory
  PrivateTmp       = true
  ProtectSystem    = "strict"
  ProtectHome      = true
  ReadWritePaths   = ["${local.base}/data", "/run/m%[1]d"]
  WantedBy         = ["multi-user.target"]
}
`, m, i)
		}
		write(b, filepath.Join(mkdir(b, dir, "modules", name), "main.ug.hcl"), s.String())
	}
	write(b, filepath.Join(dir, "host.ug.hcl"), fmt.Sprintf(shapeHost, strings.Join(imports, ", "))+config.String())
}

// shapeGraph has n units in all: of each five two services, a timer, a socket
// and a target, tied together.
func shapeGraph(b testing.TB, dir string, n int) {
	write(b, filepath.Join(dir, "host.ug.hcl"), fmt.Sprintf(shapeHost, ""))
	const per = 20 // groups a file
	for f := 0; f < n/5; f += per {
		var s strings.Builder
		for g := f; g < min(f+per, n/5); g++ {
			before := `"network.target"`
			if g > 0 {
				before = fmt.Sprintf(`service.api-%d, service.job-%d, service["api-%d"]`, g-1, g/2, g/3)
			}
			fmt.Fprintf(&s, `
target "group-%[1]d" {
  Description = "Group %[1]d"
  Wants       = [service.api-%[1]d, timer.job-%[1]d]
  After       = [service.api-%[1]d]
}
socket "api-%[1]d" {
  Description  = "Socket of api %[1]d"
  ListenStream = "/run/api/%[1]d.sock"
  SocketMode   = "0660"
  SocketUser   = "api"
  Accept       = false
  WantedBy     = ["sockets.target"]
}
service "api-%[1]d" {
  Description      = "API %[1]d"
  Documentation    = "man:api(8)"
  After            = [socket.api-%[1]d, %[2]s]
  Requires         = [socket.api-%[1]d]
  PartOf           = [target.group-%[1]d]
  Type             = "notify"
  ExecStart        = ["/usr/bin/api --number %[1]d"]
  NotifyAccess     = "main"
  WatchdogSec      = "30s"
  User             = "api"
  Restart          = "always"
  RestartSec       = "1s"
  MemoryMax        = "256M"
  CPUQuota         = "50%%"
  PrivateDevices   = true
  ProtectSystem    = "strict"
  ProtectKernelTunables = true
  RestrictAddressFamilies = ["AF_UNIX", "AF_INET"]
  LockPersonality  = true
  WantedBy         = [target.group-%[1]d]
}
service "job-%[1]d" {
  Description     = "Job %[1]d"
  After           = [service.api-%[1]d]
  Wants           = [service.api-%[1]d]
  Type            = "oneshot"
  ExecStart       = ["/usr/bin/job prepare %[1]d", "/usr/bin/job run %[1]d"]
  ExecStopPost    = "-/usr/bin/job clean %[1]d"
  Environment     = { NUMBER = %[1]d, FROM = service.api-%[1]d }
  TimeoutStartSec = "10min"
  Nice            = 10
  IOSchedulingClass = "idle"
  User            = "job"
  ProtectHome     = true
}
timer "job-%[1]d" {
  Description        = "When job %[1]d runs"
  OnCalendar         = "*-*-* 04:%02[3]d:00"
  RandomizedDelaySec = "5min"
  Persistent         = true
  WantedBy           = ["timers.target"]
}
`, g, before, g%60)
		}
		write(b, filepath.Join(dir, fmt.Sprintf("groups-%04d.ug.hcl", f/per)), s.String())
	}
}

func shapeExpressions(b testing.TB, dir string, n int) {
	write(b, filepath.Join(dir, "host.ug.hcl"), fmt.Sprintf(shapeHost, "")+`
option "region" {
  type    = string
  default = "eu"
}
option "zones" {
  type    = list(string)
  default = ["a", "b", "c"]
}
option "base" {
  type    = port
  default = 1000
}
option "debug" {
  type    = bool
  default = false
}
option "sites" {
  type    = map(object({ port = number, root = string }))
  default = { main = { port = 80, root = "/srv/main" }, side = { port = 81, root = "/srv/side" } }
}
locals {
  flags = { for z in option.zones : z => "--zone=${z}" }
  level = option.debug ? "debug" : "info"
}
`)
	const files = 200
	for f := range files {
		var s strings.Builder
		for i := f * n / files; i < (f+1)*n/files; i++ {
			fmt.Fprintf(&s, `
service "x-%[1]d" {
  Description      = upper("service %[1]d in ${option.region}")
  Documentation    = [for z in option.zones : "https://example.org/${z}/%[1]d"]
  After            = concat(["network.target"], option.debug ? ["debug-shell.service"] : [])
  Type             = option.debug ? "simple" : "notify"
  ExecStart        = "/usr/bin/x ${join(" ", values(local.flags))} --port ${option.base + %[2]d} --root ${option.sites.main.root}"
  ExecReload       = format("/usr/bin/xctl --id %%d reload", %[1]d)
  Environment      = merge({ LEVEL = local.level }, { ID = "%[1]d", REGION = option.region })
  User             = replace("x %[2]d", " ", "-")
  WorkingDirectory = "${option.sites["side"].root}/%[1]d"
  Restart          = default("on-failure")
  RestartSec       = "${2 + %[3]d}s"
  TimeoutStopSec   = min(30, %[2]d + 1)
  LimitNOFILE      = max(1024, option.base * 2)
  MemoryMax        = "${256 * 2}M"
  CPUQuota         = when(!option.debug, "80%%")
  Nice             = -5
  PrivateTmp       = !option.debug
  ProtectSystem    = lookup({ a = "strict" }, "a", "full")
  ReadWritePaths   = ["/var/lib/x/%[1]d", "/run/x/${option.region}"]
  WantedBy         = ["multi-user.target"]
}
`, i, i%1000, i%7)
		}
		write(b, filepath.Join(dir, fmt.Sprintf("x-%03d.ug.hcl", f)), s.String())
	}
}
