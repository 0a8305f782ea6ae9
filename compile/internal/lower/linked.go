package lower

import (
	"path"

	"github.com/unitgen/unitgen/compile/internal/eval"
	"github.com/unitgen/unitgen/compile/internal/index"
	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitname"
)

var stringList = eval.Type("list(string)")

// linkAttrs are the attributes that link a unit into the directories of others
// without an [Install] section.
var linkAttrs = []struct{ attr, suffix string }{
	{"wanted_by", ".wants"},
	{"required_by", ".requires"},
	{"upheld_by", ".upholds"},
}

// linked makes the links that aliases, wanted_by, required_by and upheld_by of
// a unit ask for. target is what a link beside the unit points to.
func (l *lowering) linked(thing, name string, scope tree.Scope, place tree.Place, target string, contribs []eval.Contrib) {
	dir := tree.UnitDir(place, scope)
	origin := syntax.Range(contribs[0].Header())
	add := func(to, target string) {
		l.t.Links = append(l.t.Links, &tree.Link{Path: path.Join(dir, to), Target: target, Origin: origin})
	}
	for _, alias := range l.unitNames(thing, "aliases", contribs) {
		if alias == name {
			l.err("E0602", "Invalid unit name", l.attrAt(thing, "aliases", stringList, contribs), "%s is the unit's own name, not an alias. Leave it out.", alias)
			continue
		}
		if unitname.Type(alias) != unitname.Type(name) {
			l.err("E0602", "Invalid unit name", l.attrAt(thing, "aliases", stringList, contribs), "%q cannot be an alias of %s: an alias is another name of the same unit type. Write a name that ends in .%s.", alias, name, unitname.Type(name))
			continue
		}
		add(alias, target)
	}
	up := target
	if !path.IsAbs(target) {
		up = path.Join("..", target)
	}
	for _, x := range linkAttrs {
		for _, by := range l.unitNames(thing, x.attr, contribs) {
			add(path.Join(by+x.suffix, name), up)
		}
	}
}

// unitNames evaluates an attribute that lists unit names.
func (l *lowering) unitNames(thing, attr string, contribs []eval.Contrib) []string {
	v, at, set, ok := l.e.Attr(thing, attr, stringList, contribs)
	if !ok || !set {
		return nil
	}
	v, _ = v.UnmarkDeep()
	if v.IsNull() || !v.IsKnown() {
		return nil
	}
	var out []string
	for it := v.ElementIterator(); it.Next(); {
		_, x := it.Element()
		if x.IsNull() || !unitname.Valid(x.AsString()) {
			what := "null"
			if !x.IsNull() {
				what = x.AsString()
			}
			l.err("E0602", "Invalid unit name", at, "%s", index.BadUnitName(what))
			continue
		}
		out = append(out, x.AsString())
	}
	return out
}
