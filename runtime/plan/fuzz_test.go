package plan

import (
	"os"
	"path/filepath"
	"testing"
)

func FuzzParseStates(f *testing.F) {
	for _, s := range []string{`{"a.service":"active"}`, `{"user":{"a.service":"failed"}}`, `{"a":1}`, `[]`, `{"a.service":"up"}`, `{`, ``} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		st, err := ParseStates(data)
		if err != nil {
			return
		}
		for u, s := range st.System {
			if checkState(u, s) != nil {
				t.Errorf("%q is %q", u, s)
			}
		}
	})
}

// FuzzUnit plans with a unit file of any content: there is no panic, and a tree
// planned against itself gives nothing.
func FuzzUnit(f *testing.F) {
	for _, s := range []string{"[Service]\nExecStart=/bin/x\n", "[Unit]\nRequires=%i.service fuzz.service\n", "[Socket\n=\n", "[Service]\nUser=\x00\n", "", "[Unit]\nX-Reload-Triggers=/etc/../x\n"} {
		f.Add([]byte(s), []byte("[Service]\nExecStart=/bin/y\n"), "fuzz.service")
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, a, b []byte, name string) {
		var trees []*Tree
		for i, data := range [][]byte{a, b} {
			d := filepath.Join(dir, string(rune('a'+i)), "etc/systemd/system")
			if os.RemoveAll(d) != nil || os.MkdirAll(d, 0o755) != nil {
				t.Fatal("the scratch directory is gone")
			}
			if filepath.Base(name) == name && len(name) < 200 && name != "." && name != ".." {
				_ = os.WriteFile(filepath.Join(d, name), data, 0o644) // names with NUL fail
			}
			_ = os.WriteFile(filepath.Join(d, "fuzz.socket"), data, 0o644)
			tr, err := Read(filepath.Join(dir, string(rune('a'+i))))
			if err != nil {
				return
			}
			trees = append(trees, tr)
		}
		states := States{System: map[string]string{"fuzz.service": "active", "fuzz.socket": "active", "multi-user.target": "active"}}
		Make(trees[0], trees[1], states)
		Compare(trees[0], trees[1])
		Needs(trees[0], trees[1])
		if p := Make(trees[0], trees[0], states); !p.Empty() {
			t.Errorf("%q against itself: %s", a, render(p))
		}
	})
}
