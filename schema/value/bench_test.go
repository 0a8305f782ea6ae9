package value

import (
	"testing"

	"github.com/unitgen/unitgen/schema/directive"
)

// BenchmarkCheck checks the twenty assignments of a typical service.
func BenchmarkCheck(b *testing.B) {
	var list []assigned
	for _, a := range [][2]string{
		{"Description", "Example web application"}, {"After", "network-online.target postgresql.service"}, {"Requires", "postgresql.service"},
		{"Type", "notify"}, {"ExecStart", "/opt/app/bin/server --port 8080 --data %S/app"}, {"ExecReload", "/bin/kill -HUP $MAINPID"},
		{"Environment", `LOG=info "GREETING=hello world"`}, {"Restart", "on-failure"}, {"RestartSec", "5s"}, {"TimeoutStopSec", "1min 30s"},
		{"User", "app"}, {"StateDirectory", "app"}, {"ProtectSystem", "strict"}, {"PrivateTmp", "yes"}, {"NoNewPrivileges", "true"},
		{"SystemCallFilter", "@system-service"}, {"RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6"}, {"LimitNOFILE", "65536"},
		{"MemoryMax", "512M"}, {"WantedBy", "multi-user.target"},
	} {
		list = append(list, assigned{directive.Find("service", a[0])[0], a[1]})
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, a := range list {
			if _, err := CheckDirective(a.d, a.value, Context{UnitType: "service"}); err != nil {
				b.Fatal(err)
			}
		}
	}
}
