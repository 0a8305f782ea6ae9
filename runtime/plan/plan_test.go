package plan

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// lay writes the files of an archive below one prefix as a tree. A file whose
// content is "-> target" becomes a link.
func lay(t testing.TB, a *txtar.Archive, prefix string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), prefix)
	if err := os.MkdirAll(filepath.Join(dir, "etc/systemd/system"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, f := range a.Files {
		rel, ok := strings.CutPrefix(f.Name, prefix+"/")
		if !ok {
			if f.Name == prefix+".sources" {
				if err := os.WriteFile(dir+".sources", f.Data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			continue
		}
		if rel == "manifest.json" {
			if err := os.WriteFile(filepath.Join(dir, rel), f.Data, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if strings.HasSuffix(rel, ".service") && !strings.Contains(rel, "/") || !strings.Contains(rel, "etc/") {
			rel = "etc/systemd/system/" + rel
		}
		p := filepath.Join(dir, rel)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, ok := strings.CutPrefix(string(f.Data), "-> "); ok {
			err = os.Symlink(strings.TrimSpace(target), p)
		} else {
			err = os.WriteFile(p, f.Data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// linksOf reads what enables units on the machine: "[withheld] PATH UNIT".
func linksOf(text string) []Link {
	var out []Link
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		rest, withheld := strings.CutPrefix(line, "withheld ")
		at, unit, _ := strings.Cut(rest, " ")
		l := Link{Scope: "system", Path: at, Unit: unit, Withheld: withheld}
		if by, ok := strings.CutSuffix(filepath.Base(filepath.Dir(at)), ".wants"); ok {
			l.By, l.How = by, "Wants"
		}
		out = append(out, l)
	}
	return out
}

func render(p *Plan) string {
	var b strings.Builder
	for _, s := range p.Steps {
		b.WriteString(string(s.Action) + " " + s.Unit)
		if s.Scope != "system" {
			b.WriteString(" (" + string(s.Scope) + ")")
		}
		b.WriteString(": " + s.Reason)
		if s.Source != nil {
			b.WriteString(" @ " + *s.Source)
		}
		b.WriteByte('\n')
	}
	for _, i := range p.Inhibitors {
		b.WriteString("inhibited by " + i.Unit + ": " + i.Reason + "\n")
	}
	for word, list := range map[string][]string{"added": p.Files.Added, "removed": p.Files.Removed, "changed": p.Files.Changed} {
		_ = word
		for _, f := range list {
			if !isUnitPath(f) {
				b.WriteString("file " + f + "\n")
			}
		}
	}
	return b.String()
}

// TestPlan runs every archive of testdata: old/, new/, states.json and plan,
// which UPDATE=1 rewrites.
func TestPlan(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal("no archives", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			old, err := Read(lay(t, a, "old"))
			if err != nil {
				t.Fatal(err)
			}
			new, err := Read(lay(t, a, "new"))
			if err != nil {
				t.Fatal(err)
			}
			states, want := States{}, -1
			var links []Link
			for i, f := range a.Files {
				switch f.Name {
				case "states.json":
					if states, err = ParseStates(f.Data); err != nil {
						t.Fatal(err)
					}
				case "links":
					links = linksOf(string(f.Data))
				case "plan":
					want = i
				}
			}
			states.Links = links
			p := Make(old, new, states)
			got := render(p)
			if os.Getenv("UPDATE") == "1" {
				if want < 0 {
					a.Files = append(a.Files, txtar.File{Name: "plan"})
					want = len(a.Files) - 1
				}
				a.Files[want].Data = []byte(got)
				if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want < 0 {
				t.Fatalf("no plan in %s; the plan is\n%s", name, got)
			}
			if d := cmp.Diff(string(a.Files[want].Data), got); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
			states.Links = nil
			if same := Make(new, new, states); !same.Empty() {
				t.Errorf("a plan from a tree to itself is not empty:\n%s", render(same))
			}
			if _, err := json.Marshal(p); err != nil {
				t.Error(err)
			}
		})
	}
}
