package eval

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/index"
	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitname"
)

// ref is what a traversal names, found without evaluating anything.
type ref struct {
	kind  refKind
	opt   *index.Option
	local *index.Local
	key   index.Key // of a unit, when its label is declared
	name  string    // label of a unit or path of an etc file, host name
	found bool      // the label is declared; else only dynamic names may know it
	steps int       // steps of the traversal that name it
}

type refKind uint8

const (
	refVar refKind = iota
	refEach
	refHost
	refHosts
	refOption
	refLocal
	refUnit
	refEtc
)

// roots are the first words of references, for suggestions.
func (e *Evaluator) roots(s *Scope) []string {
	out := append([]string{"option", "config", "local", "host", "hosts", "etc"}, unitname.Types...)
	if s.Each != nil {
		out = append(out, "each")
	}
	for n := range s.Vars {
		out = append(out, n)
	}
	return out
}

func isUnitKind(name string) bool {
	for _, t := range unitname.Types {
		if t == name {
			return true
		}
	}
	return false
}

// find says what a traversal names, or reports that it names nothing.
func (e *Evaluator) find(s *Scope, t hcl.Traversal) (ref, bool) {
	root := stepName(t[0])
	at := t.SourceRange()
	if _, ok := s.Vars[root]; ok {
		return ref{kind: refVar, name: root, steps: 1}, true
	}
	switch root {
	case "each":
		if s.Each == nil {
			e.err("E0305", "Unknown name", at, "each.key and each.value exist only in a block with for_each. Add for_each, or name the value.")
			return ref{}, false
		}
		return ref{kind: refEach, steps: 1}, true
	case "host":
		return ref{kind: refHost, steps: 1}, true
	case "hosts":
		return e.findHosts(t)
	case "option":
		if len(t) < 2 {
			return e.tooShort(t, "option.NAME")
		}
		return e.findOption(s.Module, t, 1)
	case "config":
		if len(t) < 3 {
			return e.tooShort(t, "config.MODULE.OPTION")
		}
		ns := stepName(t[1])
		m := e.IX.ByName[ns]
		if m == nil {
			if _, off := e.IX.Set.Off[ns]; off {
				e.err("E0302", "Unknown module", t[1].SourceRange(), "The module %q is left out by the host (host.disable). Remove it there, or remove this reference.", ns)
			} else {
				e.err("E0302", "Unknown module", t[1].SourceRange(), "%s", e.IX.NoModule(ns))
			}
			return ref{}, false
		}
		return e.findOption(m, t, 2)
	case "local":
		if len(t) < 2 {
			return e.tooShort(t, "local.NAME")
		}
		name := stepName(t[1])
		l := s.Module.Locals[name]
		if l == nil {
			var names []string
			for n := range s.Module.Locals {
				names = append(names, n)
			}
			e.err("E0305", "Unknown name", t[1].SourceRange(), "There is no local %q in this module.%s Declare it in locals { %s = … }.", name, suggestion(name, names), name)
			return ref{}, false
		}
		return ref{kind: refLocal, local: l, steps: 2}, true
	case "etc":
		if len(t) < 2 {
			return e.tooShort(t, `etc["path/below/etc"]`)
		}
		return e.findEtc(t)
	}
	if isUnitKind(root) {
		if len(t) < 2 {
			return e.tooShort(t, root+".NAME, with the name written out")
		}
		return e.findUnit(s, root, t)
	}
	e.unknownRoot(s, root, t)
	return ref{}, false
}

func suggestion(name string, names []string) string {
	if len(name) < 2 {
		return ""
	}
	if near := types.Suggest(name, names); near != "" {
		return fmt.Sprintf(" Did you mean %q?", near)
	}
	return ""
}

func known(prefix string, names []string) string {
	if len(names) == 0 || len(names) > 20 {
		return ""
	}
	sort.Strings(names)
	return prefix + strings.Join(names, ", ") + "."
}

func (e *Evaluator) tooShort(t hcl.Traversal, usage string) (ref, bool) {
	e.err("E0305", "Unknown name", t.SourceRange(), "%q alone is no value. Write %s.", stepName(t[0]), usage)
	return ref{}, false
}

