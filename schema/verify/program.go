package verify

import (
	"bufio"
	"bytes"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/load"
)

// searchPath is where systemd looks for programs that are named without a
// path (systemd.exec(5), ExecSearchPath=).
var searchPath = []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}

// programs complains of programs that are not in the sysroot, and advises on
// accounts that are not there.
func (c *checker) programs(u *load.Unit) {
	if text(u, "RootDirectory") != "" || text(u, "RootImage") != "" {
		return // they are looked for in another root
	}
	for _, name := range sortedKeys(u.Commands) {
		for _, cmd := range u.Commands[name] {
			if strings.Contains(cmd.Prefix, "-") || c.program(cmd.Path) {
				continue
			}
			if cmd.Path == "unitgen" {
				c.add(diag.Errorf(CodeProgram, "Missing program", cmd.Pos,
					"%s runs unitgen at boot, to decrypt credentials, and it is in none of %s below %s. Copy the unitgen that you use to /usr/local/bin/unitgen there.", u.Name, strings.Join(searchPath, ", "), c.opt.Sysroot))
				continue
			}
			c.add(diag.Errorf(CodeProgram, "Missing program", cmd.Pos,
				"%s= of %s runs %s, which is no executable file below %s. Install the package that brings it, correct the path, or put \"-\" before it if it may be missing.", name, u.Name, cmd.Path, c.opt.Sysroot))
		}
	}
	for _, x := range [][2]string{{"User", "passwd"}, {"Group", "group"}} {
		who := text(u, x[0])
		if who == "" || strings.Trim(who, "0123456789") == "" || flag(u, "DynamicUser") || strings.Contains(who, "%") {
			continue
		}
		if !c.account(x[1], who) {
			c.add(&diag.Diagnostic{Severity: diag.Advice, Code: CodeAccount, Summary: "Missing account", Subject: at(u, "", x[0]),
				Detail: x[0] + "=" + who + " of " + u.Name + " is not in /etc/" + x[1] + " below " + c.opt.Sysroot + ". Declare it with a user or group block, or install the package that makes it."})
		}
	}
}

func sortedKeys(m map[string][]load.Command) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// program reports whether a program exists and may be executed. Links are
// followed inside the sysroot.
func (c *checker) program(p string) bool {
	if !path.IsAbs(p) {
		return slices.ContainsFunc(searchPath, func(d string) bool { return c.program(path.Join(d, p)) })
	}
	real, err := inRoot(c.opt.Sysroot, p, 0)
	if err != nil {
		return false
	}
	st, err := os.Lstat(filepath.Join(c.opt.Sysroot, real))
	return err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0
}

// inRoot follows the links of a path without leaving the root.
func inRoot(root, p string, hops int) (string, error) {
	if hops > 40 {
		return "", fs.ErrInvalid
	}
	done := "/"
	parts := strings.Split(strings.Trim(path.Clean(p), "/"), "/")
	for i, part := range parts {
		next := path.Join(done, part)
		target, err := os.Readlink(filepath.Join(root, next))
		if err != nil {
			if _, err := os.Lstat(filepath.Join(root, next)); err != nil {
				return "", err
			}
			done = next
			continue
		}
		if !path.IsAbs(target) {
			target = path.Join(done, target)
		}
		return inRoot(root, path.Join(append([]string{target}, parts[i+1:]...)...), hops+1)
	}
	return done, nil
}

// account reports whether a user or group is known below the sysroot: in its
// passwd or group file, or in a sysusers.d file.
func (c *checker) account(file, who string) bool {
	real, err := inRoot(c.opt.Sysroot, "/etc/"+file, 0)
	if err != nil {
		return true // without the file nothing is known
	}
	data, err := os.ReadFile(filepath.Join(c.opt.Sysroot, real))
	if err != nil {
		return true
	}
	s := bufio.NewScanner(bytes.NewReader(data))
	for s.Scan() {
		if strings.HasPrefix(s.Text(), who+":") {
			return true
		}
	}
	for _, dir := range []string{"/etc/sysusers.d", "/run/sysusers.d", "/usr/lib/sysusers.d"} {
		matches, _ := filepath.Glob(filepath.Join(c.opt.Sysroot, dir, "*.conf"))
		for _, m := range matches {
			if data, err := os.ReadFile(m); err == nil && declares(string(data), who) {
				return true
			}
		}
	}
	return false
}

// declares reports whether a sysusers.d file makes an account.
func declares(text, who string) bool {
	for _, l := range strings.Split(text, "\n") {
		f := strings.Fields(l)
		if len(f) >= 2 && (strings.HasPrefix(f[0], "u") || strings.HasPrefix(f[0], "g")) && f[1] == who {
			return true
		}
	}
	return false
}
