package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unitgen/unitgen/runtime/activation"
	"github.com/unitgen/unitgen/schema/tree"
)

// oldManager is a manager of which only the version is asked.
type oldManager struct {
	activation.Manager
	version string
}

func (m oldManager) GetManagerProperty(context.Context, string) (any, error) { return m.version, nil }

func TestTooNew(t *testing.T) {
	was, is := t.TempDir(), t.TempDir()
	put := func(dir, name, text string) {
		p := filepath.Join(dir, "etc/systemd", name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const open = "[Service]\nExecStart=/bin/a\nOpenFile=/etc/hostname\nOpenFile=/etc/hosts\nRestartSteps=3\n"
	put(was, "system/same.service", open)
	put(is, "system/same.service", open)
	put(is, "system/new.service", open)
	put(was, "system/changed.service", "[Service]\nExecStart=/bin/a\n")
	put(is, "system/changed.service", "[Service]\nExecStart=/bin/a\nRestartSteps=3\n")
	put(is, "system/ssh.service.d/50-x.conf", "[Service]\nRestartSteps=3\n")
	put(is, "system/service.d/50-x.conf", "[Unit]\nDescription=x\n[Service]\nRestartSteps=3\n")
	put(is, "system/fine.service", "[Service]\nExecStart=/bin/a\n")
	put(is, "user/agent.service", open)
	system := activation.Target{Scope: tree.System, Manager: oldManager{version: "252.39-1~deb12u1"}}
	user := activation.Target{Scope: tree.User, Manager: oldManager{version: "v253.1"}}
	for _, x := range []struct {
		targets []activation.Target
		want    string
	}{
		{[]activation.Target{system}, "changed.service RestartSteps= (systemd 254)|new.service OpenFile= (systemd 253), RestartSteps= (systemd 254)|service RestartSteps= (systemd 254)|ssh.service RestartSteps= (systemd 254)"},
		{[]activation.Target{user}, "agent.service RestartSteps= (systemd 254)"},
		{[]activation.Target{{Scope: tree.System, Manager: oldManager{version: "254"}}}, ""},
		{[]activation.Target{{Scope: tree.System, Manager: oldManager{version: "252 (unitgen 0.1)"}}}, ""},
		{nil, ""},
	} {
		var got []string
		for _, n := range tooNew(context.Background(), x.targets, was, is) {
			unit, rest, _ := strings.Cut(n, ": the running systemd ")
			_, what, _ := strings.Cut(rest, " does not know ")
			what, _, _ = strings.Cut(what, " and passes")
			got = append(got, unit+" "+what)
		}
		if g := strings.Join(got, "|"); g != x.want {
			t.Errorf("%v:\n%s\nwant\n%s", x.targets, g, x.want)
		}
	}
}
