// Package corpus gives tests the unit files of the distribution's packages:
// well over sixty packages, downloaded once with the distribution's own client,
// unpacked into one root directory and kept in the user's cache.
package corpus

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unitgen/unitgen/internal/testenv"
)

// Limit bounds the time that a download may take.
const Limit = 6 * time.Minute

var once struct {
	sync.Mutex
	dir string
	err error
}

// Dir gives a directory that stands for the root of a machine that has every
// package of schema/load/testdata/packages.txt: the systemd directories below
// usr/lib and etc, with /lib being a link to usr/lib. It must not be changed:
// Copy makes one that may. UNITGEN_TEST_CORPUS names another such root, so that
// every test over packages can be tried on other packages than these.
func Dir(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("UNITGEN_TEST_CORPUS"); dir != "" {
		return dir
	}
	testenv.Need(t, "apt-get", "dpkg-deb")
	once.Lock()
	defer once.Unlock()
	if once.dir == "" && once.err == nil {
		once.dir, once.err = fetch()
	}
	if once.err != nil {
		testenv.Missing(t, "the packages' unit files cannot be had: %v", once.err)
	}
	return once.dir
}

// Copy gives a copy of Dir in the test's own temporary directory.
func Copy(t testing.TB) string {
	t.Helper()
	src, dst := Dir(t), t.TempDir()
	if out, err := exec.Command("cp", "-a", src+"/.", dst).CombinedOutput(); err != nil {
		t.Fatalf("copying the unit files: %v\n%s", err, out)
	}
	return dst
}

// Packages gives the names of the packages.
func Packages() ([]string, error) {
	_, self, _, _ := runtime.Caller(0)
	f, err := os.Open(filepath.Join(filepath.Dir(self), "..", "..", "schema", "load", "testdata", "packages.txt"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []string
	s := bufio.NewScanner(f)
	for s.Scan() {
		if l := strings.TrimSpace(s.Text()); l != "" && l[0] != '#' {
			out = append(out, l)
		}
	}
	sort.Strings(out)
	return out, s.Err()
}

// fetch gives the directory, filled if it is not there yet. The key holds the
// versions, so that a new release of the distribution is a new directory.
func fetch() (string, error) {
	pkgs, err := Packages()
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), Limit)
	defer cancel()
	policy, err := exec.CommandContext(ctx, "apt-cache", append([]string{"policy"}, pkgs...)...).Output()
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, l := range strings.Split(string(policy), "\n") {
		if !strings.HasPrefix(l, " ") || strings.Contains(l, "Candidate:") {
			h.Write([]byte(l + "\n"))
		}
	}
	base := filepath.Join(cache, "unitgen-test-corpus")
	dir := filepath.Join(base, hex.EncodeToString(h.Sum(nil))[:16])
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(base, 0o755); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(base, "new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	root := filepath.Join(tmp, "root")
	if err := fill(ctx, tmp, root, pkgs); err != nil {
		return "", err
	}
	if err := os.Rename(root, dir); err != nil {
		if _, e := os.Stat(dir); e != nil {
			return "", err
		}
	}
	return dir, nil
}

// wanted are the directories of a package that the corpus keeps.
var wanted = []string{
	"./lib/systemd/system", "./usr/lib/systemd/system", "./lib/systemd/user", "./usr/lib/systemd/user",
	"./lib/systemd/system-preset", "./usr/lib/systemd/system-preset", "./usr/lib/systemd/user-preset", "./etc/systemd",
}

func fill(ctx context.Context, tmp, root string, pkgs []string) error {
	for _, d := range []string{"usr/lib/systemd/system", "usr/lib/systemd/user", "etc/systemd/system", "etc/systemd/user"} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			return err
		}
	}
	if err := os.Symlink("usr/lib", filepath.Join(root, "lib")); err != nil {
		return err
	}
	debs := filepath.Join(tmp, "debs")
	if err := os.Mkdir(debs, 0o777); err != nil {
		return err
	}
	c := exec.CommandContext(ctx, "apt-get", append([]string{"-q", "-q", "-o", "APT::Sandbox::User=", "download"}, pkgs...)...)
	c.Dir = debs
	if out, err := c.CombinedOutput(); err != nil {
		return &failed{"apt-get download", string(out), err}
	}
	list, err := filepath.Glob(filepath.Join(debs, "*.deb"))
	if err != nil {
		return err
	}
	for _, deb := range list {
		pipe := exec.CommandContext(ctx, "sh", "-c", `dpkg-deb --fsys-tarfile "$1" | tar -x --keep-directory-symlink -C "$2" --wildcards `+wildcards(), "sh", deb, root)
		out, err := pipe.CombinedOutput()
		if err != nil && !strings.Contains(string(out), "Not found in archive") {
			return &failed{"unpacking " + filepath.Base(deb), string(out), err}
		}
	}
	return filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.Type()&fs.ModeSymlink != 0 {
			return err
		}
		if d.IsDir() {
			return os.Chmod(p, 0o755)
		}
		return os.Chmod(p, 0o644)
	})
}

func wildcards() string {
	var b strings.Builder
	for _, w := range wanted {
		b.WriteString("'" + w + "/*' ")
	}
	return b.String()
}

type failed struct {
	what, output string
	err          error
}

func (f *failed) Error() string {
	out := strings.TrimSpace(f.output)
	if len(out) > 400 {
		out = out[len(out)-400:]
	}
	return f.what + ": " + f.err.Error() + ": " + out
}

func (f *failed) Unwrap() error { return f.err }