func (e *Evaluator) unknownRoot(s *Scope, root string, t hcl.Traversal) {
	at := t.SourceRange()
	switch {
	case root != "" && strings.ToUpper(root) == root && strings.ToLower(root) != root:
		e.err("E0305", "Unknown name", at, "There is no value %q. For an environment variable that the running command shall see, write $${%s} or $%s; ${…} is an expression of this language.", root, root, root)
	case s.Module.Options[root] != nil:
		e.err("E0305", "Unknown name", at, "There is no value %q. The option is read as option.%s.", root, root)
	case s.Module.Locals[root] != nil:
		e.err("E0305", "Unknown name", at, "There is no value %q. The local is read as local.%s.", root, root)
	case e.IX.ByName[root] != nil:
		e.err("E0305", "Unknown name", at, "There is no value %q. The module's options are read as config.%s.OPTION.", root, root)
	case len(t) == 1:
		e.err("E0305", "Unknown name", at, "There is no value %q.%s", root, e.plainWord(s, root))
	default:
		e.err("E0305", "Unknown name", at, "There is no value %q.%s", root, e.otherTongue(s, t))
	}
}

func (e *Evaluator) findOption(m *index.Module, t hcl.Traversal, i int) (ref, bool) {
	name := stepName(t[i])
	o := m.Options[name]
	if o != nil && o.RenamedTo != "" {
		next := e.IX.Renamed(o)
		if next == nil {
			return ref{}, false // reported where it is declared
		}
		if next.Removed == "" && !o.Alias {
			d := diag.Warnf("W0401", "Option was renamed", syntax.Range(t[i].SourceRange()), "%s is now %s. Read the new name.", o.Path(), next.Path())
			e.Diags = append(e.Diags, d)
		}
		o = next
	}
	if o == nil {
		e.err("E0303", "Unknown option", t[i].SourceRange(), "%s", e.IX.NoOption(m, name))
		return ref{}, false
	}
	if o.Removed != "" {
		d := e.err("E0404", "Option was removed", t.SourceRange(), "%s is gone: %s", o.Path(), o.Removed)
		d.Related = append(d.Related, related("removed here", o.Block.Header))
		return ref{}, false
	}
	return ref{kind: refOption, opt: o, steps: i + 1}, true
}

func (e *Evaluator) findUnit(s *Scope, kind string, t hcl.Traversal) (ref, bool) {
	label := stepName(t[1])
	scopes := []tree.Scope{tree.System, tree.User}
	for _, sc := range scopes {
		k := index.Key{Scope: sc, Kind: kind, Label: label}
		if len(e.IX.Units[k]) > 0 {
			return ref{kind: refUnit, key: k, name: label, found: true, steps: 2}, true
		}
	}
	r := ref{kind: refUnit, key: index.Key{Kind: kind, Label: label}, name: label, steps: 2}
	if kind == "target" && specialTargets[label] {
		return r, true
	}
	if e.aside && e.IX.DeclaredElsewhere(kind, label) {
		return r, true
	}
	if len(e.IX.Dynamic[kind]) > 0 || len(e.IX.Blocks["generate"]) > 0 || strings.Contains(label, "@") {
		return r, true
	}
	e.noUnit(kind, label, t)
	return ref{}, false
}

func (e *Evaluator) noUnit(kind, label string, t hcl.Traversal) {
	labels := e.IX.Labels(kind)
	if kind == "target" {
		labels = append(slices.Sorted(maps.Keys(specialTargets)), labels...)
	}
	detail := fmt.Sprintf("No block declares the %s %q.", kind, label)
	near := types.Suggest(label, labels)
	host := e.hostOf(kind, label)
	switch {
	case host != "":
		detail = fmt.Sprintf("The %s %q stands in the block of the host %q, and counts for that host alone. Move it to the top of the file, or read a shared option of that host.", kind, label, host)
	case near != "":
		detail += fmt.Sprintf(" Did you mean %q?", near)
	case strings.HasSuffix(label, "."+kind):
		detail += fmt.Sprintf(" References are without the suffix: %s[%q].", kind, strings.TrimSuffix(label, "."+kind))
	default:
		for _, other := range unitname.Types {
			for _, l := range e.IX.Labels(other) {
				if l == label && other != kind {
					detail += fmt.Sprintf(" There is a %s of that name: write %s.", other, Spell(hcl.Traversal{hcl.TraverseRoot{Name: other}, hcl.TraverseAttr{Name: label}}))
					e.err("E0312", "Reference to a unit that does not exist", t.SourceRange(), "%s", detail)
					return
				}
			}
		}
		detail += fmt.Sprintf(" Declare it, or name a unit that the distribution ships as a string: %q.", label+"."+kind)
	}
	e.err("E0312", "Reference to a unit that does not exist", t.SourceRange(), "%s", detail)
}

