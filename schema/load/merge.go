package load

import (
	"errors"
	"fmt"
	"strings"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/directive"
	"github.com/unitgen/unitgen/schema/specifier"
	"github.com/unitgen/unitgen/schema/unitfile"
	"github.com/unitgen/unitgen/schema/unitname"
	"github.com/unitgen/unitgen/schema/value"
)

// merge goes through the assignments of all files in order and keeps what
// stands in the end: lists add up, an empty assignment resets, what systemd
// ignores is left out with a warning.
func (u *Unit) merge() {
	u.Settings = map[string]map[string][]string{}
	u.Commands = map[string][]Command{}
	m := &merger{u: u, l: u.loader, ctx: u.loader.spec}
	m.ctx.Unit, m.ctx.Fragment = u.Name, u.Fragment
	for _, s := range directive.Sections(u.Type) {
		u.Settings[s] = map[string][]string{}
	}
	lines := 0
	for _, f := range u.Files {
		lines += len(f.Lines)
	}
	u.Assigned = make([]Assignment, 0, min(lines, 1024))
	for n, f := range u.Files {
		stop, stops := u.stops[f]
		for i := range f.Lines {
			if stops && f.Lines[i].Pos.Start.Byte >= stop {
				break
			}
			switch line := &f.Lines[i]; line.Kind {
			case unitfile.Section:
				m.section(line)
			case unitfile.Assignment:
				m.assign(line)
			}
			if m.fatal && n == 0 && u.Fragment != "" {
				// systemd stops reading here and refuses the unit.
				u.State, u.broken = BadSetting, true
				u.Files, u.DropIns = u.Files[:1], nil
				return
			}
			m.fatal = false // in a drop-in, the assignment alone has no effect
		}
	}
	for s, keys := range u.Settings {
		if len(keys) == 0 {
			delete(u.Settings, s)
		}
	}
}

type merger struct {
	u   *Unit
	l   *Loader
	ctx specifier.Context
	// fatal: the assignment makes systemd refuse the whole unit.
	fatal bool
}

func (m *merger) warn(code, summary string, at diag.Range, format string, args ...any) {
	m.u.Diags = append(m.u.Diags, diag.Warnf(code, summary, at, format, args...))
}

// knownSection reports whether a unit of the type may hold the section.
func (m *merger) knownSection(name string) bool {
	for _, s := range directive.Sections(m.u.Type) {
		if s == name {
			return true
		}
	}
	return false
}

func (m *merger) section(line *unitfile.Line) {
	if !m.knownSection(line.Section) && !strings.HasPrefix(line.Section, "X-") {
		m.warn(CodeUnknownSect, "Unknown section", line.Pos, "A %s unit has no section [%s]; systemd ignores it and all in it. Its sections are %s; a name that begins with X- is left alone.",
			m.u.Type, line.Section, strings.Join(directive.Sections(m.u.Type), ", "))
	}
}

// set gives the map of a section, made on first use.
func (m *merger) set(section string) map[string][]string {
	s := m.u.Settings[section]
	if s == nil {
		s = map[string][]string{}
		m.u.Settings[section] = s
	}
	return s
}

func (m *merger) assign(line *unitfile.Line) {
	if !m.knownSection(line.Section) {
		if strings.HasPrefix(line.Section, "X-") {
			m.verbatim(line)
		}
		return
	}
	d, ok := directive.Lookup(m.u.Type, line.Section, line.Key)
	if !ok || m.l.opt.Version != 0 && !d.KnownIn(m.l.opt.Version) {
		if strings.HasPrefix(line.Key, "X-") {
			m.verbatim(line)
			return
		}
		m.unknown(line, d)
		return
	}
	m.retired(d, line)
	if d.Kind == directive.Obsolete {
		return
	}
	if why := unsupported(m.u.Type, d); why != "" {
		m.warn(CodeAdmonished, "Directive without effect", line.Pos, "%s= %s; systemd ignores it.", d.Name, why)
		return
	}
	section, key, into := target(d)
	if line.Value == "" {
		m.reset(section, key, into, d, line)
		return
	}
	vals, err := m.values(into, line.Value, line.Pos)
	if err != nil {
		if m.fatal = isFatal(into, line.Value); m.fatal {
			m.u.Diags = append(m.u.Diags, diag.Errorf(CodeBadSetting, "Unit is refused", line.Pos, "%s=: %v. systemd does not load a unit with such a value.", line.Key, err))
		} else {
			code, summary := CodeValue, "Invalid value"
			if errors.As(err, new(*specifierError)) {
				code, summary = CodeSpecifier, "Specifier cannot be expanded"
			}
			m.warn(code, summary, line.Pos, "%s=: %v. systemd ignores the assignment.", line.Key, err)
		}
	}
	if len(vals) == 0 {
		if err == nil && blankResets[into.Kind] {
			m.reset(section, key, into, d, line)
		}
		return
	}
	s := m.set(section)
	if into.List {
		s[key] = append(s[key], vals...)
	} else {
		s[key] = vals
	}
	for _, v := range vals {
		m.u.Assigned = append(m.u.Assigned, Assignment{Section: section, Key: key, Raw: line.Value, Value: v, Pos: line.Pos})
	}
}

