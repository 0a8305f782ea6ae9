package modules_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/unitgen/unitgen/compile/ugtest"
	"github.com/unitgen/unitgen/emit"
	"github.com/unitgen/unitgen/internal/testenv"
	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/tree"
)

// TestOwnTests runs the *.ugtest.hcl file of each module.
func TestOwnTests(t *testing.T) {
	t.Parallel()
	files, err := ugtest.Find([]string{"."})
	if err != nil || len(files) < 8 {
		t.Fatal(files, err)
	}
	results, diags := ugtest.Run(context.Background(), files, ugtest.Options{Render: func(tr *tree.Tree) ([]ugtest.Entry, diag.List) {
		entries, d := emit.Entries(tr, emit.Options{})
		var out []ugtest.Entry
		for _, e := range entries {
			if e.Kind != emit.Directory {
				out = append(out, ugtest.Entry{Path: e.Path, Mode: uint32(e.Mode.Perm()), Content: e.Content, Target: e.Target})
			}
		}
		return out, d
	}})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, r := range results {
		for _, f := range r.Failures {
			t.Errorf("%s: %s: %s: %s", r.File, r.Name, f.Where, f.Message)
		}
	}
}

// lay writes the files of a tree below a directory, which stands for /etc.
func lay(t *testing.T, tr *tree.Tree) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range tr.Files {
		p := filepath.Join(dir, strings.TrimPrefix(f.Path, "etc/"))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, f.Content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func runs(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// freePort gives a port of loopback that nobody has.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// command gives a command line of a unit with its specifiers put in.
func command(t *testing.T, tr *tree.Tree, unit, key, etc, run, state string) []string {
	t.Helper()
	for _, u := range tr.Units {
		if u.Name == unit {
			v := u.File.Values("Service", key)
			return strings.Fields(strings.NewReplacer("%E", etc, "%t", run, "%S", state, "%%", "%").Replace(v[len(v)-1]))
		}
	}
	t.Fatalf("no %s", unit)
	return nil
}

// start runs a server until the test ends.
func start(t *testing.T, argv []string) {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		time.AfterFunc(5*time.Second, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
}

// waitFor asks until it is answered.
func waitFor(t *testing.T, what string, ask func() error) {
	t.Helper()
	var err error
	for range 100 {
		if err = ask(); err == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("%s: %v", what, err)
}

func TestOpenssh(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "/usr/sbin/sshd", "ssh-keygen", "ssh-keyscan")
	testenv.NeedRoot(t)
	port := freePort(t)
	tr := build(t, fmt.Sprintf(`host "h" {
}
config "openssh" {
  enable          = true
  ports           = [%d]
  listen          = ["127.0.0.1"]
  settings        = { MaxAuthTries = 3, X11Forwarding = false, AllowGroups = ["a", "b"], UsePAM = "no" }
  authorized_keys = { root = ["ssh-ed25519 AAAA root"] }
  extra           = "Match User x\n    ForceCommand /bin/true\n"
}
`, port))
	etc, keys := lay(t, tr), filepath.Join(t.TempDir(), "keys")
	runs(t, "/bin/sh", filepath.Join(etc, "unitgen.d/openssh/keys.sh"), keys)
	first, err := os.ReadFile(filepath.Join(keys, "ssh_host_ed25519_key"))
	if err != nil {
		t.Fatal(err)
	}
	runs(t, "/bin/sh", filepath.Join(etc, "unitgen.d/openssh/keys.sh"), keys)
	if again, _ := os.ReadFile(filepath.Join(keys, "ssh_host_ed25519_key")); string(again) != string(first) {
		t.Error("a key that is there was made anew")
	}
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		t.Fatal(err)
	}
	argv := command(t, tr, "ssh.service", "ExecStart", etc, t.TempDir(), t.TempDir())
	for i, a := range argv {
		argv[i] = strings.Replace(a, "/etc/ssh/", keys+"/", 1)
	}
	runs(t, argv[0], append([]string{"-t"}, argv[2:]...)...)
	start(t, argv)
	waitFor(t, "sshd", func() error {
		out, err := exec.Command("ssh-keyscan", "-p", fmt.Sprint(port), "-t", "ed25519", "127.0.0.1").Output()
		if err == nil && !strings.Contains(string(out), "ssh-ed25519") {
			err = fmt.Errorf("it gives %q", out)
		}
		return err
	})
}

func TestChrony(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "chronyd")
	tr := build(t, `host "h" {
}
config "chrony" {
  enable        = true
  servers       = ["127.0.0.1"]
  pools         = []
  allow         = ["192.0.2.0/24"]
  control_clock = false
}
`)
	out := runs(t, "chronyd", "-p", "-f", filepath.Join(lay(t, tr), "unitgen.d/chrony.conf"))
	if !strings.Contains(out, "allow 192.0.2.0/24") {
		t.Errorf("chronyd reads:\n%s", out)
	}
}

func TestNodeExporter(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "prometheus-node-exporter")
	port, state := freePort(t), t.TempDir()
	tr := build(t, fmt.Sprintf("host \"h\" {\n}\nconfig \"node_exporter\" {\n  enable = true\n  port = %d\n  collectors = { wifi = false }\n}\n", port))
	if err := os.MkdirAll(filepath.Join(state, "node_exporter"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(state, "node_exporter/x.prom"), []byte("unitgen_test 7\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	start(t, command(t, tr, "prometheus-node-exporter.service", "ExecStart", "", t.TempDir(), state))
	waitFor(t, "the exporter", func() error { return answers(port, "unitgen_test 7") })
}

func answers(port int, want string) error {
	client := http.Client{Timeout: 2 * time.Second}
	r, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d/metrics", port))
	if err != nil {
		return err
	}
	defer r.Body.Close()
	var b strings.Builder
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Body.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			break
		}
	}
	if !strings.Contains(b.String(), want) {
		return fmt.Errorf("status %d without %q", r.StatusCode, want)
	}
	return nil
}

func TestHaproxy(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "haproxy")
	testenv.NeedRoot(t)
	port, back := freePort(t), freePort(t)
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", back))
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "from behind") })}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	tr := build(t, fmt.Sprintf(`host "h" {
}
config "haproxy" {
  enable    = true
  frontends = { web = { bind = ["127.0.0.1:%d"], backend = "app", extra = ["option forwardfor"] } }
  backends  = { app = { servers = { one = "127.0.0.1:%d" } } }
}
`, port, back))
	etc, run := lay(t, tr), t.TempDir()
	if err := os.MkdirAll(filepath.Join(run, "haproxy"), 0o755); err != nil {
		t.Fatal(err)
	}
	check := command(t, tr, "haproxy.service", "ExecStartPre", etc, run, "")
	runs(t, check[0], check[1:]...)
	start(t, command(t, tr, "haproxy.service", "ExecStart", etc, run, ""))
	waitFor(t, "haproxy", func() error { return answers(port, "from behind") })
}

