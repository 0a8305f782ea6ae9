package modules_test

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/unitgen/unitgen/compile"
	"github.com/unitgen/unitgen/internal/testenv"
	"github.com/unitgen/unitgen/modules"
	"github.com/unitgen/unitgen/schema/tree"
)

// names gives the bundled modules.
func names(t *testing.T) []string {
	t.Helper()
	entries, err := fs.ReadDir(modules.FS, ".")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() {
			out = append(out, e.Name())
		}
	}
	if len(out) == 0 {
		t.Fatal("no module is embedded")
	}
	return out
}

// build compiles a host of the given text and wants no complaint at all.
func build(t *testing.T, text string) *tree.Tree {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "host.ug.hcl"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	r, diags := compile.Compile(context.Background(), compile.Options{Dir: dir})
	for _, d := range diags {
		t.Errorf("%s: %s: %s", d.Subject, d.Summary, d.Detail)
	}
	if t.Failed() {
		t.FailNow()
	}
	return r.Tree
}

func file(t *testing.T, tr *tree.Tree, name string) string {
	t.Helper()
	for _, f := range tr.Files {
		if f.Path == "etc/"+name {
			return string(f.Content)
		}
	}
	t.Fatalf("no etc/%s in the tree", name)
	return ""
}

// TestEveryModule enables each one alone, with its defaults.
func TestEveryModule(t *testing.T) {
	t.Parallel()
	for _, name := range names(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			on := build(t, "host \"h\" {\n}\nconfig \""+name+"\" {\n  enable = true\n}\n")
			if len(on.Units) == 0 && name != "backup" && name != "cron" { // those make units of their jobs
				t.Error("enabled, it contributes no unit")
			}
			off := build(t, "host \"h\" {\n}\nconfig \""+name+"\" {\n  enable = false\n}\n")
			if len(off.Units)+len(off.Files) != 0 {
				t.Errorf("disabled, it contributes %d units and %d files", len(off.Units), len(off.Files))
			}
		})
	}
}

var optionBlock = regexp.MustCompile(`(?m)^option "([a-z_]+)" \{((?:\n[^}].*)*)`)

// TestEveryOptionIsDocumented wants a description in the module, and a place
// in docs/modules.md.
func TestEveryOptionIsDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/modules.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names(t) {
		_, chapter, ok := strings.Cut(string(page), "\n## "+name+"\n")
		if !ok {
			t.Errorf("docs/modules.md has no chapter %q", name)
			continue
		}
		chapter, _, _ = strings.Cut(chapter, "\n## ")
		files, err := fs.Glob(modules.FS, path.Join(name, "*.ug.hcl"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := fs.ReadFile(modules.FS, f)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range optionBlock.FindAllStringSubmatch(string(b), -1) {
				if !strings.Contains(m[2], "\n  description = ") {
					t.Errorf("%s: option %q has no description", f, m[1])
				}
				if !strings.Contains(chapter, "`"+m[1]+"`") {
					t.Errorf("docs/modules.md does not name config.%s.%s", name, m[1])
				}
			}
		}
	}
}

// TestNginxConfiguration has nginx itself read what comes out.
func TestNginxConfiguration(t *testing.T) {
	t.Parallel()
	tr := build(t, `host "h" {
}
config "nginx" {
  enable = true
  port   = 8080
  http   = { client_max_body_size = "20m" }
  sites = {
    "example.org" = { names = ["www.example.org"], proxy = "http://127.0.0.1:9000", default = true }
    "sock.example.org" = { proxy = "unix:app.sock", headers = { X-Frame-Options = "DENY" } }
    "files.example.org" = { root = "/srv", listen = ["127.0.0.1:8081", "[::1]:8081"] }
    "old.example.org" = { redirect = "https://example.org$request_uri" }
    "more.example.org" = { extra = "location /x { return 204; }" }
  }
}
`)
	conf := file(t, tr, "unitgen.d/nginx.conf")
	for _, want := range []string{
		"listen 0.0.0.0:8080 default_server;", "server_name example.org www.example.org;",
		"proxy_pass http://127.0.0.1:9000;", "proxy_pass http://unix:app.sock:;", "listen [::1]:8081;",
		`add_header X-Frame-Options "DENY";`, "return 301 https://example.org$request_uri;",
		"location /x { return 204; }", "client_max_body_size 20m;",
	} {
		if !strings.Contains(conf, want) {
			t.Errorf("no %q in\n%s", want, conf)
		}
	}
	testenv.Need(t, "nginx")
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "logs"), 0o755); err != nil {
		t.Fatal(err)
	}
	p := filepath.Join(dir, "nginx.conf")
	// Only a user that is there can be asked for, and ports only once.
	if err := os.WriteFile(p, []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("nginx", "-t", "-q", "-e", "stderr", "-p", dir, "-c", p).CombinedOutput(); err != nil {
		t.Errorf("nginx -t: %v\n%s\n%s", err, out, conf)
	}
}

// TestPostgresqlQuotes has names and values that want quoting.
func TestPostgresqlQuotes(t *testing.T) {
	t.Parallel()
	tr := build(t, `host "h" {
}
config "postgresql" {
  enable    = true
  version   = 16
  listen    = ["127.0.0.1", "::1"]
  settings  = { search_path = "'$user', public" }
  roles     = { my-app = { os_user = "www-data", createdb = true } }
  databases = { my-app = { owner = "my-app" } }
}
`)
	conf := file(t, tr, "unitgen.d/postgresql/postgresql.conf")
	for _, want := range []string{"listen_addresses = '127.0.0.1,::1'", "search_path = '''$user'', public'"} {
		if !strings.Contains(conf, want) {
			t.Errorf("no %q in\n%s", want, conf)
		}
	}
	sql := file(t, tr, "unitgen.d/postgresql/ensure.sql")
	for _, want := range []string{`CREATE ROLE "my-app" LOGIN`, `ALTER ROLE "my-app" NOSUPERUSER CREATEDB;`, `CREATE DATABASE "my-app" OWNER "my-app"`} {
		if !strings.Contains(sql, want) {
			t.Errorf("no %q in\n%s", want, sql)
		}
	}
	if got := file(t, tr, "unitgen.d/postgresql/roles"); got != "postgres postgres\nwww-data my-app\n" {
		t.Errorf("roles: %q", got)
	}
	masked := false
	for _, u := range tr.Distro {
		masked = masked || u.Name == "postgresql@.service" && u.Mask
	}
	if !masked {
		t.Error("postgresql@.service is not masked")
	}
}
