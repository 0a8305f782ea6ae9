package eval

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/unitgen/unitgen/schema/unitname"
)

// otherTongue says how something is read here that other languages of
// configuration read by another name, and takes names of units that stand
// without quotes for what they are; else it suggests a name that is near.
func (e *Evaluator) otherTongue(s *Scope, t hcl.Traversal) string {
	root, text := stepName(t[0]), dotted(t)
	next := ""
	if len(t) > 1 {
		next = stepName(t[1])
	}
	switch root {
	case "var", "vars", "param", "params", "opt", "options", "opts", "cfg":
		return e.optionHint(s, next)
	case "module", "modules":
		if len(t) > 2 {
			return fmt.Sprintf(" The options of a module are read as config.%s.%s.", next, stepName(t[2]))
		}
		return fmt.Sprintf(" The options of a module are read as config.%s.OPTION.", next)
	case "data", "resource":
		return " Nothing is looked up elsewhere: expressions read option.x, config.module.x, local.x, host.name, units (service.app) and files (etc[\"a/b\"])."
	case "self", "this":
		return " A block has no name for itself: name it by kind and label, as in service.app.User; with for_each, each.key and each.value."
	case "locals":
		return fmt.Sprintf(" A local is read as local.%s.", next)
	case "target", "path":
	case "unit", "units", "systemd":
		if isUnitKind(next) && len(t) > 2 {
			return fmt.Sprintf(" A unit is read by its type: %s.%s.", next, stepName(t[2]))
		}
	case "count":
		return " Blocks repeat with for_each = { … } or a list; the key is each.key."
	}
	if text != "" && unitname.Valid(text) {
		last := stepName(t[len(t)-1])
		hint := fmt.Sprintf(" The name of a unit stands in quotes: %q.", text)
		name := strings.TrimSuffix(text, "."+last)
		if slices.Contains(e.IX.Labels(last), name) {
			return fmt.Sprintf(" The unit of this configuration is read as %s.%s; a name stands in quotes: %q.", last, name, text)
		}
		return hint
	}
	if near := suggestion(root, e.roots(s)); near != "" {
		return near
	}
	if text != "" {
		return fmt.Sprintf(" A plain text stands in quotes: %q.", text)
	}
	return ""
}

// optionHint says how an option of that name is read: the own module's, or the
// one module's that has it.
func (e *Evaluator) optionHint(s *Scope, name string) string {
	if s.Module.Options[name] != nil {
		return fmt.Sprintf(" An option of the own module is read as option.%s.", name)
	}
	if s.Module.Locals[name] != nil {
		return fmt.Sprintf(" A local is read as local.%s.", name)
	}
	if found := e.havingOption(name); len(found) > 0 {
		return fmt.Sprintf(" The option is read as %s.", strings.Join(found, " or "))
	}
	return " An option of the own module is read as option.NAME, that of another as config.MODULE.NAME."
}

// havingOption gives the paths of the options of that name, of any module.
func (e *Evaluator) havingOption(name string) []string {
	var out []string
	for _, m := range e.IX.Modules {
		if o := m.Options[name]; o != nil && m.Name != "" && !o.Internal && len(out) < 5 {
			out = append(out, o.Path())
		}
	}
	return out
}

// dotted gives a traversal of names as it was written, "" where it has other
// steps.
func dotted(t hcl.Traversal) string {
	parts := make([]string, 0, len(t))
	for i, s := range t {
		if _, ok := s.(hcl.TraverseAttr); i > 0 && !ok {
			return ""
		}
		parts = append(parts, stepName(s))
	}
	return strings.Join(parts, ".")
}

// plainWord says what a lone name without quotes is to be.
func (e *Evaluator) plainWord(s *Scope, word string) string {
	switch strings.ToLower(word) {
	case "yes", "on", "true", "enabled":
		return " A bool is written true."
	case "no", "off", "false", "disabled":
		return " A bool is written false."
	case "none", "nil", "undefined", "null":
		return " The absence of a value is written null; a plain text stands in quotes: \"" + word + "\"."
	}
	return fmt.Sprintf("%s A plain text stands in quotes: %q.", suggestion(word, e.roots(s)), word)
}
