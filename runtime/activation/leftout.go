package activation

import (
	"path/filepath"
	"strings"

	"github.com/unitgen/unitgen/emit"
	"github.com/unitgen/unitgen/schema/tree"
)

// leftOut names what the new tree has and an ordinary user, or the bundled
// manager, does not bring about.
func (a *Activation) leftOut() []string {
	ofUser := a.o.Place != nil && a.o.Place.User != ""
	bundled := a.o.Place == nil && len(a.o.Targets) > 0
	var out []string
	for _, l := range []struct {
		lacks     bool
		dir, what string
	}{
		{a.o.Unprivileged, "etc/sysusers.d", "users and groups (sysusers.d) are not made: that takes root"},
		{a.o.Unprivileged || bundled, "etc/sysctl.d", "kernel settings (sysctl.d) are not applied: that takes systemd, and root"},
		{ofUser, "etc/tmpfiles.d", "temporary files (tmpfiles.d) are not made: that takes root"},
	} {
		if files, err := filepath.Glob(filepath.Join(a.new.Dir(), l.dir, "*")); l.lacks && err == nil && len(files) > 0 {
			out = append(out, l.what)
		}
	}
	if m, err := emit.ReadManifest(a.new.Dir()); ofUser && err == nil {
		for _, d := range m.Disabled {
			if d.Scope == tree.User {
				out = append(out, d.Unit+" is not disabled: what enables it is yours or the administrator's; systemctl --user disable "+d.Unit)
			}
		}
	}
	if units := a.new.UnitNames(tree.System); ofUser && len(units) > 0 {
		few := units
		more := ""
		if len(few) > 3 {
			few, more = few[:3], ", …"
		}
		out = append(out, "units of the system scope ("+strings.Join(few, ", ")+more+") are not activated: systemd --user runs those of the user scope")
	}
	return out
}