// specifierError says that a specifier of a value cannot be expanded.
type specifierError struct{ error }

// expand replaces the specifiers that the directive knows.
func (m *merger) expand(s string, d *directive.Directive) (string, error) {
	if (d.Kind == "exec-output" || d.Kind == "exec-input") && !strings.Contains(s, ":") {
		return s, nil // only in the names of files and descriptors
	}
	x, err := specifier.Expand(s, d.Specifiers, &m.ctx)
	if err != nil {
		return s, &specifierError{err}
	}
	return x, nil
}

// isFatal reports whether systemd refuses a unit for a wrong value of the
// directive, for running it without the setting could do harm. A "-" before
// the value forgives.
func isFatal(d *directive.Directive, raw string) bool {
	switch d.Kind {
	case directive.Command:
		return !strings.Contains(raw[:len(raw)-len(strings.TrimLeft(raw, "-@:+!|"))], "-")
	case "user", "user-list", "label", "working-directory":
		return !strings.HasPrefix(raw, "-")
	case directive.Path:
		return d.Name == "RootDirectory" || d.Name == "RootImage"
	}
	return false
}

// verbatim keeps what systemd leaves to others: X- directives and sections.
func (m *merger) verbatim(line *unitfile.Line) {
	s := m.set(line.Section)
	if line.Value == "" {
		delete(s, line.Key)
		return
	}
	s[line.Key] = append(s[line.Key], line.Value)
	m.u.Assigned = append(m.u.Assigned, Assignment{Section: line.Section, Key: line.Key, Raw: line.Value, Value: line.Value, Pos: line.Pos})
}

func (m *merger) unknown(line *unitfile.Line, d *directive.Directive) {
	switch {
	case d != nil && m.l.opt.Version < d.Since:
		m.warn(CodeUnknownKey, "Directive of a newer systemd", line.Pos, "%s= came with systemd %d; systemd %d ignores it.", line.Key, d.Since, m.l.opt.Version)
	case d != nil:
		m.warn(CodeUnknownKey, "Directive of an older systemd", line.Pos, "%s= went away with systemd %d; systemd %d ignores it.", line.Key, d.Until, m.l.opt.Version)
	default:
		hint := ""
		for _, f := range directive.Find(m.u.Type, line.Key) {
			hint = " It belongs into [" + f.Section + "]."
		}
		if s := directive.Suggest(m.u.Type, line.Key); hint == "" && s != "" && s != line.Key {
			hint = " Is " + s + "= meant?"
		}
		m.warn(CodeUnknownKey, "Unknown directive", line.Pos, "[%s] of a %s unit has no %s=; systemd ignores it.%s", line.Section, m.u.Type, line.Key, hint)
	}
}

// renamed are old names that fill the same place as another directive
// although no Replaced fact says so, or fill it in another section.
var renamed = map[string]string{
	"Unit.OnFailureIsolate": "", // a boolean; handled by its own rule
}

// target gives the section and name under which a directive is kept: an old
// name is kept under its replacement, where that takes the same values.
func target(d *directive.Directive) (section, key string, into *directive.Directive) {
	section, key = d.Section, d.Name
	if d.Replaced == "" || noAlias(d) {
		return section, key, d
	}
	if _, own := renamed[d.Section+"."+d.Name]; own {
		return section, key, d
	}
	s, k, dotted := strings.Cut(d.Replaced, ".")
	if !dotted {
		s, k = d.Section, d.Replaced
	}
	r, ok := directive.Lookup("", s, k)
	if !ok {
		r, ok = directive.Lookup("", "Unit", k)
		s = "Unit"
	}
	if !ok || r.Kind != d.Kind || r.List != d.List {
		return section, key, d
	}
	return s, k, r
}

