package unitimport

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/unitgen/unitgen/schema/directive"
	"github.com/unitgen/unitgen/schema/unitfile"
	"github.com/unitgen/unitgen/schema/value"
)

// use is all that one file says of one directive.
type use struct {
	section, name string
	values        []string
	comments      []string
	reset         bool // an empty assignment came before the values that count
	row           *directive.Directive
	nested        bool // must stand in a section block
	listed        bool // in body.uses
}

// body is a unit file taken apart by directive.
type body struct {
	head, tail []string // comments before the first and after the last directive
	uses       []*use
	notes      []string
	verbatim   string // why HCL cannot say it, "" where it can
	newest     int    // the newest systemd that still has all directives
	oldest     int    // the oldest systemd that takes all directives and values
}

// listening are the directives whose order over each other counts: it is the
// order of the sockets that a service gets (sd_listen_fds(3)).
var listening = []string{"ListenStream", "ListenDatagram", "ListenSequentialPacket", "ListenFIFO", "ListenSpecial", "ListenNetlink", "ListenMessageQueue", "ListenUSBFunction"}

// takeApart sorts the lines of a unit file of a type by directive.
func takeApart(typ string, f *unitfile.File, check func(d *directive.Directive, v string, systemd int) error) *body {
	b := &body{newest: directive.Newest, oldest: directive.Oldest}
	byName := map[string]*use{}
	var pending []string
	seen := false
	var lastListen string
	listened := map[string]bool{}
	for _, l := range f.Lines {
		switch l.Kind {
		case unitfile.Comment:
			for _, raw := range strings.Split(l.Raw, "\n") {
				pending = append(pending, comment(raw))
			}
		case unitfile.Invalid:
			pending = append(pending, b.ignored(l.Raw, "systemd ignores this line"))
		case unitfile.Section:
			if !seen {
				b.head, pending = append(b.head, pending...), nil
			}
		case unitfile.Assignment:
			seen = true
			u, why := b.use(typ, l, byName)
			if why == "" && u.row != nil && l.Value != "" && check != nil {
				if err := check(u.row, l.Value, 0); err != nil {
					why = "systemd ignores this value: " + err.Error()
				}
			}
			if why != "" {
				pending = append(pending, b.ignored(l.Section+": "+l.Key+"="+l.Value, why))
				continue
			}
			if slices.Contains(listening, l.Key) && l.Section == "Socket" {
				if listened[l.Key] && lastListen != l.Key {
					b.verbatim = "its sockets are listed in an order that HCL attributes cannot keep"
				}
				listened[l.Key], lastListen = true, l.Key
			}
			if u.row != nil {
				b.oldest = max(b.oldest, u.row.Since)
			}
			for check != nil && u.row != nil && l.Value != "" && b.oldest < directive.Newest && check(u.row, l.Value, b.oldest) != nil {
				b.oldest++
			}
			u.add(l.Value)
			u.comments, pending = append(u.comments, pending...), nil
			if !u.listed {
				u.listed = true
				b.uses = append(b.uses, u)
			}
		}
	}
	b.tail = pending
	return b
}

// ignored gives the comment that keeps what systemd does not read.
func (b *body) ignored(raw, why string) string {
	b.notes = append(b.notes, fmt.Sprintf("%q is kept as a comment: %s", raw, why))
	return comment("# " + strings.ReplaceAll(raw, "\n", " ") + "  (" + strings.ReplaceAll(why, "\n", " ") + ")")
}

// use finds the record of an assignment's directive, or says why systemd does
// not read it.
func (b *body) use(typ string, l unitfile.Line, byName map[string]*use) (*use, string) {
	id := l.Section + "\x00" + l.Key
	if u := byName[id]; u != nil {
		return u, ""
	}
	u := &use{section: l.Section, name: l.Key}
	vendor := strings.HasPrefix(l.Section, "X-")
	if !vendor && !slices.Contains(directive.Sections(typ), l.Section) {
		return nil, "a " + typ + " has no section of this name"
	}
	if !identifier(l.Key) {
		return nil, "no directive has such a name"
	}
	if row, ok := directive.Lookup(typ, l.Section, l.Key); ok && !vendor {
		u.row = row
		u.nested = len(directive.Find(typ, l.Key)) > 1
		if row.Until > 0 {
			b.newest = min(b.newest, row.Until-1)
		}
	} else {
		u.nested = true
		if !vendor && !strings.HasPrefix(l.Key, "X-") {
			b.notes = append(b.notes, fmt.Sprintf("no systemd up to %d knows %s= in [%s]; it is kept verbatim in a section block", directive.Newest, l.Key, l.Section))
		}
	}
	byName[id] = u
	return u, ""
}