// hostOf gives the host whose block declares a unit, "" for none.
func (e *Evaluator) hostOf(kind, label string) string {
	for _, h := range e.IX.Set.Hosts {
		for _, b := range h.Block.Blocks {
			if b.Kind == kind && b.Label() == label {
				return h.Name
			}
		}
	}
	return ""
}

// specialTargets are targets of systemd.special(7) that target.NAME may name
// without a block.
var specialTargets = func() map[string]bool {
	m := map[string]bool{}
	for _, s := range strings.Fields("basic bluetooth cryptsetup ctrl-alt-del default emergency exit factory-reset final first-boot-complete getty getty-pre graphical graphical-session graphical-session-pre halt hibernate hybrid-sleep initrd local-fs local-fs-pre multi-user network network-online network-pre nss-lookup nss-user-lookup paths poweroff printer reboot remote-cryptsetup remote-fs remote-fs-pre rescue rpcbind shutdown sigpwr sleep slices smartcard sockets sound suspend swap sysinit system-update time-set time-sync timers umount usb-gadget veritysetup xdg-desktop-autostart") {
		m[s] = true
	}
	return m
}()

func (e *Evaluator) findEtc(t hcl.Traversal) (ref, bool) {
	name := stepName(t[1])
	if e.IX.EtcLabels[name] {
		return ref{kind: refEtc, name: name, found: true, steps: 2}, true
	}
	if len(e.IX.Dynamic["etc"]) > 0 || len(e.IX.Blocks["generate"]) > 0 || e.aside && e.IX.DeclaredElsewhere("etc", name) {
		return ref{kind: refEtc, name: name, steps: 2}, true
	}
	var labels []string
	for _, b := range e.IX.Blocks["etc"] {
		labels = append(labels, b.Label())
	}
	e.noEtc(name, labels, t)
	return ref{}, false
}

func (e *Evaluator) noEtc(name string, labels []string, t hcl.Traversal) {
	e.err("E0313", "Reference to a file that does not exist", t.SourceRange(), "No etc block declares %q.%s Paths are relative to /etc, as in etc[\"app/config.yaml\"].", name, suggestion(name, labels))
}

func (e *Evaluator) findHosts(t hcl.Traversal) (ref, bool) {
	if len(t) < 5 || stepName(t[2]) != "config" {
		return e.tooShort(t, "hosts.NAME.config.MODULE.OPTION")
	}
	name := stepName(t[1])
	var names []string
	for _, h := range e.IX.Set.Hosts {
		if h.Name == name {
			return ref{kind: refHosts, name: name, steps: 5}, true
		}
		names = append(names, h.Name)
	}
	e.err("E0212", "No such host", t[1].SourceRange(), "There is no host %q here.%s%s", name, suggestion(name, names), known(" The hosts are: ", names))
	return ref{}, false
}

// resolve gives the value that a traversal names and the steps that name it;
// the rest of the traversal goes into the value.
func (e *Evaluator) resolve(s *Scope, t hcl.Traversal) (cty.Value, []string, bool) {
	r, ok := e.find(s, t)
	if !ok {
		return cty.DynamicVal, nil, false
	}
	at := t.SourceRange()
	switch r.kind {
	case refVar:
		return s.Vars[r.name], e.steps(t, 1), true
	case refEach:
		return cty.ObjectVal(map[string]cty.Value{"key": s.Each.Key, "value": s.Each.Value}), e.steps(t, 1), true
	case refHost:
		return cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal(e.o.HostName), "systemd": cty.NumberIntVal(int64(e.o.Systemd)), "variant": cty.StringVal(e.o.Variant)}), e.steps(t, 1), true
	case refHosts:
		return e.peer(s, r, t)
	case refLocal:
		n := e.shared().locals[r.local]
		if n == nil && e.base != nil {
			e.missed = true
			return cty.DynamicVal, nil, false
		}
		if n == nil {
			n = &node{name: "local." + r.local.Attr.Name}
			e.locals[r.local] = n
		}
		v, ok := e.force(n, at, func() (cty.Value, bool) { return e.Eval(&Scope{Module: r.local.Module}, r.local.Attr.Expr()) })
		return v, e.steps(t, 2), ok
	case refOption:
		return e.readOption(r, t)
	case refUnit:
		return e.readUnit(s, r, t)
	case refEtc:
		if !r.found && !e.etcExists(r.name) {
			e.noEtc(r.name, nil, t)
			return cty.DynamicVal, nil, false
		}
		return cty.StringVal("/etc/" + r.name), e.steps(t, 2), true
	}
	return cty.DynamicVal, nil, false
}