// noAlias reports whether a replacement means something of its own, so that
// the old directive keeps its own place.
func noAlias(d *directive.Directive) bool {
	switch {
	case strings.HasPrefix(d.Name, "BlockIO"), strings.HasPrefix(d.Name, "CPUShares"), strings.HasPrefix(d.Name, "StartupCPUShares"),
		strings.HasPrefix(d.Name, "StartupBlockIO"), d.Name == "MemoryLimit", strings.HasPrefix(d.Name, "ConditionKernel"), strings.HasPrefix(d.Name, "AssertKernel"):
		return true
	}
	return false
}

// reset carries out an empty assignment.
func (m *merger) reset(section, key string, into, d *directive.Directive, line *unitfile.Line) {
	switch d.Reset {
	case directive.ResetNothing:
		return
	case directive.ResetRefused:
		m.warn(CodeValue, "Empty value", line.Pos, "%s= takes no empty value; systemd ignores the assignment.", line.Key)
		return
	}
	for _, k := range resetGroup(section, key) {
		delete(m.set(section), k)
		delete(m.u.Commands, k)
		kept := m.u.Assigned[:0]
		for _, a := range m.u.Assigned {
			if a.Section != section || a.Key != k {
				kept = append(kept, a)
			}
		}
		m.u.Assigned = kept
	}
	// An emptied list differs from an unset one where the default is not empty.
	if keepsEmpty[key] {
		m.set(section)[key] = []string{}
	}
}

// keepsEmpty are lists whose emptiness is a setting of its own.
var keepsEmpty = map[string]bool{"CapabilityBoundingSet": true, "RestrictNamespaces": true}

// groups are the directives that one empty assignment resets together: they
// fill one list.
var groups = map[string][]string{
	"Socket": {"ListenStream", "ListenDatagram", "ListenSequentialPacket", "ListenFIFO", "ListenSpecial", "ListenNetlink", "ListenMessageQueue", "ListenUSBFunction"},
	"Timer":  {"OnActiveSec", "OnBootSec", "OnStartupSec", "OnUnitActiveSec", "OnUnitInactiveSec", "OnCalendar"},
	"Path":   {"PathExists", "PathExistsGlob", "PathChanged", "PathModified", "DirectoryNotEmpty"},
}

func resetGroup(section, key string) []string {
	if section == "Unit" {
		for _, p := range []string{"Condition", "Assert"} {
			if strings.HasPrefix(key, p) {
				var out []string
				for _, d := range directive.All() {
					if d.Section == "Unit" && strings.HasPrefix(d.Name, p) {
						out = append(out, d.Name)
					}
				}
				return out
			}
		}
	}
	for _, k := range groups[section] {
		if k == key {
			return groups[section]
		}
	}
	return []string{key}
}

// oneString are kinds whose assignments stay in one piece although they hold
// several words, because the first character speaks for all of them.
var oneString = map[directive.Kind]bool{
	"capabilities": true, "syscall-filter": true, "syscall-log": true, "address-families": true, "namespaces": true,
	"file-systems": true, "network-interfaces": true, "delegate": true, "image-options": true,
}

// splitFlags says how the words of a kind are taken apart.
func splitFlags(k directive.Kind) value.Flags {
	switch k {
	case directive.UnitList, "socket-unit-list":
		return value.RetainEscape
	case "install-unit-list", "alias-list":
		return value.Unquote | value.RetainEscape
	case directive.Environment, "environment-unset", "log-fields":
		return value.Unquote | value.CUnescape
	case "user-list":
		return 0
	case "exec-directory", "configuration-directory":
		return value.Unquote | value.RetainEscape
	case "mount-images", "extension-images":
		return value.Unquote | value.RetainEscape | value.KeepQuotes
	}
	return value.Unquote
}

// blankResets are kinds of which systemd takes a value that specifiers leave
// empty ("%i" in what is no instance) for an empty assignment.
var blankResets = map[directive.Kind]bool{directive.Path: true, "label": true, "cpu-set": true, "cpu-affinity": true}

