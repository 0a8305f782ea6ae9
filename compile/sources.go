package compile

import (
	"path"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitfile"
)

// sourcesOf gathers where every part of a tree was defined.
func sourcesOf(t *tree.Tree) Sources {
	out := Sources{}
	unit := func(p string, origin diag.Range, f *unitfile.File) {
		m := map[string][]diag.Range{"": {origin}}
		out[p] = m
		if f == nil {
			return
		}
		for i := range f.Lines {
			if l := &f.Lines[i]; l.Kind == unitfile.Assignment && !l.Origin.IsZero() {
				k := l.Section + "/" + l.Key
				m[k] = append(m[k], l.Origin)
			}
		}
	}
	for _, u := range t.Units {
		unit(path.Join(tree.UnitDir(u.Place, u.Scope), u.Name), u.Origin, u.File)
	}
	for _, d := range t.DropIns {
		unit(path.Join(tree.UnitDir(d.Place, d.Scope), d.Unit+".d", d.Name+".conf"), d.Origin, d.File)
	}
	for _, f := range t.Files {
		m := map[string][]diag.Range{"": {f.Origin}}
		for k, r := range f.Keys {
			m[k] = []diag.Range{r}
		}
		out[f.Path] = m
	}
	return out
}
