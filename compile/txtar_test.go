package compile

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/tree"
)

// TestGolden compiles the files of each testdata/*.txtar and compares the
// diagnostics and the tree with its section "want". UPDATE=1 rewrites it.
//
// The comment above the files may hold lines "host: NAME", "variant: NAME",
// "stats" (work counters are shown), "only: diagnostics", "explain: PATH" and
// "override: PATH = VALUE"; the rest says what the test is for.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no testdata", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txtar"), func(t *testing.T) {
			t.Parallel()
			golden(t, f)
		})
	}
}

func golden(t *testing.T, name string) {
	ar, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var want []byte
	kept := ar.Files[:0]
	for _, f := range ar.Files {
		if f.Name == "want" {
			want = f.Data
			continue
		}
		kept = append(kept, f)
		p := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	o := Options{Dir: dir}
	var explain []string
	stats, only := false, false
	for _, line := range strings.Split(string(ar.Comment), "\n") {
		key, val, _ := strings.Cut(line, ":")
		val = strings.TrimSpace(val)
		switch key {
		case "host":
			o.Host = val
		case "variant":
			o.Variant = val
		case "sysroot":
			o.Sysroot = filepath.Join(dir, val)
		case "stats":
			stats = true
		case "only":
			only = true
		case "explain":
			explain = append(explain, val)
		case "override":
			p, v, _ := strings.Cut(val, " = ")
			o.Overrides = append(o.Overrides, Override{Path: p, Value: v})
		}
	}
	r, diags := Compile(context.Background(), o)
	var out bytes.Buffer
	if err := diag.Render(&out, diags, diag.RenderOptions{Source: r.SourceBytes}); err != nil {
		t.Fatal(err)
	}
	if !diags.HasErrors() && !only {
		show(&out, r.Tree)
	}
	for _, p := range explain {
		x, d := r.Explain(p)
		fmt.Fprintf(&out, "== explain %s\n", p)
		if x == nil {
			_ = diag.Render(&out, d, diag.RenderOptions{})
			continue
		}
		fmt.Fprintf(&out, "value: %s\n", x.Value)
		for _, c := range x.Definitions {
			fmt.Fprintf(&out, "%s: %s: winner %t: %s", c.Range, strings.Join(strings.Fields(c.Value), " "), c.Winner, c.Why)
			if c.Condition != "" {
				fmt.Fprintf(&out, " [when %s: %t]", c.Condition, c.Active)
			}
			out.WriteByte('\n')
		}
	}
	if stats {
		fmt.Fprintf(&out, "== work\nnodes %d, definitions %d\n", r.Stats.Nodes, r.Stats.Definitions)
	}
	if bytes.Contains(out.Bytes(), []byte(dir)) {
		t.Errorf("the output names the directory %s", dir)
	}
	if os.Getenv("UPDATE") == "1" {
		if !bytes.Equal(want, out.Bytes()) {
			ar.Files = append(kept, txtar.File{Name: "want", Data: out.Bytes()})
			if err := os.WriteFile(name, txtar.Format(ar), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	if got, want := out.String(), string(want); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func show(out *bytes.Buffer, t *tree.Tree) {
	for _, u := range t.Units {
		fmt.Fprintf(out, "== %s/%s\n", tree.UnitDir(u.Place, u.Scope), u.Name)
		switch {
		case u.Mask:
			out.WriteString("(masked)\n")
		default:
			out.Write(u.File.Bytes())
		}
		if u.NoInstall {
			out.WriteString("(not installed)\n")
		}
	}
	for _, d := range t.DropIns {
		fmt.Fprintf(out, "== %s/%s.d/%s.conf\n%s", tree.UnitDir(d.Place, d.Scope), d.Unit, d.Name, d.File.Bytes())
	}
	for _, i := range t.Instances {
		fmt.Fprintf(out, "== instance %s/%s enable %t\n", i.Scope, i.Name, i.Enable)
	}
	for _, d := range t.Distro {
		fmt.Fprintf(out, "== distribution %s/%s enable %t disable %t mask %t\n", d.Scope, d.Name, d.Enable, d.Disable, d.Mask)
	}
	for _, f := range t.Files {
		fmt.Fprintf(out, "== %s %v %s:%s\n%s", f.Path, f.Mode, f.Owner, f.Group, f.Content)
		if len(f.Content) > 0 && f.Content[len(f.Content)-1] != '\n' {
			out.WriteByte('\n')
		}
	}
	links := append([]*tree.Link(nil), t.Links...)
	sort.Slice(links, func(i, j int) bool { return links[i].Path < links[j].Path })
	for _, l := range links {
		fmt.Fprintf(out, "== link %s -> %s\n", l.Path, l.Target)
	}
}
