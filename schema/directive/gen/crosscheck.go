package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/unitgen/unitgen/schema/directive"
)

// systemdPaths are where distributions put the manager's binary.
var systemdPaths = []string{"/usr/lib/systemd/systemd", "/lib/systemd/systemd"}

// installation is what the installed systemd says about itself.
type installation struct {
	version int
	items   map[string]bool // "Section.Name"
}

var versionLine = regexp.MustCompile(`(?m)^systemd (\d+)`)

// installed asks the machine's systemd for its version and its directives.
func installed() (*installation, error) {
	for _, p := range systemdPaths {
		v, err := exec.Command(p, "--version").Output()
		if err != nil {
			continue
		}
		m := versionLine.FindSubmatch(v)
		if m == nil {
			continue
		}
		n, err := strconv.Atoi(string(m[1]))
		if err != nil {
			return nil, err
		}
		dump, err := exec.Command(p, "--dump-configuration-items").Output()
		if err != nil {
			return nil, err
		}
		return &installation{version: n, items: parseDump(dump)}, nil
	}
	return nil, fmt.Errorf("no systemd is installed")
}

func parseDump(dump []byte) map[string]bool {
	items := map[string]bool{}
	var section string
	s := bufio.NewScanner(bytes.NewReader(dump))
	for s.Scan() {
		l := s.Text()
		if strings.HasPrefix(l, "[") {
			section = strings.Trim(l, "[]")
		} else if name, _, ok := strings.Cut(l, "="); ok {
			items[section+"."+name] = true
		}
	}
	return items
}

// compare says where table and installation disagree on what exists. Names
// that systemd accepts and ignores (Kind obsolete) are not in its dump.
func compare(rows []directive.Directive, inst *installation) []string {
	var out []string
	seen := map[string]bool{}
	for i := range rows {
		d := &rows[i]
		k := d.Section + "." + d.Name
		seen[k] = true
		switch known := d.KnownIn(inst.version); {
		case d.Kind == directive.Obsolete:
		case known && !inst.items[k]:
			out = append(out, fmt.Sprintf("the table claims %s for systemd %d, which does not list it", k, inst.version))
		case !known && inst.items[k]:
			out = append(out, fmt.Sprintf("systemd %d lists %s, which the table denies", inst.version, k))
		}
	}
	for k := range inst.items {
		if !seen[k] {
			out = append(out, fmt.Sprintf("systemd %d lists %s, which the table does not know", inst.version, k))
		}
	}
	return out
}
