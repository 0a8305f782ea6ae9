package fetch

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unitgen/unitgen/compile/internal/load"
	"github.com/unitgen/unitgen/internal/testenv"
	"github.com/unitgen/unitgen/modules"
)

func write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// repository makes a repository with the module app, which imports ../lib.
func repository(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "repo")
	write(t, dir, map[string]string{
		"modules/app/app.ug.hcl": "module \"app\" {\n  imports = [\"../lib\"]\n}\n",
		"modules/lib/lib.ug.hcl": "module \"lib\" {}\n",
	})
	git(t, dir, "init", "-q", "-b", "main")
	git(t, dir, "add", ".")
	git(t, dir, "commit", "-q", "-m", "one")
	return dir
}

func host(t testing.TB, address string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, map[string]string{"host.ug.hcl": "host \"h\" {\n  imports = [\"" + address + "\"]\n}\n"})
	return dir
}

func get(t testing.TB, o Options) []Fetched {
	t.Helper()
	out, diags, err := Get(context.Background(), o)
	if err != nil || diags.HasErrors() {
		t.Fatal(err, diags)
	}
	return out
}

// build loads as a build does, offline.
func build(t testing.TB, dir, cache string) ([]string, error) {
	t.Helper()
	s := NewStore(dir, cache)
	set, diags := load.Load(context.Background(), load.Options{Dir: dir, Bundled: modules.FS, Remote: s.Resolve, RemoteName: s.Name})
	return set.Inputs, diags.Err()
}

func TestGit(t *testing.T) {
	testenv.Need(t, "git")
	repo, cache := repository(t), t.TempDir()
	address := "git::file://" + repo + "//modules/app?ref=main"
	dir := host(t, address)
	if _, err := build(t, dir, cache); err == nil || !strings.Contains(err.Error(), "unitgen get") {
		t.Errorf("a build before get: %v", err)
	}
	first := get(t, Options{Dir: dir, Cache: cache})
	if len(first) != 1 || first[0].Action != "added" || first[0].Commit != git(t, repo, "rev-parse", "HEAD") {
		t.Fatalf("%+v", first)
	}
	inputs, err := build(t, dir, cache)
	want := "git::file://" + repo + "//modules/app/app.ug.hcl git::file://" + repo + "//modules/lib/lib.ug.hcl host.ug.hcl"
	if err != nil || strings.Join(inputs, " ") != want {
		t.Errorf("%v\n got %v\nwant %s", err, inputs, want)
	}
	lock, err := os.ReadFile(filepath.Join(dir, LockFile))
	if err != nil {
		t.Fatal(err)
	}

	// The branch moves on: the pin stays, in this cache and in an empty one.
	write(t, repo, map[string]string{"modules/lib/lib.ug.hcl": "module \"lib\" {\n  description = \"two\"\n}\n"})
	git(t, repo, "commit", "-q", "-a", "-m", "two")
	if again := get(t, Options{Dir: dir, Cache: cache}); again[0].Action != "kept" || again[0].Hash != first[0].Hash {
		t.Errorf("%+v", again)
	}
	fresh := t.TempDir()
	if again := get(t, Options{Dir: dir, Cache: fresh}); again[0].Action != "fetched" || again[0].Hash != first[0].Hash {
		t.Errorf("%+v", again)
	}
	if _, err := build(t, dir, fresh); err != nil {
		t.Error(err)
	}
	if now, _ := os.ReadFile(filepath.Join(dir, LockFile)); !bytes.Equal(now, lock) {
		t.Errorf("the lock file changed:\n%s", now)
	}
	if up := get(t, Options{Dir: dir, Cache: cache, Update: true}); up[0].Action != "updated" || up[0].Old != first[0].Hash || up[0].Hash == first[0].Hash {
		t.Errorf("%+v", up)
	}

	// Fetched files that somebody changed are refused.
	s := NewStore(dir, cache)
	at, err := s.Resolve(address)
	if err != nil {
		t.Fatal(err)
	}
	write(t, at, map[string]string{"app.ug.hcl": "module \"app\" {}\n"})
	if _, err := build(t, dir, cache); err == nil || !strings.Contains(err.Error(), "were changed") {
		t.Errorf("a changed module: %v", err)
	}
	get(t, Options{Dir: dir, Cache: cache}) // mends it
	if _, err := build(t, dir, cache); err != nil {
		t.Error(err)
	}

	// An import that is gone leaves the lock file.
	write(t, dir, map[string]string{"host.ug.hcl": "host \"h\" {}\n"})
	get(t, Options{Dir: dir, Cache: cache})
	if _, err := os.Stat(filepath.Join(dir, LockFile)); !os.IsNotExist(err) {
		t.Error(err)
	}
}

