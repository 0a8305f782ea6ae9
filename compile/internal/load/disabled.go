package load

import (
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/schema/diag"
)

// near suggests the name that is meant, as a sentence to append.
func near(name string, names []string) string {
	if s := types.Suggest(name, names); s != "" {
		return fmt.Sprintf(" Did you mean %q?", s)
	}
	return ""
}

// disabled reports names in the host's disable that no module has.
func (l *loader) disabled() {
	var off []string
	for name := range l.set.Off {
		off = append(off, name)
	}
	sort.Strings(off)
	for _, name := range off {
		if l.left[name] || l.comesWithUs(name) {
			continue
		}
		if m := l.set.ByName[name]; m != nil && m.Host {
			l.diags = append(l.diags, diag.Errorf("E0302", "Unknown module", l.set.Off[name], "%q is the host's own module, which cannot be left out. Remove it from disable; to leave a block out write when = false in it.", name))
			continue
		}
		var names []string
		for n, m := range l.set.ByName {
			if !m.Host {
				names = append(names, n)
			}
		}
		for n := range l.left {
			names = append(names, n)
		}
		sort.Strings(names)
		what := near(name, names)
		if what == "" && len(names) > 0 {
			what = " The modules are: " + strings.Join(names, ", ") + "."
		}
		l.diags = append(l.diags, diag.Errorf("E0302", "Unknown module", l.set.Off[name], "disable leaves out the module %q, and no import has that name.%s Correct the name, or remove it.", name, what))
	}
}

// comesWithUs reports whether a module is bundled.
func (l *loader) comesWithUs(name string) bool {
	if l.o.Bundled == nil || !fs.ValidPath(name) || name != path.Base(filepath.ToSlash(name)) || name == "." {
		return false
	}
	st, err := fs.Stat(l.o.Bundled, name)
	return err == nil && st.IsDir()
}
