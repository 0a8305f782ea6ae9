package eval

import (
	"fmt"
	"strings"

	"github.com/unitgen/unitgen/compile/internal/index"
	"github.com/unitgen/unitgen/schema/directive"
	"github.com/unitgen/unitgen/schema/unitname"
)

// Fact is what is known of a directive's name in a unit type.
type Fact struct {
	Section string
	Name    string
	Row     *directive.Directive // nil for an unknown name
	Many    []string             // sections, where the name stands in several
	Extra   bool                 // X-…: ours or the user's, passed through
}

// List reports whether definitions concatenate.
func (f *Fact) List() bool { return f.Row == nil || f.Row.List }

type factTable map[string]map[string]*Fact

// Fact looks a directive up. The answers are kept: the table is asked for
// every line of a configuration.
func (e *Evaluator) Fact(kind, name string) *Fact {
	m := e.facts[kind]
	if m == nil {
		m = map[string]*Fact{}
		e.facts[kind] = m
	}
	f := m[name]
	if f == nil {
		f = lookup(kind, name)
		m[name] = f
	}
	return f
}

// SectionFact looks a directive up in one section.
func (e *Evaluator) SectionFact(kind, section, name string) *Fact {
	key := section + "\x00" + name
	m := e.facts[kind]
	if m == nil {
		m = map[string]*Fact{}
		e.facts[kind] = m
	}
	f := m[key]
	if f == nil {
		f = &Fact{Section: section, Name: name, Extra: strings.HasPrefix(name, "X-") || strings.HasPrefix(section, "X-")}
		if row, ok := directive.Lookup(kind, section, name); ok {
			f.Row = row
		}
		m[key] = f
	}
	return f
}

func lookup(kind, name string) *Fact {
	if strings.HasPrefix(name, "X-") {
		return &Fact{Section: "Unit", Name: name, Extra: true}
	}
	rows := directive.Find(kind, name)
	if len(rows) > 1 {
		var live []*directive.Directive
		for _, r := range rows {
			if r.Kind != directive.Obsolete && r.Replaced == "" && r.Deprecated == 0 && r.Until == 0 {
				live = append(live, r)
			}
		}
		if len(live) > 0 {
			rows = live
		}
	}
	switch len(rows) {
	case 0:
		return &Fact{Name: name}
	case 1:
		return &Fact{Section: rows[0].Section, Name: name, Row: rows[0]}
	}
	f := &Fact{Name: name}
	for _, r := range rows {
		f.Many = append(f.Many, r.Section)
	}
	return f
}

// unknown says that a unit type has no such directive.
func (f *Fact) unknown(kind, name string) string {
	if len(f.Many) > 0 {
		return fmt.Sprintf("%s= exists in the sections [%s] of a %s. Say which: section %q { %s = … }.", name, strings.Join(f.Many, "] and ["), kind, f.Many[0], name)
	}
	s := fmt.Sprintf("A %s has no directive %s=.", kind, name)
	if own := index.OwnName(name); own != "" {
		return s + fmt.Sprintf(" Did you mean %s? Names in lower case are unitgen's own.", own)
	}
	if near := directive.Suggest(kind, name); near != "" {
		return s + fmt.Sprintf(" Did you mean %s?", near)
	}
	for _, t := range unitname.Types {
		if t == kind {
			continue
		}
		for _, r := range directive.Find(t, name) {
			return s + fmt.Sprintf(" It belongs to [%s] of a %s; write it in a block %s \"…\" { … }.", r.Section, t, t)
		}
	}
	section := directive.TypeSection(kind)
	if section == "" {
		section = "Unit"
	}
	return s + fmt.Sprintf(" If the target's systemd knows it all the same, write section %q { %s = … }, which passes it verbatim.", section, name)
}

// Unknown says that a unit type has no such directive, and what was meant.
func Unknown(f *Fact, kind string) string { return f.unknown(kind, f.Name) }
