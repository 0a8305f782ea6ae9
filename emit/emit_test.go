package emit

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/unitgen/unitgen/internal/testenv"
	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitfile"
)

func at(file string, line int) diag.Range {
	return diag.Range{File: file, Start: diag.Pos{Line: line, Column: 1}}
}

func unit(t testing.TB, name string, kv ...string) *tree.Unit {
	t.Helper()
	f := &unitfile.File{}
	for i := 0; i < len(kv); i += 3 {
		if err := f.Add(kv[i], kv[i+1], kv[i+2], at("host.ug.hcl", i+10)); err != nil {
			t.Fatal(err)
		}
	}
	return &tree.Unit{Name: name, Scope: tree.System, File: f, Origin: at("host.ug.hcl", 3)}
}

func sample(t testing.TB) *tree.Tree {
	user := unit(t, "agent.service", "Service", "ExecStart", "/bin/agent")
	user.Scope = tree.User
	return &tree.Tree{
		Host: "web1", Systemd: 252,
		Units: []*tree.Unit{
			unit(t, "app.service", "Service", "ExecStart", "/bin/app", "Install", "WantedBy", "multi-user.target", "Install", "Alias", "web.service"),
			unit(t, "w@.service", "Service", "ExecStart", "/bin/w %i", "Install", "RequiredBy", "app.service"),
			{Name: "cups.service", Scope: tree.System, Mask: true, Origin: at("host.ug.hcl", 40)},
			user,
		},
		DropIns:   []*tree.DropIn{{Unit: "nginx.service", Name: "unitgen", Scope: tree.System, File: unit(t, "x.service", "Service", "LimitNOFILE", "65536").File}},
		Instances: []*tree.Instance{{Name: "w@one.service", Scope: tree.System, Enable: true}},
		Files: []*tree.File{
			{Path: "etc/app/config.yaml", Mode: 0o640, Group: "app", Content: []byte("listen: 1\n"), Origin: at("host.ug.hcl", 50)},
			{Path: ChecksFile, Content: (&Checks{Checks: []Check{{Name: "web", TCP: "127.0.0.1:80"}}}).Bytes()},
		},
		Links: []*tree.Link{{Path: "etc/localtime", Target: "/usr/share/zoneinfo/UTC"}},
	}
}

func TestEntries(t *testing.T) {
	t.Parallel()
	entries, diags := Entries(sample(t), Options{})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	var got []string
	for _, e := range entries {
		s := string(e.Kind) + " " + e.Path
		if e.Kind == Link {
			s += " -> " + e.Target
		}
		if e.Kind == File {
			s += " " + modeString(e.Mode)
		}
		got = append(got, s)
	}
	want := []string{
		"file checks.json 0644",
		"dir etc",
		"dir etc/app",
		"file etc/app/config.yaml 0640",
		"link etc/localtime -> /usr/share/zoneinfo/UTC",
		"dir etc/systemd",
		"dir etc/systemd/system",
		"dir etc/systemd/system/app.service.requires",
		"link etc/systemd/system/app.service.requires/w@one.service -> ../w@.service",
		"file etc/systemd/system/app.service 0644",
		"link etc/systemd/system/cups.service -> /dev/null",
		"dir etc/systemd/system/multi-user.target.wants",
		"link etc/systemd/system/multi-user.target.wants/app.service -> ../app.service",
		"dir etc/systemd/system/nginx.service.d",
		"file etc/systemd/system/nginx.service.d/unitgen.conf 0644",
		"file etc/systemd/system/w@.service 0644",
		"link etc/systemd/system/web.service -> app.service",
		"dir etc/systemd/user",
		"file etc/systemd/user/agent.service 0644",
	}
	less := cmp.Transformer("sorted", func(in []string) map[string]bool {
		m := map[string]bool{}
		for _, s := range in {
			m[s] = true
		}
		return m
	})
	if d := cmp.Diff(want, got, less); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	for _, e := range entries {
		if e.Path == "etc/systemd/system/app.service" && !bytes.HasPrefix(e.Content, []byte("# Made by unitgen from host.ug.hcl\n")) {
			t.Errorf("%q has no line that names its source, or one with a line number", e.Content)
		}
	}
}

func TestUnsafePaths(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 256)
	for _, p := range []string{
		"", "/etc/passwd", "../../x", "etc/../../x", "etc/./x", "etc//x", "etc/", "etc", "var/x", "etc/a\nb", "etc/a\x00b",
		"etc/a\x7fb", "etc/" + long, "etc/\xff", "manifest.json", strings.Repeat("etc/", 1000) + "x",
	} {
		_, diags := Entries(&tree.Tree{Files: []*tree.File{{Path: p, Origin: at("a.ug.hcl", 1)}}}, Options{})
		if !diags.HasErrors() || diags[0].Code != "E0801" || diags[0].Subject.File != "a.ug.hcl" {
			t.Errorf("%q: %v", p, diags)
		}
	}
	for _, n := range []string{"../x.service", "a/b.service", "", ".", "a\n.service"} {
		u := unit(t, n, "Service", "ExecStart", "/bin/x")
		if _, diags := Entries(&tree.Tree{Units: []*tree.Unit{u}}, Options{}); !diags.HasErrors() {
			t.Errorf("unit name %q passes", n)
		}
		d := &tree.DropIn{Unit: n, Name: "x", Scope: tree.System}
		if _, diags := Entries(&tree.Tree{DropIns: []*tree.DropIn{d}}, Options{}); !diags.HasErrors() {
			t.Errorf("drop-in of %q passes", n)
		}
	}
	for _, target := range []string{"", "../../../x", "../usr/share/zoneinfo/UTC", "a\nb"} {
		l := &tree.Link{Path: "etc/localtime", Target: target}
		if _, diags := Entries(&tree.Tree{Links: []*tree.Link{l}}, Options{}); !diags.HasErrors() || diags[0].Code != "E0802" {
			t.Errorf("link target %q: %v", target, diags)
		}
	}
	if img, diags := Render(&tree.Tree{Files: []*tree.File{{Path: "/x"}}}, Options{}); img != nil || !diags.HasErrors() {
		t.Error("an image is made in spite of an error")
	}
}