// add takes one more assignment of the directive into account: lists add up
// and an empty assignment empties them, of others the last counts.
func (u *use) add(v string) {
	switch {
	case u.row == nil:
		u.values = append(u.values, v)
	case v == "" && u.row.Reset == directive.ResetDefault:
		u.values, u.reset = nil, true
	case v == "":
	case u.row.List:
		u.values = append(u.values, v)
	default:
		u.values = []string{v}
	}
}

var (
	number    = regexp.MustCompile(`^(0|[1-9][0-9]{0,14})$`)
	plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:@%+,=^-]+$`)
	envPair   = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]*)=([A-Za-z0-9_./:@+,=^ -]*)$`)
)

// expr spells the directive's value. In a drop-in an emptied list becomes
// force([…]), which writes the emptying line first.
func (u *use) expr(indent string, dropin bool) (string, bool) {
	if u.row == nil {
		if len(u.values) == 1 {
			return quote(u.values[0]), true
		}
		return list(u.values, indent), true
	}
	if len(u.values) == 0 {
		return `""`, u.reset
	}
	if !u.row.List {
		return u.scalar(u.values[0]), true
	}
	if u.row.Kind == directive.Environment && !u.reset {
		if m, ok := environment(u.values, indent); ok {
			return m, true
		}
	}
	items, split := u.items()
	if u.reset && dropin {
		return "force(" + list(items, indent) + ")", true
	}
	if len(items) == 1 && !split {
		return quote(items[0]), true
	}
	return list(items, indent), true
}

func (u *use) scalar(v string) string {
	switch u.row.Kind {
	case directive.Bool:
		if b, err := value.ParseBool(v); err == nil {
			return fmt.Sprint(b)
		}
	case directive.Unsigned, directive.Integer, directive.Long:
		if number.MatchString(v) {
			return v
		}
	}
	return quote(v)
}

// whole are kinds whose assignments stay in one piece: their first character
// speaks for all words.
var whole = []directive.Kind{directive.Environment, "capabilities", "syscall-filter", "syscall-log", "address-families", "namespaces", "file-systems", "network-interfaces", "delegate", "image-options"}

// items gives the elements of a list: unit names and other plain words each
// for themselves, everything else an assignment an element.
func (u *use) items() (items []string, split bool) {
	if !u.row.Words || slices.Contains(whole, u.row.Kind) {
		return u.values, false
	}
	units := u.row.Kind == directive.UnitList
	for _, v := range u.values {
		if !units && strings.ContainsAny(v, "~") {
			return u.values, false
		}
		for _, w := range strings.Fields(v) {
			if strings.ContainsAny(w, `"'`) || !units && !plainWord.MatchString(w) {
				return u.values, false
			}
			items = append(items, w)
		}
	}
	return items, units
}

// environment spells Environment= as a map, where that changes neither the
// order nor the quoting.
func environment(values []string, indent string) (string, bool) {
	var names []string
	var b strings.Builder
	b.WriteString("{\n")
	for _, v := range values {
		words, err := value.UnescapeWords(v)
		if err != nil {
			return "", false
		}
		for _, w := range words {
			m := envPair.FindStringSubmatch(w)
			if m == nil || strings.Contains(v, `\`) {
				return "", false
			}
			if len(names) > 0 && m[1] <= names[len(names)-1] {
				return "", false
			}
			names = append(names, m[1])
			b.WriteString(indent + "  " + m[1] + " = " + quote(m[2]) + "\n")
		}
	}
	b.WriteString(indent + "}")
	return b.String(), len(names) > 0
}

// write puts the directives into a block: flat ones first in their order, then
// those that need a section.
func (b *body) write(w *block, dropin bool) {
	for _, u := range b.uses {
		if !u.nested {
			u.write(w, dropin)
		}
	}
	var done []string
	for _, u := range b.uses {
		if !u.nested || slices.Contains(done, u.section) {
			continue
		}
		done = append(done, u.section)
		w.open("section %s", quote(u.section))
		for _, v := range b.uses {
			if v.nested && v.section == u.section {
				v.write(w, dropin)
			}
		}
		w.close()
	}
	for _, c := range b.tail {
		w.line("%s", c)
	}
}

func (u *use) write(w *block, dropin bool) {
	e, ok := u.expr(w.indent, dropin)
	for _, c := range u.comments {
		w.line("%s", c)
	}
	if ok {
		w.attr(u.name, e)
	}
}
