package main

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/unitgen/unitgen/internal/corpus"
	"github.com/unitgen/unitgen/internal/testenv"
	"github.com/unitgen/unitgen/schema/unitname"
)

// pair is two equal roots: on one the real systemctl works, on the other ours.
type pair struct {
	t            testing.TB
	theirs, ours string
	diffs        int
}

// answer is what a command said and how it ended.
type answer struct {
	stdout, stderr string
	code           int
}

func (p *pair) real(args []string) answer {
	c := exec.Command("systemctl", append([]string{"--root=" + p.theirs}, args...)...)
	c.Dir = p.theirs
	var out, errb bytes.Buffer
	c.Stdout, c.Stderr = &out, &errb
	err := c.Run()
	code := 0
	if err != nil {
		code = c.ProcessState.ExitCode()
	}
	return p.clean(answer{out.String(), errb.String(), code}, p.theirs)
}

func (p *pair) own(args []string) answer {
	var out, errb bytes.Buffer
	a := &app{out: &out, err: &errb}
	code, handled := offlineVerbs(a, append([]string{"--root=" + p.ours}, args...))
	if !handled {
		p.t.Fatalf("%q is not taken for an offline command", args)
	}
	return p.clean(answer{out.String(), errb.String(), code}, p.ours)
}

func (p *pair) clean(a answer, root string) answer {
	a.stdout = strings.ReplaceAll(a.stdout, root, "ROOT")
	a.stderr = strings.ReplaceAll(a.stderr, root, "ROOT")
	a.stderr = strings.ReplaceAll(a.stderr, "unitgen ctl: ", "systemctl: ")
	return a
}

// logged takes away what systemd logs about the contents of unit files; that is
// for analyze verify to say.
func logged(s string) string {
	var out []string
	for _, l := range strings.SplitAfter(s, "\n") {
		if strings.HasPrefix(l, "ROOT/") || strings.HasPrefix(l, "Failed to parse $") || strings.HasSuffix(l, ", rejecting.\n") {
			continue
		}
		out = append(out, l)
	}
	return strings.Join(out, "")
}

// sortedRemovals sorts runs of "Removed" lines, whose order is that of the
// directory on disk.
func sortedRemovals(s string) string {
	lines := strings.SplitAfter(s, "\n")
	for i := 0; i < len(lines); {
		j := i
		for j < len(lines) && strings.HasPrefix(lines[j], "Removed ") {
			j++
		}
		sort.Strings(lines[i:j])
		i = j + 1
	}
	return strings.Join(lines, "")
}

func links(t testing.TB, root string) string {
	var out []string
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, p)
		if d.Type()&fs.ModeSymlink != 0 {
			target, _ := os.Readlink(p)
			rel += " -> " + strings.ReplaceAll(target, root, "ROOT")
		}
		out = append(out, rel)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, "\n")
}

// do runs one command on both roots and compares all of it.
func (p *pair) do(args ...string) answer {
	p.t.Helper()
	want, got := p.real(args), p.own(args)
	bad := func(what, w, g string) {
		p.diffs++
		if p.diffs < 25 {
			p.t.Errorf("%q: %s differs\n--- systemctl\n%s\n--- unitgen ctl\n%s", args, what, w, g)
		}
	}
	if want.code != got.code {
		bad("exit code", string(rune('0'+want.code)), string(rune('0'+got.code))+"\n"+got.stderr)
	}
	if want.stdout != got.stdout {
		bad("stdout", want.stdout, got.stdout)
	}
	if w, g := sortedRemovals(logged(want.stderr)), sortedRemovals(logged(got.stderr)); w != g {
		bad("stderr", w, g)
	}
	return got
}

func (p *pair) compareLinks(what string) {
	p.t.Helper()
	for _, d := range []string{"etc", "run"} {
		w, g := "", ""
		if _, err := os.Stat(filepath.Join(p.theirs, d)); err == nil {
			w = links(p.t, filepath.Join(p.theirs, d))
		}
		if _, err := os.Stat(filepath.Join(p.ours, d)); err == nil {
			g = links(p.t, filepath.Join(p.ours, d))
		}
		if w != g {
			p.diffs++
			p.t.Errorf("%s: the links below %s differ\n--- systemctl\n%s\n--- unitgen ctl\n%s", what, d, w, g)
		}
	}
}

// TestOfflineOverPackages enables, asks for and disables every unit of the
// packages, and an instance of each template, beside the real systemctl.
func TestOfflineOverPackages(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "systemctl")
	p := &pair{t: t, theirs: corpus.Copy(t), ours: corpus.Copy(t)}
	list, err := os.ReadDir(filepath.Join(p.ours, "usr/lib/systemd/system"))
	if err != nil {
		t.Fatal(err)
	}
	before := links(t, filepath.Join(p.ours, "etc"))
	n := 0
	var plain, enabled []string
	settle := func() {
		p.do(append([]string{"is-enabled"}, enabled...)...)
		p.do(append([]string{"disable"}, enabled...)...)
		enabled = nil
	}
	for _, f := range list {
		if !unitname.Valid(f.Name()) {
			continue
		}
		names := []string{f.Name()}
		if unitname.IsTemplate(f.Name()) {
			i, _ := unitname.WithInstance(f.Name(), "in-st")
			names = append(names, i)
		}
		n += len(names)
		text, err := os.ReadFile(filepath.Join(p.ours, "usr/lib/systemd/system", f.Name()))
		if err == nil && !bytes.Contains(text, []byte("[Install]")) {
			plain = append(plain, names...)
			continue
		}
		for _, u := range names {
			p.do("enable", u)
		}
		p.compareLinks("enable " + names[0])
		if enabled = append(enabled, names...); len(enabled) > 12 {
			settle()
		}
		if p.diffs > 30 {
			t.Fatal("too many differences")
		}
	}
	if len(enabled) > 0 {
		settle()
	}
	p.do(append([]string{"enable"}, plain...)...)
	p.do(append([]string{"is-enabled"}, plain...)...)
	p.do(append([]string{"disable"}, plain...)...)
	p.compareLinks("disable")
	if after := links(t, filepath.Join(p.ours, "etc")); after != before {
		t.Errorf("after disabling all, etc differs from before:\n%s\nbefore:\n%s", after, before)
	}
	p.do("list-unit-files")
	p.do("preset-all")
	p.compareLinks("preset-all")
	p.do("list-unit-files")
	p.do("--global", "preset-all")
	p.do("--global", "list-unit-files")
	p.compareLinks("preset-all --global")
	t.Logf("%d units enabled, asked for and disabled; %d differences", n, p.diffs)
}