// TestFirewall loads the rules in a network namespace of its own, twice.
func TestFirewall(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "nft", "unshare")
	testenv.NeedRoot(t)
	tr := build(t, `host "h" {
}
config "firewall" {
  enable             = true
  tcp                = [22, 80, "6000-6010"]
  udp                = [53]
  trusted_interfaces = ["wg0"]
  log                = true
  input              = ["ip saddr 192.0.2.0/24 tcp dport 5432 accept"]
}
`)
	rules := filepath.Join(lay(t, tr), "unitgen.d/firewall.nft")
	out := runs(t, "unshare", "-n", "/bin/sh", "-ec", "nft add table inet other; nft -f "+rules+"; nft -f "+rules+"; nft list ruleset; nft delete table inet unitgen")
	for _, want := range []string{"table inet other", "tcp dport { 22, 80, 6000-6010 } accept", "udp dport 53 accept", `iifname "wg0" accept`, "tcp dport 5432 accept", "policy drop"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if n := strings.Count(out, "chain input"); n != 1 {
		t.Errorf("%d input chains: a reload adds instead of replacing", n)
	}
}

func TestLogrotate(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "logrotate")
	log := filepath.Join(t.TempDir(), "app.log")
	if err := os.WriteFile(log, []byte("a line\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	marker := log + ".done"
	tr := build(t, fmt.Sprintf(`host "h" {
}
config "logrotate" {
  enable       = true
  distribution = false
  files        = { app = { paths = [%q], keep = 2, compress = false, postrotate = "touch %s" } }
}
`, log, marker))
	conf := filepath.Join(lay(t, tr), "unitgen.d/logrotate.conf")
	runs(t, "logrotate", "-f", "--state", filepath.Join(t.TempDir(), "status"), conf)
	for _, p := range []string{log + ".1", marker} {
		if _, err := os.Stat(p); err != nil {
			t.Error(err)
		}
	}
}

// TestBackup makes three archives and keeps two.
func TestBackup(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "tar", "gzip")
	data, target := t.TempDir(), t.TempDir()
	for name, content := range map[string]string{"keep me": "1", "skip.tmp": "2", "sub/deep": "3"} {
		p := filepath.Join(data, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tr := build(t, fmt.Sprintf(`host "h" {
}
config "backup" {
  enable = true
  target = %q
  jobs   = { data = { paths = [%q], exclude = ["*.tmp"], keep = 2 } }
}
`, target, data))
	argv := command(t, tr, "backup-data.service", "ExecStart", lay(t, tr), "", "")
	for i := range 3 {
		if i > 0 {
			time.Sleep(1100 * time.Millisecond) // archives are named by the second
		}
		runs(t, argv[0], argv[1:]...)
	}
	archives, err := filepath.Glob(filepath.Join(target, "data", "*"))
	if err != nil || len(archives) != 2 {
		t.Fatalf("%v %v", archives, err)
	}
	list := runs(t, "tar", "-tzf", archives[1])
	if !strings.Contains(list, "keep me") || !strings.Contains(list, "sub/deep") || strings.Contains(list, "skip.tmp") {
		t.Errorf("the archive holds:\n%s", list)
	}
	if st, err := os.Stat(archives[0]); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", st, err)
	}
}

// TestMariadb makes a data directory and starts the server as an ordinary
// user, twice.
func TestMariadb(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "mariadbd", "mariadb-install-db", "mariadb", "setpriv")
	testenv.NeedRoot(t)
	tr := build(t, `host "h" {
}
config "mariadb" {
  enable    = true
  databases = ["wiki"]
  users     = { nobody = { databases = ["wiki"] } }
  settings  = { innodb_buffer_pool_size = "16M", innodb_log_file_size = "8M", performance_schema = false }
}
`)
	base, err := os.MkdirTemp("", "ugdb")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	run, state := filepath.Join(base, "r"), filepath.Join(base, "s")
	for _, d := range []string{base, filepath.Join(run, "mariadb"), filepath.Join(state, "mariadb")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{run, state} {
		for _, p := range []string{d, filepath.Join(d, "mariadb")} {
			if err := os.Chown(p, 65534, 65534); err != nil {
				t.Fatal(err)
			}
		}
	}
	etc := filepath.Join(base, "etc")
	if err := os.CopyFS(etc, os.DirFS(lay(t, tr))); err != nil {
		t.Fatal(err)
	}
	as := []string{"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--pdeathsig", "KILL"}
	pre := append(as, command(t, tr, "mariadb.service", "ExecStartPre", etc, run, state)...)
	for range 2 {
		runs(t, pre[0], pre[1:]...)
	}
	start(t, append(as, command(t, tr, "mariadb.service", "ExecStart", etc, run, state)...))
	ask := append(as, "mariadb", "--no-defaults", "--socket", filepath.Join(run, "mariadb/mariadb.sock"), "-N", "-e", "CREATE TABLE IF NOT EXISTS wiki.t (n INT); INSERT INTO wiki.t VALUES (7); SELECT CURRENT_USER(), n FROM wiki.t")
	waitFor(t, "mariadb", func() error {
		out, err := exec.Command(ask[0], ask[1:]...).CombinedOutput()
		if err == nil && string(out) != "nobody@localhost\t7\n" {
			err = fmt.Errorf("it answers %q", out)
		} else if err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
		return err
	})
}
