package lower

import (
	"fmt"
	"path"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/unitgen/unitgen/compile/internal/eval"
	"github.com/unitgen/unitgen/compile/internal/index"
	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitname"
)

// scopeOf reads the literal scope of a block that is no unit block.
func (l *lowering) scopeOf(c eval.Contrib) tree.Scope {
	if c.Gen != nil {
		if a := c.Gen.Attr("scope"); a != nil && a.Value.Type() == stringType.Cty() && !a.Value.IsNull() && a.Value.AsString() == "user" {
			return tree.User
		}
		return tree.System
	}
	a := c.Block.Attr("scope")
	if a == nil {
		return tree.System
	}
	s, ok := syntax.StringOf(a.Expr())
	if !ok || s != "system" && s != "user" {
		l.err("E0218", "Not a literal", a.Expr().Range(), `scope is read before anything is evaluated: write scope = "system" or scope = "user".`)
		return tree.System
	}
	return tree.Scope(s)
}

// dropIns makes the drafts of dropin blocks. Blocks with the same unit and
// name are one drop-in. The unit is the label, or what the attribute unit says:
// with for_each each instance may have its own.
func (l *lowering) dropIns() []*draft {
	groups := l.e.Groups("dropin", func(c eval.Contrib, label string) (string, bool) {
		name := "unitgen"
		if c.Gen != nil {
			if a := c.Gen.Attr("name"); a != nil && !a.Value.IsNull() && a.Value.Type() == stringType.Cty() {
				name = a.Value.AsString()
			}
		} else if c.Block.Attr("name") != nil {
			v, at, set, ok := l.e.Attr(fmt.Sprintf("dropin[%q]", label), "name", stringType, []eval.Contrib{c})
			if !ok {
				return "", false
			}
			if set {
				name = v.AsString()
			}
			if fault := PathFault(name); fault != "" || strings.Contains(name, "/") {
				l.err("E0608", "Path is refused", at, "%q cannot be the name of a drop-in: it is one file name without .conf.", name)
				return "", false
			}
		}
		if c.Gen == nil && c.Block.Attr("unit") != nil {
			v, _, set, ok := l.e.Attr(fmt.Sprintf("dropin[%q]", label), "unit", stringType, []eval.Contrib{c})
			if !ok {
				return "", false
			}
			if set {
				label = v.AsString()
			}
		}
		return strings.Join([]string{string(l.scopeOf(c)), label, strings.TrimSuffix(name, ".conf"), l.e.PlaceOf(c)}, "\x00"), true
	})
	var out []*draft
	for _, g := range groups {
		parts := strings.Split(g.Name, "\x00")
		scope, label, name := tree.Scope(parts[0]), parts[1], parts[2]
		at := l.attrAt(fmt.Sprintf("dropin[%q]", label), "unit", stringType, g.Contribs)
		kind := dropInKind(label)
		if kind == "" {
			l.err("E0602", "Invalid unit name", at, "%q is no unit to drop something into. Write a full unit name (\"nginx.service\"), a prefix (\"app-.service\") or a type (\"service\"); under a label of its own a drop-in says unit = \"nginx.service\".", label)
			continue
		}
		if len(label) > unitname.MaxLen {
			l.err("E0602", "Invalid unit name", at, "%s", index.BadUnitName(label))
			continue
		}
		d := &draft{name: label, kind: kind, dropIn: name, scope: scope, at: tree.Place(parts[3]), origin: syntax.Range(g.Contribs[0].Header())}
		d.path = path.Join(tree.UnitDir(d.at, scope), label+".d", name+".conf")
		if !l.policy(fmt.Sprintf("dropin[%q]", label), g.Contribs, d) {
			continue
		}
		if mask, _, _ := l.e.Bool(fmt.Sprintf("dropin[%q]", label), "mask", g.Contribs, false); mask {
			l.t.Links = append(l.t.Links, &tree.Link{Path: d.path, Target: "/dev/null", Origin: d.origin})
			continue
		}
		l.dropInLines(kind, g, d)
		for _, x := range l.creds[string(scope)+"/"+label] {
			d.lines = append(d.lines, l.extra(kind, x))
		}
		delete(l.creds, string(scope)+"/"+label)
		d.origins(g.Contribs)
		out = append(out, d)
	}
	return append(out, l.credentialDropIns()...)
}