func (e *Evaluator) steps(t hcl.Traversal, n int) []string {
	out := make([]string, n)
	for i := range n {
		out[i] = stepName(t[i])
	}
	if r, ok := t[0].(hcl.TraverseRoot); ok {
		out[0] = r.Name
	}
	return out
}

// readOption forces an option, going into maps and objects as far as the
// steps are literal, so that only the part that is read is evaluated.
func (e *Evaluator) readOption(r ref, t hcl.Traversal) (cty.Value, []string, bool) {
	p := e.optionNode(r.opt)
	i := r.steps
	for i < len(t) {
		name := stepName(t[i])
		if name == "" || p.state == running && !p.structural || !e.structured(p) {
			break
		}
		c, ok, exists := e.child(p, name, t[i].SourceRange())
		if !ok {
			return cty.DynamicVal, nil, false
		}
		if !exists {
			var keys []string
			if !p.hidden() {
				keys = e.keys(p)
			}
			e.noKey(t, i, name, keys)
			return cty.DynamicVal, nil, false
		}
		p = c
		i++
	}
	v, ok := e.value(p, t.SourceRange())
	return v, e.steps(t, i), ok
}

// peer reads an option of another host of the directory.
func (e *Evaluator) peer(s *Scope, r ref, t hcl.Traversal) (cty.Value, []string, bool) {
	if r.name == e.o.HostName {
		inner := append(hcl.Traversal{hcl.TraverseRoot{Name: "config", SrcRange: t[2].SourceRange()}}, t[3:]...)
		v, steps, ok := e.resolve(s, inner)
		if !ok {
			return v, nil, false
		}
		return v, e.steps(t, len(steps)+2), true
	}
	if e.o.Peer == nil {
		e.err("E0314", "Other host cannot be read", t.SourceRange(), "The options of other hosts cannot be read here.")
		return cty.DynamicVal, nil, false
	}
	other, diags := e.o.Peer(r.name)
	if other == nil || diags.HasErrors() {
		d := e.err("E0314", "Other host cannot be read", t.SourceRange(), "The host %q has errors of its own; see unitgen check --host %s.", r.name, r.name)
		for _, x := range diags {
			if len(d.Related) < 3 {
				d.Related = append(d.Related, relatedOf(x))
			}
		}
		return cty.DynamicVal, nil, false
	}
	before, own := len(other.Diags), len(e.Diags)
	m := other.IX.ByName[stepName(t[3])]
	if m == nil || m.Options[stepName(t[4])] == nil {
		e.err("E0303", "Unknown option", t[4].SourceRange(), "The host %q has no option config.%s.%s.", r.name, stepName(t[3]), stepName(t[4]))
		return cty.DynamicVal, nil, false
	}
	o := m.Options[stepName(t[4])]
	if !o.Shared {
		d := e.err("E0315", "Option is not shared", t.SourceRange(), "Other hosts may read only options that are declared with shared = true. Add it to the option %s.", o.Path())
		d.Related = append(d.Related, related("declared here", o.Block.Header))
		return cty.DynamicVal, nil, false
	}
	v, ok := other.value(other.optionNode(o), t.SourceRange())
	if !ok && len(e.Diags) > own {
		return cty.DynamicVal, nil, false // the way led back here, and is reported
	}
	if !ok {
		d := e.err("E0314", "Other host cannot be read", t.SourceRange(), "The option %s of the host %q has no value; see unitgen check --host %s.", o.Path(), r.name, r.name)
		for _, x := range other.Diags[before:] {
			if len(d.Related) < 3 {
				d.Related = append(d.Related, relatedOf(x))
			}
		}
		return cty.DynamicVal, nil, false
	}
	return v, e.steps(t, 5), true
}

// Reads gives the references to units that were read since the last call.
func (e *Evaluator) takeReads() []Read {
	r := e.reads
	e.reads = nil
	return r
}

var _ = syntax.Range
