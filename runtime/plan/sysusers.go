package plan

import (
	"os"
	"path/filepath"
	"strings"
)

// declared gives the users and groups that the tree's sysusers.d files make
// (sysusers.d(5): lines of type u and g; a user brings the group of its name).
func (t *Tree) declared() []string {
	var out []string
	for p := range t.files {
		if !strings.HasPrefix(p, "etc/sysusers.d/") || !strings.HasSuffix(p, ".conf") {
			continue
		}
		b, err := os.ReadFile(filepath.Join(t.dir, filepath.FromSlash(p)))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if len(f) > 1 && (strings.HasPrefix(f[0], "u") || strings.HasPrefix(f[0], "g")) {
				out = append(out, strings.Trim(f[1], `"'`))
			}
		}
	}
	return out
}
