package unitimport_test

import (
	"bytes"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/unitgen/unitgen/schema/unitimport"
)

// TestGolden imports the files of each txtar below in/ and compares the result
// with those below out/ and with the notes. A file in/links lists symbolic
// links, "path -> target" a line. UPDATE=1 writes what came out.
func TestGolden(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no testdata: %v", err)
	}
	for _, file := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			var in []txtar.File
			for _, f := range a.Files {
				if !strings.HasPrefix(f.Name, "in/") {
					continue
				}
				in = append(in, f)
				if f.Name == "in/links" {
					for _, l := range strings.Split(strings.TrimSpace(string(f.Data)), "\n") {
						from, to, _ := strings.Cut(l, " -> ")
						put(t, filepath.Join(dir, from), func(p string) error { return os.Symlink(to, p) })
					}
					continue
				}
				put(t, filepath.Join(dir, strings.TrimPrefix(f.Name, "in/")), func(p string) error { return os.WriteFile(p, f.Data, 0o644) })
			}
			t.Chdir(dir)
			res, ds := unitimport.Import(unitimport.Options{Paths: []string{"."}, Host: "imported"})
			var out []txtar.File
			for _, f := range res.Files {
				out = append(out, txtar.File{Name: "out/" + f.Name, Data: f.Data})
			}
			sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
			said := res.Notes
			for _, d := range ds {
				said = append(said, d.Error())
			}
			if len(said) > 0 {
				out = append(out, txtar.File{Name: "notes", Data: []byte(strings.Join(said, "\n") + "\n")})
			}
			got := txtar.Format(&txtar.Archive{Comment: a.Comment, Files: append(in, out...)})
			want := txtar.Format(a)
			if bytes.Equal(got, want) {
				return
			}
			if os.Getenv("UPDATE") != "" {
				if err := os.WriteFile(filepath.Join(here, file), got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		})
	}
}

// TestScope says which directories hold units of user managers.
func TestScope(t *testing.T) {
	for dir, user := range map[string]bool{
		"etc/systemd/system": false, "etc/systemd/user": true, "user": true, "home/user/units": false,
		"home/user/.config/systemd/user": true, "work/user/root/lib/systemd/system": false, "plain": false,
	} {
		p := filepath.Join(t.TempDir(), dir, "a.target")
		put(t, p, func(p string) error { return os.WriteFile(p, []byte("[Unit]\nDescription=a\n"), 0o644) })
		res, ds := unitimport.Import(unitimport.Options{Paths: []string{p}})
		if len(ds) > 0 || len(res.Files) != 1 {
			t.Fatalf("%s: %v", dir, ds)
		}
		if got := bytes.Contains(res.Files[0].Data, []byte(`scope`)); got != user {
			t.Errorf("%s: user scope %v", dir, got)
		}
	}
}

var here, _ = os.Getwd()

func put(t *testing.T, p string, write func(string) error) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := write(p); err != nil {
		t.Fatal(err)
	}
}

func TestRefusals(t *testing.T) {
	long := strings.Repeat("x", 1<<20+10)
	for name, text := range map[string]string{
		"NUL":                     "[Service]\nExecStart=/bin/true\x00ExecStart=/bin/false\n",
		"invalid UTF-8":           "[Service]\nExecStart=/bin/\xff\xfe\n",
		"a line over 1 MiB":       "[Service]\nExecStart=/bin/" + long + "\n",
		"joined lines over 1 MiB": "[Service]\nExecStart=/bin/a \\\n" + strings.Repeat(strings.Repeat("x", 1000)+" \\\n", 1100) + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			p := filepath.Join(t.TempDir(), "a.service")
			if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			res, ds := unitimport.Import(unitimport.Options{Paths: []string{p}})
			if !ds.HasErrors() || len(res.Files) > 0 {
				t.Errorf("got %d files and %v", len(res.Files), ds)
			}
		})
	}
	for _, p := range []string{"/nowhere/a.service", "/etc/passwd", "/dev/null"} {
		if _, ds := unitimport.Import(unitimport.Options{Paths: []string{p}}); !ds.HasErrors() {
			t.Errorf("%s was imported", p)
		}
	}
}

func FuzzImport(f *testing.F) {
	for _, s := range []string{"", "[Service]\nExecStart=/bin/true\n", "[Socket]\nListenStream=1\nListenDatagram=2\nListenStream=3\n", "# c\n[Unit]\n; d\nA b\n=x\n[X-Y]\nz=1\n", "[Service]\nEnvironment=A=1 \"B=2 3\"\nEnvironment=\nExecStart=-@/bin/sh a \\\n  b ${C} %i\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := filepath.Join(t.TempDir(), "a@.socket")
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		unitimport.Import(unitimport.Options{Paths: []string{p}})
	})
}
