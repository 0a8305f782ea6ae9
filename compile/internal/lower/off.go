package lower

import (
	"slices"
	"strings"

	"github.com/unitgen/unitgen/compile/internal/eval"
	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/directive"
	"github.com/unitgen/unitgen/schema/unitname"
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

// offBlocks checks the directives of blocks that are off, make no instance, or
// stand in a variant that is not built: their names, and the values that are written out. The version of systemd is
// none of it, since a condition may be there for its sake.
func (l *lowering) offBlocks() {
	for _, b := range append(l.e.Off(), l.e.IX.Elsewhere...) {
		kind := ""
		switch {
		case b.Kind == "action":
			kind = "service"
		case b.Kind == "dropin":
			kind = dropInKind(b.Label())
		case slices.Contains(unitname.Types, b.Kind):
			kind = b.Kind
		}
		if kind == "" {
			continue
		}
		d := &draft{name: b.Label(), kind: kind, scope: l.scopeOf(eval.Contrib{Block: b}), origin: diag.Range{}}
		for _, s := range l.e.Sources(kind, eval.Contrib{Block: b}) {
			if texts, ok := eval.Literal(s); ok {
				for i, t := range texts {
					d.lines = append(d.lines, line{fact: s.Fact, value: t.Text, at: t.At, name: nameRange(s), plain: s.Plain, first: i == 0})
				}
			} else if s.Fact.Row == nil && !s.Fact.Extra && !s.Plain {
				d.lines = append(d.lines, line{fact: s.Fact, at: nameRange(s), name: nameRange(s), first: true})
			}
		}
		d.build(Options{Systemd: directive.Newest})
		for _, x := range d.diags {
			if x.Severity == diag.Error && !strings.HasPrefix(x.Code, "E0502") {
				l.diags = append(l.diags, x)
			}
		}
	}
}
