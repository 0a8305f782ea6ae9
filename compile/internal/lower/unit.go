package lower

import (
	"fmt"
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/unitgen/unitgen/compile/internal/eval"
	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/directive"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitfile"
	"github.com/unitgen/unitgen/schema/value"
)

// draft is a unit file or drop-in with its values, before they are checked.
type draft struct {
	name, kind string
	dropIn     string
	scope      tree.Scope
	at         tree.Place
	path       string // in the tree
	origin     diag.Range
	mask       bool
	noInstall  bool
	lines      []line
	from       []string // source files, when there are several

	// What fill still has to add: the directives, between our own lines and
	// those of credentials.
	unit     *eval.Unit
	contribs []eval.Contrib
	own      int
	reads    []strongRead

	file  *unitfile.File
	diags diag.List
}

// line is one assignment to come.
type line struct {
	fact  *eval.Fact
	value string
	at    hcl.Range // of the value
	name  hcl.Range // of the directive's name
	plain bool      // from a section block
	ours  bool      // needs no check
	first bool      // the directive's first line
}

// strongDeps are the directives that need the unit they name.
var strongDeps = map[string]bool{"Requires": true, "BindsTo": true, "Requisite": true}

// unit makes the draft of a unit; nil when it is not in the tree.
func (l *lowering) unit(u *eval.Unit) *draft {
	contribs, ok := l.e.ActiveContribs(u)
	if !ok || len(contribs) == 0 {
		return nil
	}
	d := &draft{name: u.Name, kind: u.Kind, scope: u.Scope, at: u.Place, origin: syntax.Range(contribs[0].Header())}
	d.path = path.Join(tree.UnitDir(u.Place, u.Scope), u.Name)
	own := false
	for _, c := range contribs {
		if c.Gen != nil || hasOwn(c) {
			own = true
		}
	}
	if own {
		if !l.policy(u.Name, contribs, d) {
			return nil
		}
		if !d.mask {
			l.linked(u.Name, u.Name, u.Scope, u.Place, u.Name, contribs)
		}
	}
	if l.adopted[string(u.Scope)+"/"+u.Name] != nil && !d.mask {
		d.dropIn = "unitgen"
		d.path = path.Join(tree.UnitDir(u.Place, u.Scope), u.Name+".d", "unitgen.conf")
	}
	d.unit, d.contribs, d.own = u, contribs, len(d.lines)
	for _, x := range l.creds[string(u.Scope)+"/"+u.Name] {
		d.lines = append(d.lines, l.extra(u.Kind, x))
	}
	delete(l.creds, string(u.Scope)+"/"+u.Name)
	d.origins(contribs)
	return d
}

func (d *draft) origins(contribs []eval.Contrib) {
	if len(contribs) < 2 {
		return
	}
	seen := map[string]bool{}
	for _, c := range contribs {
		if f := c.Header().Filename; !seen[f] && f != "" {
			seen[f] = true
			d.from = append(d.from, f)
		}
	}
	sort.Strings(d.from)
}

// hasOwn reports whether a block has attributes of ours beyond its name.
func hasOwn(c eval.Contrib) bool {
	for _, a := range c.Block.Attrs {
		if a.Name[0] >= 'a' && a.Name[0] <= 'z' {
			return true
		}
	}
	return false
}

func nameRange(s eval.Source) hcl.Range {
	if s.Gen != nil {
		return s.Gen.Range
	}
	return s.Attr.NameRange()
}

// build checks the lines and makes the unit file.
func (d *draft) build(o Options) {
	ctx := value.Context{Systemd: o.Systemd, User: d.scope == tree.User, UnitType: d.kind}
	order := directive.Sections(d.kind)
	sections := make([]string, 0, 3)
	sections = append(sections, order...)
	for i := range d.lines {
		ln := &d.lines[i]
		if !ln.ours {
			d.check(ln, ctx, o)
		}
		known := false
		for _, s := range sections {
			known = known || s == ln.fact.Section
		}
		if !known && ln.fact.Section != "" {
			sections = append(sections, ln.fact.Section)
		}
	}
	f := &unitfile.File{Lines: make([]unitfile.Line, 0, len(d.lines)+6)}
	if len(d.from) > 1 {
		f.Lines = append(f.Lines, unitfile.Line{Kind: unitfile.Comment, Raw: "# Made by unitgen from " + strings.Join(d.from, ", ")})
	}
	begun := false
	for _, s := range sections {
		head := false
		for i := range d.lines {
			ln := &d.lines[i]
			if ln.fact.Section != s {
				continue
			}
			if !head {
				if begun {
					f.Lines = append(f.Lines, unitfile.Line{Kind: unitfile.Blank})
				}
				f.Lines = append(f.Lines, unitfile.Line{Kind: unitfile.Section, Section: s, Pos: d.origin})
				head, begun = true, true
			}
			at := syntax.Range(ln.at)
			l := unitfile.Line{Kind: unitfile.Assignment, Section: s, Key: ln.fact.Name, Value: ln.value, Origin: at, Pos: at}
			if at.IsZero() {
				l.Pos = d.origin
			}
			f.Lines = append(f.Lines, l)
		}
	}
	if !begun && d.dropIn == "" {
		f.Lines = append(f.Lines, unitfile.Line{Kind: unitfile.Section, Section: "Unit"})
	}
	d.file = f
	d.lines = nil
}