// dropInKind gives the unit type that a drop-in's label is for, or "".
func dropInKind(label string) string {
	for _, t := range unitname.Types {
		if label == t {
			return t
		}
	}
	if unitname.Valid(label) {
		return unitname.Type(label)
	}
	return ""
}

func (l *lowering) dropInLines(kind string, g *eval.Group, d *draft) {
	u := &eval.Unit{Name: d.name, Kind: kind, Scope: d.scope, Place: d.at, Contribs: g.Contribs}
	before := len(d.lines)
	l.directives(u, g.Contribs, d)
	// force on a list empties what the unit file itself sets.
	added := d.lines[before:]
	lines := append([]line(nil), d.lines[:before]...)
	for _, ln := range added {
		if ln.first && ln.fact.List() && ln.fact.Row != nil {
			if v, ok := l.e.Directive(u, ln.fact, ln.name); ok && v.Forced && ln.value != "" {
				lines = append(lines, line{fact: ln.fact, value: "", at: ln.at, name: ln.name, ours: true})
			}
		}
		lines = append(lines, ln)
	}
	for _, c := range g.Contribs {
		for _, s := range l.e.Sources(kind, c) {
			if s.Fact.Row == nil || !s.Fact.Row.List {
				continue
			}
			has := false
			for _, ln := range added {
				has = has || ln.fact == s.Fact
			}
			if has {
				continue
			}
			at := nameRange(s)
			if v, ok := l.e.Directive(u, s.Fact, at); ok && v.Forced && len(v.Values) == 0 {
				added = append(added, line{fact: s.Fact})
				lines = append(lines, line{fact: s.Fact, value: "", at: at, name: at, ours: true, first: true})
			}
		}
	}
	d.lines = lines
}

// instances makes the instances of instance blocks.
func (l *lowering) instances() {
	for _, g := range l.e.Groups("instance", func(c eval.Contrib, name string) (string, bool) {
		return string(l.scopeOf(c)) + "/" + name, true
	}) {
		scope, name, _ := strings.Cut(g.Name, "/")
		at := labelAt(g.Contribs[0])
		if !unitname.Valid(name) || unitname.Template(name) == "" {
			l.err("E0605", "Not an instance of a template", at, "The label of an instance block is the full name of an instance, such as \"worker@one.service\", not %q.", name)
			continue
		}
		enable, _, ok := l.e.Bool(fmt.Sprintf("instance[%q]", name), "enable", g.Contribs, true)
		if !ok {
			continue
		}
		l.linked(fmt.Sprintf("instance[%q]", name), name, tree.Scope(scope), tree.Etc, unitname.Template(name), g.Contribs)
		l.t.Instances = append(l.t.Instances, &tree.Instance{Name: name, Scope: tree.Scope(scope), Enable: enable, Origin: syntax.Range(g.Contribs[0].Header())})
		tmpl := unitname.Template(name)
		found := false
		for _, u := range l.t.Units {
			found = found || u.Name == tmpl && string(u.Scope) == scope
		}
		for _, u := range l.t.Distro {
			found = found || u.Name == tmpl
		}
		if enable && !found {
			l.err("E0605", "Not an instance of a template", at, "The template %s of %s is not in the tree. Declare it: %s %q { … }.", tmpl, name, unitname.Type(tmpl), strings.TrimSuffix(tmpl, "."+unitname.Type(tmpl)))
		}
	}
}