func TestCollisions(t *testing.T) {
	t.Parallel()
	file := func(p string, line int) *tree.File { return &tree.File{Path: p, Origin: at("a.ug.hcl", line)} }
	for code, files := range map[string][]*tree.File{
		"E0803": {file("etc/a", 1), file("etc/a", 2)},
		"E0804": {file("etc/App", 1), file("etc/app", 2)},
		"E0805": {file("etc/a", 1), file("etc/a/b", 2)},
	} {
		_, diags := Entries(&tree.Tree{Files: files}, Options{})
		if len(diags) != 1 || diags[0].Code != code || len(diags[0].Related) != 1 {
			t.Errorf("%s: %v", code, diags)
		}
	}
	if _, diags := Entries(&tree.Tree{Files: []*tree.File{file("etc/Dir/a", 1), file("etc/dir/b", 2)}}, Options{}); len(diags) != 1 || diags[0].Code != "E0804" {
		t.Errorf("directories that differ in case: %v", diags)
	}
}

// TestSameBytes renders and writes the same tree twice, the second time with
// another umask and the definitions in another order.
func TestSameBytes(t *testing.T) {
	a, diags := Render(sample(t), Options{})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	other := sample(t)
	for i, j := 0, len(other.Units)-1; i < j; i, j = i+1, j-1 {
		other.Units[i], other.Units[j] = other.Units[j], other.Units[i]
	}
	for _, u := range other.Units { // moved in the source
		u.Origin.Start.Line += 100
		if u.File == nil {
			continue
		}
		for i := range u.File.Lines {
			u.File.Lines[i].Origin.Start.Line += 100
		}
	}
	b, _ := Render(other, Options{})
	if a.Hash != b.Hash || !bytes.Equal(a.Manifest, b.Manifest) {
		t.Errorf("the hashes differ:\n%s\n%s", a.Manifest, b.Manifest)
	}
	if bytes.Equal(a.Sources, b.Sources) {
		t.Error("the sources do not say that the lines moved")
	}
	for name, write := range Formats {
		if name == "erofs" {
			if _, err := exec.LookPath("mkfs.erofs"); err != nil {
				testenv.Need(t, "mkfs.erofs")
			}
		}
		var sums []string
		for i, img := range []*Image{a, b} {
			old := syscall.Umask([]int{0o022, 0o077}[i])
			p := filepath.Join(t.TempDir(), "out")
			err := write(img, p)
			syscall.Umask(old)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			sums = append(sums, fingerprint(t, p))
			if err := write(img, p); err == nil {
				t.Errorf("%s: writes over what is there", name)
			}
		}
		if sums[0] != sums[1] {
			t.Errorf("%s: the copies differ\n%s\n%s", name, sums[0], sums[1])
		}
	}
}

func fingerprint(t *testing.T, p string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(p, func(q string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(p, q)
		info, err := d.Info()
		if err != nil {
			return err
		}
		mode := info.Mode()
		if q == p {
			mode = mode.Type() // the umask is for the place itself
		}
		b.WriteString(rel + " " + mode.String())
		if d.Type().IsRegular() {
			data, err := os.ReadFile(q)
			if err != nil {
				return err
			}
			b.WriteString(" " + hashOf(data))
		}
		b.WriteByte('\n')
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestFailedCopyLeavesNothing(t *testing.T) {
	t.Parallel()
	img := &Image{Name: "x", Entries: []Entry{{Path: "etc", Kind: Directory}, {Path: "etc/a", Kind: File, Mode: 0o644}, {Path: "etc/a/b", Kind: File, Mode: 0o644}}}
	p := filepath.Join(t.TempDir(), "out")
	if err := Formats["dir"](img, p); err == nil {
		t.Fatal("a file below a file was written")
	}
	if _, err := os.Lstat(p); err == nil {
		t.Error("what failed was left behind")
	}
}

func TestSources(t *testing.T) {
	t.Parallel()
	img, _ := Render(sample(t), Options{})
	dir := filepath.Join(t.TempDir(), "tree")
	if err := os.WriteFile(dir+SourcesSuffix, img.Sources, 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := ReadSources(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Directive("etc/systemd/system/app.service", "Service", "ExecStart", "/bin/app"); got != "host.ug.hcl:10:1" {
		t.Errorf("ExecStart comes from %q", got)
	}
	if got := s.Origin("etc/app/config.yaml"); got != "host.ug.hcl:50:1" {
		t.Errorf("the file comes from %q", got)
	}
}

func TestManifest(t *testing.T) {
	t.Parallel()
	img, _ := Render(sample(t), Options{})
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ManifestFile), img.Manifest, 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	if m.Systemd != 252 || m.Host != "web1" || len(m.Entries) != len(img.Entries) {
		t.Errorf("%+v", m)
	}
	if !json.Valid(img.Manifest) || !bytes.Equal(m.Bytes(), img.Manifest) {
		t.Error("reading and writing a manifest changes it")
	}
}

func FuzzPath(f *testing.F) {
	for _, s := range []string{"etc/a", "../x", "/", "etc/\x00", "etc//", ""} {
		f.Add(s)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, p string) {
		if pathFault(p) != "" {
			return
		}
		if !filepath.IsLocal(p) || strings.ContainsAny(p, "\n\x00") || filepath.Clean(p) != p {
			t.Errorf("%q passes, below %s", p, dir)
		}
	})
}