func (d *draft) report(code, summary string, at hcl.Range, format string, args ...any) {
	x := diag.Errorf(code, summary, syntax.Range(at), format, args...)
	if code[0] == 'W' {
		x.Severity = diag.Warning
	}
	d.diags = append(d.diags, x)
}

// check checks one line against the directive table and the kinds of values.
func (d *draft) check(ln *line, ctx value.Context, o Options) {
	f := ln.fact
	if i := strings.IndexAny(ln.value, "\n\r\x00"); i >= 0 {
		what := map[byte]string{'\n': "newline", '\r': "carriage return", 0: "NUL character"}[ln.value[i]]
		hint := "for a text with several lines use an etc block and name its file"
		if i == len(ln.value)-1 && ln.value[i] == '\n' {
			hint = "write the text in quotes, for a heredoc ends in a newline"
		}
		d.report("E0506", "Value would break the line", ln.at, "The value of %s= holds a %s. A directive is one line; %s.", f.Name, what, hint)
		ln.value = ""
		return
	}
	if trailing(ln.value) {
		d.report("E0506", "Value would break the line", ln.at, "The value of %s= ends in a backslash, which would join the next line to it. Double the backslash or leave it out.", f.Name)
		return
	}
	if f.Row == nil {
		d.unknown(ln)
		return
	}
	if ln.first {
		d.version(ln, o)
	}
	if _, err := value.CheckDirective(f.Row, ln.value, ctx); err != nil {
		code, summary := "E0505", "Directive has an invalid value"
		man := ""
		if f.Row.Man != "" {
			man = " See " + f.Row.Man + "."
		}
		if ve, ok := err.(*value.Error); ok && ve.Tolerated {
			d.report("W0505", "Value is tolerated, not meant", ln.at, "%s=: %s.%s", f.Name, err, man)
			return
		}
		d.report(code, summary, ln.at, "%s=: %s.%s", f.Name, err, man)
	}
}

// trailing reports whether a value ends in a backslash that is not escaped.
func trailing(s string) bool {
	n := 0
	for n < len(s) && s[len(s)-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}

func (d *draft) unknown(ln *line) {
	f := ln.fact
	if f.Extra || !ln.first {
		return
	}
	if !ln.plain {
		d.report("E0501", "Unknown directive", ln.name, "%s", eval.Unknown(f, d.kind))
		return
	}
	if strings.ContainsAny(f.Section, "]\n\r\x00") || f.Section == "" {
		d.report("E0217", "Invalid name", ln.name, "%q cannot be the name of a section.", f.Section)
		return
	}
	near := ""
	if s := directive.Suggest(d.kind, f.Name); s != "" {
		near = fmt.Sprintf(" If %s was meant, write that.", s)
	}
	if sections := directive.Sections(d.kind); !slices.Contains(sections, f.Section) {
		if s := types.Suggest(f.Section, sections); s != "" {
			near = fmt.Sprintf(" Did you mean section %q?", s)
		} else if near == "" || slices.ContainsFunc(sections, func(s string) bool { _, ok := directive.Lookup(d.kind, s, f.Name); return ok }) {
			near = fmt.Sprintf(" The sections of a %s are %s.", d.kind, strings.Join(sections, ", "))
		}
	}
	d.report("W0503", "Directive is passed verbatim", ln.name, "unitgen knows no %s= in [%s] of a %s and checks nothing of it.%s", f.Name, f.Section, d.kind, near)
}

func (d *draft) version(ln *line, o Options) {
	r, systemd := ln.fact.Row, o.Systemd
	switch {
	case r.Kind == directive.Obsolete:
		d.report("W0502", "Directive has no effect", ln.name, "systemd knows %s= and ignores it. Remove it.%s", r.Name, instead(r))
	case systemd < r.Since:
		d.report("E0502", "Directive does not exist in this systemd", ln.name, "%s= came with systemd %d, and the host says systemd = %d. Raise it if no older machine loads this tree, or leave the directive out.", r.Name, r.Since, systemd)
	case o.Below.Version > 0 && o.Below.Version < r.Since:
		d.report("E0502", "Directive does not exist in this systemd", ln.name, "%s= came with systemd %d, and the one below the system root is %d (%s). Leave the directive out, and write systemd = %d in the host, so that every check is made for it.", r.Name, r.Since, o.Below.Version, o.Below.From, o.Below.Version)
	case r.Until > 0 && systemd >= r.Until:
		d.report("E0502", "Directive does not exist in this systemd", ln.name, "%s= is gone since systemd %d, and the host says systemd = %d.%s", r.Name, r.Until, systemd, orLeave(instead(r)))
	case r.Until > 0 && o.Below.Version >= r.Until:
		d.report("E0502", "Directive does not exist in this systemd", ln.name, "%s= is gone since systemd %d, and the one below the system root is %d (%s).%s", r.Name, r.Until, o.Below.Version, o.Below.From, instead(r))
	case r.Deprecated > 0 && systemd >= r.Deprecated:
		d.report("W0501", "Directive is deprecated", ln.name, "%s= is deprecated since systemd %d.%s", r.Name, r.Deprecated, instead(r))
	}
}

// orLeave says what to do where nothing stands in the place of a directive.
func orLeave(instead string) string {
	if instead == "" {
		return " Leave it out, or lower systemd in the host block if older machines load this tree."
	}
	return instead
}

func instead(r *directive.Directive) string {
	if r.Replaced == "" {
		return ""
	}
	return fmt.Sprintf(" Use %s= instead.", r.Replaced)
}
