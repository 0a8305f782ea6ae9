package index

import (
	"fmt"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/schema/directive"
	"github.com/unitgen/unitgen/schema/unitname"
)

// spec is what a kind of block may hold.
type spec struct {
	label  string // what the label is; "" for none
	attrs  string // attributes that are ours
	need   string // of them, those that must be there
	unit   bool   // a unit: directives are allowed
	direct bool   // directives are allowed in another block (dropin, action)
	free   bool   // any attribute is allowed (config, locals)
	named  bool   // name gives the final name
	inner  bool   // top-level blocks may stand in it
	blocks string // nested blocks
	where  string // blocks it may stand in; "" for the top level, variant and host
}

// unitAttrs are the attributes of ours on every unit block.
const unitAttrs = "when for_each name scope enable mask install aliases wanted_by required_by upheld_by restart_if_changed stop_if_changed reload_if_changed restart_triggers reload_triggers stop_on_removal only_manual_start stop_on_reconfiguration not_socket_activated inhibit_switch"

const fileAttrs = "when for_each name text source json yaml toml ini jsonnet input mode owner group enable real"

var specs = map[string]*spec{
	"host":     {label: "name of the host", attrs: "systemd imports disable provides reads description units etc", inner: true},
	"module":   {label: "name of the module", attrs: "description when imports"},
	"option":   {label: "name of the option", attrs: "type default description example check message deprecated renamed_to alias_of apply removed internal read_only required merge shared"},
	"config":   {label: "name of the module", free: true},
	"locals":   {free: true},
	"unit":     {label: "full name of the unit", attrs: "when for_each name scope enable mask from target aliases wanted_by required_by upheld_by", named: true},
	"dropin":   {label: "full name of the unit", attrs: "when for_each name unit scope enable mask restart_if_changed stop_if_changed reload_if_changed restart_triggers reload_triggers", direct: true, blocks: "section"},
	"instance": {label: "full name of the instance", attrs: "when for_each name scope enable aliases wanted_by required_by upheld_by", named: true},
	"package":  {label: "name of the package", attrs: "when units scope", need: "units"},
	"etc":      {label: "path below /etc", attrs: fileAttrs, named: true},
	"user":     {label: "name of the user", attrs: "when for_each name uid group home shell description locked groups", named: true},
	"group":    {label: "name of the group", attrs: "when for_each name gid members", named: true},
	"tmpfile":  {label: "path of the file", attrs: "when for_each name type mode owner group age argument", named: true},
	"sysctl":   {label: "name of the setting", attrs: "when value"},
	"credential": {label: "name of the credential", attrs: "when for_each name unit file age encrypted scope",
		need: "unit", named: true},
	"generate": {label: "name of the generator", attrs: "when program input target data", need: "program"},
	"action":   {label: "name of the action", attrs: "when unit scope", direct: true, blocks: "section"},
	"check":    {label: "name of the check", attrs: "when http tcp exec timeout retries"},
	"assert":   {attrs: "when condition message", need: "condition message"},
	"warn":     {attrs: "when condition message", need: "condition message"},
	"variant":  {label: "name of the variant", attrs: "when", inner: true},
	"section":  {label: "name of the section", free: true, where: "unit"},
}

// Attributes lists the attributes of ours that a kind of block has.
func Attributes(kind string) []string {
	if s := specs[kind]; s != nil {
		return strings.Fields(s.attrs)
	}
	return nil
}

func init() {
	for _, t := range unitname.Types {
		specs[t] = &spec{label: "name of the unit without ." + t, attrs: unitAttrs, unit: true, direct: true, named: true, blocks: "section"}
	}
}

// kinds are the names of the blocks that may stand at the top.
func kinds() []string {
	var out []string
	for k, s := range specs {
		if s.where == "" {
			out = append(out, k)
		}
	}
	sort.Strings(out)
	return out
}