// values gives the elements of one assignment, specifiers expanded, in
// canonical spelling. With an error they are those that are good.
func (m *merger) values(d *directive.Directive, raw string, at diag.Range) ([]string, error) {
	if d.Kind == directive.Command {
		return m.commands(d, raw, at)
	}
	if !d.List || !d.Words || oneString[d.Kind] {
		s, err := m.expand(raw, d)
		if err != nil {
			return nil, err
		}
		if s == "" && blankResets[d.Kind] {
			return nil, nil
		}
		s, err = m.check(d, s)
		if err != nil && !tolerated(err) {
			return nil, err
		}
		m.tolerate(d, s, err, at)
		if d.Kind == "trigger-unit" {
			if s = m.u.template(s); s == m.u.Name {
				return nil, fmt.Errorf("a %s cannot activate itself; name the unit that it is for", m.u.Type)
			}
		}
		return []string{tidy(d.Kind, s)}, nil
	}
	list, err := value.Split(raw, "", splitFlags(d.Kind))
	if err != nil && d.Kind == "secure-bits" {
		return nil, nil // systemd says nothing
	}
	if err != nil {
		return nil, err
	}
	out := make([]string, 0, len(list))
	var first error
	for _, w := range list {
		x, err := m.expand(w, d)
		if err == nil {
			x, err = m.checkWord(d, x)
		}
		if first == nil {
			m.tolerate(d, x, err, at)
		}
		if err != nil && !tolerated(err) {
			if first == nil {
				first = err
			}
			continue
		}
		out = append(out, x)
	}
	return out, first
}

// quietly are kinds of which systemd puts up with the wrong without a word.
var quietly = map[directive.Kind]bool{"capabilities": true, "secure-bits": true, "pid-file": true, "exec-directory": true, "configuration-directory": true}

// tolerate reports a value that systemd takes with a warning. Of conditions it
// says nothing until it evaluates them; of KillMode= the checks of whole units
// say more.
func (m *merger) tolerate(d *directive.Directive, v string, err error, at diag.Range) {
	switch {
	case err != nil && tolerated(err) && quietly[d.Kind]:
		m.u.Diags = append(m.u.Diags, &diag.Diagnostic{Severity: diag.Advice, Code: CodeValue, Summary: "Value is tolerated, not meant", Subject: at,
			Detail: fmt.Sprintf("%s=: %s. systemd does not say so.", d.Name, err)})
	case err != nil && tolerated(err) && !strings.HasPrefix(string(d.Kind), "condition:") && d.Name != "KillMode":
		m.warn(CodeValue, "Value is tolerated, not meant", at, "%s=: %s. systemd takes it with a warning.", d.Name, err)
	case d.Kind == "user" && v == "nobody" && strings.HasSuffix(d.Name, "User") && m.knows(246):
		m.warn(CodeAdmonished, "Unsafe account", at, "%s=nobody: this account owns what belongs to nobody, files of other machines among it, and a service that runs as it can reach them. Use an account of its own, or DynamicUser=yes.", d.Name)
	}
}

// unsupported says why a type of unit cannot have a directive that its section
// has, "" where it can (systemd.resource-control(5)).
func unsupported(typ string, d *directive.Directive) string {
	switch d.Name {
	case "Delegate":
		if typ != "service" && typ != "scope" {
			return "is for services and scopes, whose processes can manage a control group of their own"
		}
	case "ManagedOOMSwap", "ManagedOOMMemoryPressure", "ManagedOOMMemoryPressureLimit":
		if typ == "socket" || typ == "mount" || typ == "swap" {
			return "is for services, slices and scopes"
		}
	case "Slice":
		if typ == "slice" && d.Section == "Slice" {
			return "is no choice for a slice: its name says which slice it lies in"
		}
	}
	return ""
}

// knows reports whether the systemd that loads is at least a version.
func (m *merger) knows(version int) bool {
	return m.l.opt.Version == 0 || m.l.opt.Version >= version
}

// retired warns of directives that systemd warns of itself: those that it no
// longer has, and those that it is about to lose.
func (m *merger) retired(d *directive.Directive, line *unitfile.Line) {
	switch {
	case d.Kind == directive.Obsolete:
		m.warn(CodeValue, "Directive without effect", line.Pos, "systemd no longer supports %s= and ignores it. Take it out.", d.Name)
	case d.Deprecated != 0 && m.knows(d.Deprecated) && d.Group != "condition":
		m.warn(CodeValue, "Directive is deprecated", line.Pos, "%s= is deprecated since systemd %d and will go away. Use %s=.", d.Name, d.Deprecated, d.Replaced)
	}
}

// tolerated reports whether systemd takes a value although it warns of it.
func tolerated(err error) bool {
	var e *value.Error
	return errors.As(err, &e) && e.Tolerated
}

func (m *merger) valueContext() value.Context {
	return value.Context{Systemd: m.l.opt.Version, User: m.l.opt.Scope == "user", UnitType: m.u.Type, Names: &m.ctx}
}

// check checks a value whose specifiers are expanded.
func (m *merger) check(d *directive.Directive, s string) (string, error) {
	if !value.Knows(d.Kind) {
		return s, nil
	}
	return value.Check(d.Kind, s, m.valueContext())
}

