package lower

import (
	"github.com/unitgen/unitgen/compile/internal/eval"
	"github.com/unitgen/unitgen/schema/diag"
)

// offAt gives the places that switch a declared unit off: enable = false, or
// else the blocks whose conditions do not hold.
func (l *lowering) offAt(name string) []diag.Related {
	var out []diag.Related
	for _, u := range l.e.Units() {
		if u.Name != name {
			continue
		}
		active, ok := l.e.ActiveContribs(u)
		if !ok {
			return nil
		}
		if len(active) > 0 {
			if v, at, set, ok := l.e.MarkedAttr(u.Name, "enable", eval.Type("bool"), active); ok && set {
				if raw, _ := v.Unmark(); raw.False() {
					out = append(out, related("switched off here", at))
				}
			}
			continue
		}
		for _, c := range u.Contribs {
			out = append(out, related("declared here, under a condition that does not hold", c.Header()))
		}
	}
	return out
}