// shape checks a block's kind, labels, attribute names and nested blocks.
func (ix *Index) shape(b *syntax.Block, inside string) (*spec, bool) {
	s := specs[b.Kind]
	if s == nil || s.where != "" {
		detail := fmt.Sprintf("There is no block %q.", b.Kind)
		if b.Kind == "section" {
			detail = `A section block stands inside a unit: service "x" { section "Service" { … } }. Move it there.`
		} else if near := types.Suggest(b.Kind, kinds()); near != "" {
			detail += fmt.Sprintf(" Did you mean %q?", near)
		} else {
			detail += " The blocks are: " + strings.Join(kinds(), ", ") + "."
		}
		ix.err("E0202", "Unknown block", b.Header, "%s", detail)
		return nil, false
	}
	if inside != "" && (s.inner || b.Kind == "module" || b.Kind == "option") {
		ix.err("E0202", "Unknown block", b.Header, "%s block cannot stand inside %s block. Move it to the top of the file.", anA(b.Kind), article(inside))
		return nil, false
	}
	if !ix.labels1(b, s) {
		return nil, false
	}
	for _, a := range b.Attrs {
		if s.free || s.direct && directiveLike(a.Name) || word(s.attrs, a.Name) {
			continue
		}
		ix.unknownAttr(b, s, a)
		ix.Faulty[b] = true
	}
	var missing []string
	for _, n := range strings.Fields(s.need) {
		if b.Attr(n) == nil {
			missing = append(missing, n)
		}
	}
	if len(missing) > 0 {
		if ix.Faulty[b] {
			return nil, false
		}
		ix.err("E0204", "Attribute is missing", b.Header, "%s block must have %s. Add %s = ….", anA(b.Kind), strings.Join(missing, " and "), strings.Join(missing, " = … and "))
		return nil, false
	}
	for _, n := range b.Blocks {
		switch {
		case s.inner:
		case word(s.blocks, n.Kind):
			if n.Kind == "section" {
				ix.labels1(n, specs["section"])
			}
			for _, x := range n.Blocks {
				ix.err("E0202", "Unknown block", x.Header, "No block can stand inside %s block. Move it out.", article(n.Kind))
			}
		case s.free:
			ix.err("E0202", "Unknown block", n.Header, "Values are attributes here, not blocks: write %s = { … }.", n.Kind)
		default:
			ix.err("E0202", "Unknown block", n.Header, "%s block cannot stand inside %s block. %s", anA(n.Kind), article(b.Kind), ix.nestedHint(s, n))
		}
	}
	return s, true
}

func (ix *Index) nestedHint(s *spec, n *syntax.Block) string {
	switch {
	case s == specs["option"] && n.Kind == "check":
		return "An option's check is an attribute: check = CONDITION and message = \"…\"."
	case s.unit && (n.Kind == "Service" || n.Kind == "Unit" || n.Kind == "Install" || directiveLike(n.Kind)):
		return "Directives stand directly in the block, whatever their section; only a name that exists in two sections needs section \"" + n.Kind + "\" { … }."
	case specs[n.Kind] != nil:
		return "Move it out of the block."
	}
	return "Write it as an attribute, " + n.Kind + " = { … }, or remove it."
}

func (ix *Index) labels1(b *syntax.Block, s *spec) bool {
	switch {
	case s.label == "" && len(b.Labels) > 0:
		ix.err("E0203", "Wrong number of labels", b.Labels[0].Range, "%s block has no label. Remove %q.", anA(b.Kind), b.Label())
		return false
	case s.label != "" && len(b.Labels) != 1:
		ix.err("E0203", "Wrong number of labels", b.Header, "%s block has one label, the %s: %s \"…\" { … }.", anA(b.Kind), s.label, b.Kind)
		return false
	case s.label != "" && b.Label() == "":
		ix.err("E0217", "Invalid name", b.Labels[0].Range, "The label is empty; it is the %s.", s.label)
		return false
	}
	return true
}

func (ix *Index) unknownAttr(b *syntax.Block, s *spec, a *syntax.Attr) {
	names := strings.Fields(s.attrs)
	detail := fmt.Sprintf("%s block has no attribute %q.", anA(b.Kind), a.Name)
	near := types.Suggest(a.Name, names)
	kind := b.Kind
	if kind == "dropin" || kind == "unit" {
		kind = strings.TrimPrefix(unitname.Type(b.Label()), ".")
	} else if kind == "action" {
		kind = "service"
	}
	switch like := directive.Suggest(kind, a.Name); {
	case s.unit && like != "" && (near == "" || directive.Same(like, a.Name)):
		detail += fmt.Sprintf(" Did you mean %s? Directives keep systemd's spelling; names in lower case are unitgen's own.", like)
	case near != "":
		detail += fmt.Sprintf(" Did you mean %q?", near)
	case s.unit:
		detail += " Directives keep systemd's spelling (ExecStart, After); names in lower case are unitgen's own."
	case directiveLike(a.Name):
		detail += " Directives stand in unit, dropin and action blocks alone."
	default:
		detail += " Its attributes are: " + list(names) + "."
	}
	ix.err("E0206", "Unknown attribute", a.NameRange(), "%s", detail)
}