func archive(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for name, content := range files {
		h := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, target, 0
			content = ""
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestHTTPS(t *testing.T) {
	content := archive(t, map[string]string{"net-1.0/vpn/vpn.ug.hcl": "module \"vpn\" {}\n"})
	served := 0
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			served++
		}
		if r.URL.Path != "/net.tar.gz" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(content)
	}))
	defer srv.Close()
	cache := t.TempDir()
	dir := host(t, srv.URL+"/net.tar.gz//net-1.0/vpn")
	o := Options{Dir: dir, Cache: cache, Client: srv.Client()}
	if got := get(t, o); got[0].Action != "added" || got[0].Source != srv.URL+"/net.tar.gz" {
		t.Fatalf("%+v", got)
	}
	n := served
	if _, err := build(t, dir, cache); err != nil || served != n {
		t.Errorf("a build asked the server %d times (%v)", served-n, err)
	}

	// Other content at the same address is refused, unless it is wanted.
	content = archive(t, map[string]string{"net-1.0/vpn/vpn.ug.hcl": "module \"vpn\" {\n  description = \"evil\"\n}\n"})
	o.Cache = t.TempDir()
	_, diags, err := Get(context.Background(), o)
	if err == nil {
		err = diags.Err()
	}
	if err == nil || !strings.Contains(err.Error(), "no longer what unitgen.lock.hcl pins") {
		t.Errorf("changed content: %v", err)
	}
	o.Update = true
	if got := get(t, o); got[0].Action != "updated" {
		t.Errorf("%+v", got)
	}

	// A server whose certificate nobody vouches for is refused.
	_, diags, err = Get(context.Background(), Options{Dir: host(t, srv.URL+"/net.tar.gz//net-1.0/vpn"), Cache: t.TempDir()})
	if err == nil {
		err = diags.Err()
	}
	if err == nil || !strings.Contains(err.Error(), "cannot be fetched") {
		t.Errorf("an unknown certificate: %v", err)
	}
}

func TestHostileArchives(t *testing.T) {
	for name, tc := range map[string]struct {
		files map[string]string
		want  string
	}{
		"climbs":    {map[string]string{"../../evil": "x"}, "cannot be fetched"},
		"link":      {map[string]string{"m.ug.hcl": "module \"m\" {}\n", "l": "-> ../../etc"}, "the symbolic link"},
		"no module": {map[string]string{"n/m.ug.hcl": "module \"m\" {}\n"}, "has no directory"},
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, "a.tar.gz")
		if err := os.WriteFile(file, archive(t, tc.files), 0o644); err != nil {
			t.Fatal(err)
		}
		h := host(t, "file://"+file+"//m")
		_, diags, err := Get(context.Background(), Options{Dir: h, Cache: filepath.Join(dir, "cache")})
		if err == nil {
			err = diags.Err()
		}
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(filepath.Join(h, LockFile)); !os.IsNotExist(err) {
			t.Errorf("%s: a lock file was written: %v", name, err)
		}
	}
}

func TestHashDir(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"a": "1", "sub/b": "2"})
	hash := func() string {
		t.Helper()
		h, err := HashDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	first := hash()
	write(t, dir, map[string]string{".git/HEAD": "x"})
	if hash() != first {
		t.Error(".git counts")
	}
	if err := os.Chmod(filepath.Join(dir, "a"), 0o755); err != nil {
		t.Fatal(err)
	}
	if hash() == first {
		t.Error("an executable bit does not count")
	}
	if err := os.Symlink("sub/b", filepath.Join(dir, "inside")); err != nil {
		t.Fatal(err)
	}
	hash()
	for _, target := range []string{"../x", "/etc/passwd", "sub/../../x"} {
		link := filepath.Join(dir, "out")
		_ = os.Remove(link)
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		if _, err := HashDir(dir); err == nil || !strings.Contains(err.Error(), "leads outside") {
			t.Errorf("%s: %v", target, err)
		}
	}
}

func TestAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"http://example.org/a.tar.gz":               "use https",
		"git::http://example.org/a.git":             "use https",
		"ext::sh -c evil":                           "no address of a module",
		"git::ext::sh":                              "no address of a module",
		"s3::https://example.org/a":                 "no address of a module",
		"git::ssh://-oProxyCommand=evil/x":          "names no host",
		"git::https://u:password@example.org/a.git": "must not hold a password",
		"smb://x/y":                                 "no address of a module",
		"git::https:///a":                           "names no host",
		"git::file:///a?ref=--upload-pack=x":        "cannot be a ref",
	} {
		if _, _, err := Split(address); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
	src, sub, err := Split("git::ssh://git@example.org/net.git//modules/../vpn?ref=v1")
	if err != nil || src != "git::ssh://git@example.org/net.git?ref=v1" || sub != "vpn" {
		t.Errorf("%q %q %v", src, sub, err)
	}
}

func FuzzLock(f *testing.F) {
	f.Add("source \"https://example.org/a.tar.gz\" {\n  hash = \"sha256:" + strings.Repeat("a", 64) + "\"\n}\n")
	f.Fuzz(func(t *testing.T, s string) {
		l, err := parseLock([]byte(s))
		if err != nil {
			return
		}
		again, err := parseLock(l.Bytes())
		if err != nil || len(again.Entries) != len(l.Entries) {
			t.Errorf("%q: %v", l.Bytes(), err)
		}
	})
}

// Several hosts in one directory share a lock file; fetching for one of them
// leaves what the others pin.
func TestSeveralHosts(t *testing.T) {
	testenv.Need(t, "git")
	one, two, cache := repository(t), repository(t), t.TempDir()
	dir := t.TempDir()
	write(t, dir, map[string]string{"host.ug.hcl": "host \"a\" {\n  imports = [\"git::file://" + one + "//modules/app\"]\n}\nhost \"b\" {\n  imports = [\"git::file://" + two + "//modules/lib\"]\n}\n"})
	if got := get(t, Options{Dir: dir, Cache: cache}); len(got) != 2 {
		t.Fatalf("%+v", got)
	}
	if got := get(t, Options{Dir: dir, Cache: cache, Host: "a", Update: true}); len(got) != 1 {
		t.Fatalf("%+v", got)
	}
	lock, err := ReadLock(dir)
	if err != nil || len(lock.Entries) != 2 {
		t.Errorf("%+v %v", lock, err)
	}
}