// checkWord checks one word of a list.
func (m *merger) checkWord(d *directive.Directive, w string) (string, error) {
	switch d.Kind {
	case directive.UnitList:
		n, _, _, _ := unitname.Split(w)
		if n == "" || !unitname.Valid(w) {
			return w, &value.Error{Value: w, Wrong: "is not a valid unit name", Want: "a name with a suffix such as .service"}
		}
		return w, nil
	case "install-unit-list", "alias-list":
		return w, nil
	}
	if !value.Knows(d.Kind) {
		return tidy(d.Kind, w), nil
	}
	c, err := value.Check(d.Kind, value.QuoteFor(w, splitFlags(d.Kind)), m.valueContext())
	if err != nil && !tolerated(err) {
		return w, err
	}
	if list, e := value.Split(c, "", splitFlags(d.Kind)); e == nil && len(list) == 1 {
		w = list[0]
	}
	return tidy(d.Kind, w), err
}

// tidy spells the path of a value as systemd holds it: no slash at the end, no
// doubled ones. Characters before the path stay.
func tidy(k directive.Kind, s string) string {
	switch k {
	case directive.Path, directive.PathList, "namespace-paths", "path-spec", "environment-file", "listen-path", "working-directory", "mount-node", "pid-file", "condition:path":
		if i := strings.IndexByte(s, '/'); i >= 0 && strings.Trim(s[:i], "-+:!|") == "" {
			s = s[:i] + value.SimplifyPath(s[i:])
		}
	}
	switch k {
	case directive.ListenStream, directive.ListenDatagram, "listen-seqpacket", "listen-path", "pid-file":
		if rest, ok := strings.CutPrefix(s, "/var/run/"); ok {
			s = "/run/" + rest
		}
	}
	if (k == "exec-directory" || k == "configuration-directory") && strings.HasSuffix(s, "/") {
		return strings.TrimRight(s, "/")
	}
	return s
}

// commands reads command lines; the argv of each has its specifiers expanded.
func (m *merger) commands(d *directive.Directive, raw string, at diag.Range) ([]string, error) {
	expand := func(w string) (string, error) { return m.expand(w, d) }
	list, err := value.ExpandCommandLine(raw, m.l.opt.Version, expand)
	if err != nil {
		relaxed := keepUnknownEscapes(raw)
		again, rerr := value.ExpandCommandLine(relaxed, m.l.opt.Version, expand)
		if relaxed == raw || rerr != nil {
			return nil, err
		}
		m.warn(CodeValue, "Unknown escape sequence", at, "%s=: %v. systemd keeps the backslash as it stands.", d.Name, err)
		list = again
	}
	var out []string
	for _, v := range list {
		c := Command{Path: v.Path, Flags: v, Prefix: prefix(v), Pos: at, Argv: v.Argv}
		m.u.Commands[d.Name] = append(m.u.Commands[d.Name], c)
		out = append(out, c.String())
	}
	return out, nil
}

// keepUnknownEscapes doubles the backslashes of a command line that begin no
// escape sequence: systemd warns of them and keeps them.
func keepUnknownEscapes(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		b.WriteByte(s[i])
		if s[i] != '\\' || i+1 == len(s) {
			continue
		}
		alone := s[i+1] == ';' && (i == 0 || s[i-1] == ' ' || s[i-1] == '\t') && (i+2 == len(s) || s[i+2] == ' ' || s[i+2] == '\t')
		if _, _, _, ok := value.UnescapeChar(s[i+1:]); ok || alone {
			i++
			b.WriteByte(s[i])
			continue
		}
		b.WriteByte('\\')
		if s[i+1] == ' ' {
			b.WriteString(`\s`) // the space belongs to the word
			i++
		}
	}
	return b.String()
}

// prefix gives the special characters of a command.
func prefix(c value.Command) string {
	var b strings.Builder
	for _, p := range []struct {
		on bool
		s  string
	}{{c.OwnArgv0, "@"}, {c.IgnoreFailure, "-"}, {c.NoExpand, ":"}, {c.FullPrivileges, "+"}, {c.AmbientMagic, "!!"}, {c.SetUser, "!"}, {c.Shell, "|"}} {
		if p.on {
			b.WriteString(p.s)
		}
	}
	return b.String()
}

// String spells the command as in a unit file.
func (c Command) String() string {
	argv := c.Argv
	if !c.Flags.OwnArgv0 && len(argv) > 0 {
		argv = argv[1:]
	}
	s := c.Prefix + value.QuoteWord(c.Path)
	if len(argv) > 0 {
		s += " " + value.JoinWords(argv)
	}
	return s
}