// OwnName gives the attribute of unit blocks that a name spells otherwise, as
// RestartIfChanged does, or "".
func OwnName(name string) string {
	for _, a := range strings.Fields(unitAttrs) {
		if a != name && directive.Same(a, name) {
			return a
		}
	}
	return ""
}

// directiveLike reports whether a name is spelled like systemd's.
func directiveLike(s string) bool { return s != "" && s[0] >= 'A' && s[0] <= 'Z' }

func word(words, w string) bool {
	for _, x := range strings.Fields(words) {
		if x == w {
			return true
		}
	}
	return false
}

// unitLabel checks the label of a unit block.
func (ix *Index) unitLabel(b *Block) bool {
	label := b.Label()
	full := label + "." + b.Kind
	if t := unitname.Type(label); t == b.Kind {
		short := strings.TrimSuffix(label, "."+t)
		ix.err("E0601", "Label has the suffix of its type", b.Labels[0].Range, "The label of %s block is the name without .%s: write %s %q.", article(b.Kind), t, b.Kind, short)
		return false
	}
	if !unitname.Valid(full) {
		ix.err("E0602", "Invalid unit name", b.Labels[0].Range, "%s", BadUnitName(full))
		return false
	}
	return true
}

// BadUnitName says what is wrong with a unit name and how to mend it.
func BadUnitName(name string) string {
	switch {
	case len(name) > unitname.MaxLen:
		return fmt.Sprintf("The unit name has %d bytes; systemd accepts %d. Shorten it.", len(name), unitname.MaxLen)
	case strings.ContainsAny(name, "/"):
		return fmt.Sprintf("%q is no unit name: a name has no slash. For the unit of a path, write the path escaped, as unitgen escape --path prints it.", name)
	case unitname.Type(name) == "":
		return fmt.Sprintf("%q is no unit name: it must end in one of .%s.%s", name, strings.Join(unitname.Types, ", ."), nearUnit(name))
	}
	return fmt.Sprintf("%q is no unit name: letters, digits and : - _ . \\ @ may stand in it, and no @ at the beginning. Escape other characters as unitgen escape prints them.", name)
}

// declarations indexes what a module declares: options and locals.
func (ix *Index) declarations(m *Module) {
	for _, f := range m.Files {
		for _, b := range f.Blocks {
			switch b.Kind {
			case "locals":
				for _, a := range b.Attrs {
					if old := m.Locals[a.Name]; old != nil {
						d := ix.err("E0207", "Declared twice", a.NameRange(), "The local %q is declared twice in this module. Rename or remove one.", a.Name)
						d.Related = append(d.Related, related("the other declaration", old.Attr.NameRange()))
						continue
					}
					m.Locals[a.Name] = &Local{m, a}
				}
			case "option":
				if len(b.Labels) == 1 {
					ix.declare(m, b)
				}
			}
		}
	}
}

func (ix *Index) declare(m *Module, b *syntax.Block) {
	name := b.Label()
	if !hclsyntax.ValidIdentifier(name) {
		ix.err("E0217", "Invalid name", b.Labels[0].Range, "%q cannot name an option: it is read as config.MODULE.NAME, so it must be an identifier (letters, digits, _ and -, beginning with a letter).", name)
		return
	}
	if name == "when" {
		ix.err("E0217", "Invalid name", b.Labels[0].Range, "No option can be called when: in a config block that word is its condition. Choose another name.")
		return
	}
	if old := m.Options[name]; old != nil {
		d := ix.err("E0207", "Declared twice", b.Header, "The option %q is declared twice in this module. Rename or remove one; to give it a value, write config %q { %s = … }.", name, m.Name, name)
		d.Related = append(d.Related, related("the other declaration", old.Block.Header))
		return
	}
	m.Options[name] = ix.option1(m, name, b)
	m.Names = append(m.Names, name)
}

// anA gives the kind of a block with its article, at the beginning of a sentence.
func anA(kind string) string {
	if kind != "" && strings.ContainsRune("aeioAEIO", rune(kind[0])) {
		return "An " + kind
	}
	return "A " + kind
}