// actions makes a oneshot of each action block: unitgen-action-UNIT-NAME.service.
func (l *lowering) actions() []*draft {
	var out []*draft
	for _, g := range l.e.Groups("action", func(c eval.Contrib, name string) (string, bool) {
		return string(l.scopeOf(c)) + "\x00" + c.Block.Module.Name + "\x00" + name, true
	}) {
		parts := strings.Split(g.Name, "\x00")
		scope, module, name := tree.Scope(parts[0]), parts[1], parts[2]
		thing := fmt.Sprintf("action[%q]", name)
		unit, ok := l.str(thing, "unit", stringType, g.Contribs, "")
		if !ok {
			continue
		}
		of := module
		if unit != "" {
			of = strings.TrimSuffix(unit, "."+unitname.Type(unit))
		}
		if of == "" {
			of = "host"
		}
		full := ActionUnit(of, name)
		if !unitname.Valid(full) {
			l.err("E0602", "Invalid unit name", labelAt(g.Contribs[0]), "The action becomes the unit %q, which is no unit name. Use letters, digits, _ and - for the action.", full)
			continue
		}
		d := &draft{name: full, kind: "service", scope: scope, at: tree.Etc, origin: syntax.Range(g.Contribs[0].Header())}
		d.path = path.Join(tree.UnitDir(tree.Etc, scope), full)
		u := &eval.Unit{Name: full, Kind: "service", Scope: scope, Place: tree.Etc, Contribs: g.Contribs}
		l.directives(u, g.Contribs, d)
		at := g.Contribs[0].Header()
		l.standard(d, at, "Type", "oneshot")
		l.standard(d, at, "Description", "Action "+name+" of "+of)
		if unit != "" && unitname.Valid(unit) {
			l.standard(d, l.attrAt(thing, "unit", stringType, g.Contribs), "After", unit)
			l.inherit(d, scope, unit)
		}
		if !l.runs(d) {
			l.lacks(g, "E0204", "Attribute is missing", at, "action %q has no command. Add ExecStart = \"/path/to/program …\", which it runs.", name)
			continue
		}
		d.lines = append(d.lines, line{fact: l.e.SectionFact("service", "Unit", "X-OnlyManualStart"), value: "true", at: at, name: at, ours: true})
		d.origins(g.Contribs)
		out = append(out, d)
	}
	return out
}

// ActionUnit gives the unit that `ctl action UNIT NAME` starts.
func ActionUnit(of, name string) string { return "unitgen-action-" + of + "-" + name + ".service" }

// runs reports whether a draft of a service has a command; one whose value was
// refused has been reported already.
func (l *lowering) runs(d *draft) bool {
	for _, ln := range d.lines {
		if ln.fact.Name == "ExecStart" {
			return true
		}
	}
	return l.diags.HasErrors() || l.e.Diags.HasErrors()
}

// standard adds a directive where the block does not set it.
func (l *lowering) standard(d *draft, at hcl.Range, name, val string) {
	for _, ln := range d.lines {
		if ln.fact.Name == name {
			return
		}
	}
	d.lines = append(d.lines, line{fact: l.e.Fact("service", name), value: val, at: at, name: at, first: true})
}

// inherited are the directives that an action takes from its unit, so that it
// runs as the same user in the same place.
var inherited = []string{"User", "Group", "SupplementaryGroups", "DynamicUser", "WorkingDirectory", "Environment", "EnvironmentFile", "StateDirectory", "LoadCredential"}

func (l *lowering) inherit(d *draft, scope tree.Scope, unit string) {
	if unitname.Type(unit) != "service" {
		return
	}
	for _, u := range l.e.Units() {
		if u.Name != unit || u.Scope != scope {
			continue
		}
	next:
		for _, name := range inherited {
			for _, ln := range d.lines {
				if ln.fact.Name == name {
					continue next
				}
			}
			v, ok := l.e.Directive(u, l.e.Fact("service", name), hcl.Range{})
			if !ok {
				continue
			}
			for i, t := range v.Values {
				d.lines = append(d.lines, line{fact: v.Fact, value: t.Text, at: t.At, name: t.At, first: i == 0})
			}
		}
	}
}
