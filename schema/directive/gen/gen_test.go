package main

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/unitgen/unitgen/internal/testenv"
	"github.com/unitgen/unitgen/schema/directive"
)

func rowsOf(t *testing.T) []directive.Directive {
	t.Helper()
	rows, err := readFacts()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestTableIsCurrent(t *testing.T) {
	t.Parallel()
	want, err := render(rowsOf(t))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../table_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("table_gen.go differs from the facts: run go generate ./schema/directive")
	}
}

func TestInstalledSystemdAgrees(t *testing.T) {
	t.Parallel()
	inst, err := installed()
	if err != nil {
		testenv.Missing(t, "%v", err)
	}
	for _, c := range compare(rowsOf(t), inst) {
		t.Error(c)
	}
	t.Logf("%d directives of systemd %d", len(inst.items), inst.version)
}

func TestFactsHoldTogether(t *testing.T) {
	t.Parallel()
	rows := rowsOf(t)
	known := map[string]bool{}
	for _, d := range rows {
		known[d.Name] = true
		known[d.Section+"."+d.Name] = true
	}
	described := map[string]bool{}
	for _, d := range rows {
		at := d.Section + "." + d.Name
		if d.Since != 0 && d.Since <= directive.Oldest || d.Since > directive.Newest {
			t.Errorf("%s: since %d is outside of what the table describes", at, d.Since)
		}
		if d.Until != 0 && d.Until <= d.Since {
			t.Errorf("%s: ends in %d before it starts", at, d.Until)
		}
		if d.Replaced != "" && !known[d.Replaced] {
			t.Errorf("%s: its replacement %s is not in the table", at, d.Replaced)
		}
		if d.Man == "" {
			t.Errorf("%s: no man page", at)
		}
		if strings.ContainsAny(d.Doc, "\t\n") || d.Doc != "" && !strings.HasSuffix(d.Doc, ".") {
			t.Errorf("%s: %q is no sentence", at, d.Doc)
		}
		if d.Doc != "" {
			described[d.Name] = true
		}
	}
	if len(described) < 150 {
		t.Errorf("only %d directives are described", len(described))
	}
}

// unitPages are the man pages whose directives are those of units.
var unitPages = regexp.MustCompile(`systemd\.(unit|service|socket|mount|automount|swap|target|path|timer|slice|scope|exec|kill|resource-control)\(5\)`)

// TestManPagesAreCovered reads systemd.directives(7), the index of all
// directives, and wants each of the unit pages' in the table with its page.
func TestManPagesAreCovered(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "man")
	c := exec.Command("man", "-P", "cat", "systemd.directives")
	c.Env = append(os.Environ(), "MANWIDTH=200", "LC_ALL=C.UTF-8")
	out, err := c.Output()
	if err != nil || len(out) == 0 {
		testenv.Missing(t, "the man page systemd.directives(7) is not installed")
	}
	text := regexp.MustCompile(".\b").ReplaceAllString(string(out), "")
	_, text, _ = strings.Cut(text, "\nUNIT DIRECTIVES\n")
	text = regexp.MustCompile(`(?s)\n[A-Z][A-Z ].*`).ReplaceAllString(text, "")
	pages := map[string]map[string]bool{}
	for _, d := range rowsOf(t) {
		if pages[d.Name] == nil {
			pages[d.Name] = map[string]bool{}
		}
		pages[d.Name][d.Man] = true
	}
	seen := 0
	name := ""
	for _, l := range strings.Split(text, "\n") {
		l = strings.TrimSpace(l)
		if n, ok := strings.CutSuffix(l, "="); ok {
			name = n
			continue
		}
		list := unitPages.FindAllString(l, -1)
		if len(list) == 0 || name == "" {
			continue
		}
		seen++
		if pages[name] == nil {
			t.Errorf("%s= of %s is not in the table", name, l)
			continue
		}
		found := false
		for _, p := range list {
			found = found || pages[name][p]
		}
		if !found {
			t.Errorf("%s= is on %s, the table says %v", name, l, pages[name])
		}
	}
	if seen < 300 {
		t.Errorf("only %d directives found in systemd.directives(7)", seen)
	}
}
