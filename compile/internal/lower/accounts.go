package lower

import (
	"fmt"
	"path"
	"sort"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/eval"
	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/value"
)

var (
	idType      = eval.Type("either(number, string)")
	stringsType = eval.Type("list(string)")
)

// generated collects the lines of one file that several blocks make.
type generated struct {
	path  string
	lines []string
	keys  map[string]diag.Range
	from  diag.Range
}

func (g *generated) add(key, line string, at hcl.Range) {
	if g.keys == nil {
		g.keys = map[string]diag.Range{}
		g.from = diag.Range{}
	}
	g.lines = append(g.lines, line)
	g.keys[key] = syntax.Range(at)
}

func (l *lowering) addGenerated(g *generated) {
	if len(g.lines) == 0 {
		return
	}
	sort.Strings(g.lines)
	if old := l.files[g.path]; old != nil {
		d := diag.Errorf("E0803", "Two definitions claim one path", old.Origin, "%s would be made twice: here, and of user, group, tmpfile or sysctl blocks. Rename this file.", g.path)
		for _, at := range g.keys {
			if len(d.Related) == 0 || at.String() < d.Related[0].Range.String() {
				d.Related = []diag.Related{{Message: "the other one is made here", Range: at}}
			}
		}
		l.diags = append(l.diags, d)
		return
	}
	l.addFile(&tree.File{Path: g.path, Mode: 0o644, Content: []byte("# Made by unitgen.\n" + strings.Join(g.lines, "\n") + "\n"), Keys: g.keys})
}

// str merges a string attribute; a value that would break a line is refused.
func (l *lowering) str(thing, name string, t *types.Type, contribs []eval.Contrib, def string) (string, bool) {
	v, at, set, ok := l.e.MarkedAttr(thing, name, t, contribs)
	if !ok {
		return "", false
	}
	if !set {
		return def, true
	}
	if marks := types.Secrets(v); len(marks) > 0 {
		l.e.Secret(marks, at, thing+" in the tree, which everybody can read")
		return "", false
	}
	v, _ = v.Unmark()
	var s string
	switch {
	case v.IsNull():
		return def, true
	case v.Type() == cty.Number:
		s = eval.Number(v.AsBigFloat())
	case v.Type() == cty.Bool:
		s = strconv.FormatBool(v.True())
	default:
		s = v.AsString()
	}
	if strings.ContainsAny(s, "\n\r\x00") {
		l.err("E0506", "Value would break the line", at, "%s.%s holds a newline or NUL character, which would make further lines. Leave it out.", thing, name)
		return "", false
	}
	return s, true
}

func (l *lowering) list(thing, name string, contribs []eval.Contrib) ([]string, hcl.Range, bool) {
	v, at, set, ok := l.e.Attr(thing, name, stringsType, contribs)
	if !ok || !set {
		return nil, at, ok
	}
	v, _ = v.UnmarkDeep()
	var out []string
	for it := v.ElementIterator(); it.Next(); {
		_, x := it.Element()
		out = append(out, x.AsString())
	}
	return out, at, true
}

// accountName checks a user or group name as sysusers.d(5) wants it.
func (l *lowering) accountName(kind, name string, at hcl.Range) bool {
	ok := name != "" && len(name) <= 31
	for i, c := range name {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		ok = ok && (letter || i > 0 && (c >= '0' && c <= '9' || c == '-'))
	}
	if !ok {
		l.err("E0217", "Invalid name", at, "%q cannot be the name of a %s: letters, digits, _ and -, at most 31, beginning with a letter or _ (sysusers.d(5)).", name, kind)
	}
	return ok
}

// word quotes a field of sysusers.d and tmpfiles.d.
func word(s string) string {
	if s == "" {
		return "-"
	}
	if strings.ContainsAny(s, " \t\"'\\") {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
	}
	return s
}

// accounts makes sysusers.d lines of user and group blocks.
func (l *lowering) accounts() {
	out := &generated{path: "etc/sysusers.d/unitgen.conf"}
	for _, g := range l.e.Groups("group", nil) {
		at := labelAt(g.Contribs[0])
		thing := fmt.Sprintf("group[%q]", g.Name)
		if !l.accountName("group", g.Name, at) {
			continue
		}
		gid, ok := l.str(thing, "gid", idType, g.Contribs, "-")
		members, mat, ok2 := l.list(thing, "members", g.Contribs)
		if !ok || !ok2 || !l.id(thing, "gid", gid, g.Contribs) {
			continue
		}
		out.add(g.Name, "g "+g.Name+" "+gid, at)
		for _, m := range members {
			if l.accountName("user", m, mat) {
				out.add(g.Name+"/"+m, "m "+m+" "+g.Name, mat)
			}
		}
	}
	for _, g := range l.e.Groups("user", nil) {
		l.user(g, out)
	}
	l.addGenerated(out)
}

func (l *lowering) user(g *eval.Group, out *generated) {
	at := labelAt(g.Contribs[0])
	thing := fmt.Sprintf("user[%q]", g.Name)
	if !l.accountName("user", g.Name, at) {
		return
	}
	uid, ok1 := l.str(thing, "uid", idType, g.Contribs, "-")
	group, ok2 := l.str(thing, "group", idType, g.Contribs, "")
	desc, ok3 := l.str(thing, "description", stringType, g.Contribs, "")
	home, ok4 := l.str(thing, "home", stringType, g.Contribs, "")
	shell, ok5 := l.str(thing, "shell", stringType, g.Contribs, "")
	locked, _, ok6 := l.e.Bool(thing, "locked", g.Contribs, false)
	groups, gat, ok7 := l.list(thing, "groups", g.Contribs)
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || !ok6 || !ok7 || !l.id(thing, "uid", uid, g.Contribs) {
		return
	}
	for _, x := range [][2]string{{"home", home}, {"shell", shell}} {
		name, p := x[0], x[1]
		if p != "" && !strings.HasPrefix(p, "/") {
			l.err("E0403", "Value has the wrong type", l.attrAt(thing, name, stringType, g.Contribs), "%s.%s must be an absolute path, not %q.", thing, name, p)
			return
		}
	}
	if group != "" && !l.owned(thing, "group", group, g.Contribs) {
		return
	}
	if group != "" {
		if uid == "-" {
			// "-:group" lets systemd choose the number and takes the group.
			uid = "-:" + group
		} else {
			uid += ":" + group
		}
	}
	typ := "u"
	if locked && l.o.Systemd >= 257 {
		typ = "u!"
	}
	line := strings.TrimRight(strings.Join([]string{typ, g.Name, uid, word(desc), word(home), word(shell)}, " "), " ")
	for strings.HasSuffix(line, " -") {
		line = strings.TrimSuffix(line, " -")
	}
	out.add(g.Name, line, at)
	for _, m := range groups {
		if l.accountName("group", m, gat) {
			out.add(g.Name+"/"+m, "m "+g.Name+" "+m, gat)
		}
	}
}

func (l *lowering) id(thing, name, s string, contribs []eval.Contrib) bool {
	if s == "-" || strings.HasPrefix(s, "/") {
		return true
	}
	if n, err := strconv.ParseUint(s, 10, 32); err == nil && n != 0xffffffff && n != 0xffff {
		return true
	}
	l.err("E0403", "Value has the wrong type", l.attrAt(thing, name, idType, contribs), "%s.%s must be a number from 0 to 4294967294 but 65535, or the path of a file whose owner counts, not %q (sysusers.d(5)).", thing, name, s)
	return false
}

// owned checks the name or number of a user or group that something belongs to;
// specifiers stand where systemd-tmpfiles expands them.
func (l *lowering) owned(thing, name, s string, contribs []eval.Contrib) bool {
	if n, err := strconv.ParseUint(s, 10, 32); err == nil && n != 0xffffffff && n != 0xffff {
		return true
	}
	plain := s != "" && s[0] != '-'
	for _, c := range s {
		plain = plain && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' || c == '%')
	}
	if plain && (s[0] < '0' || s[0] > '9') {
		return true
	}
	l.err("E0403", "Value has the wrong type", l.attrAt(thing, name, ownerType, contribs), "%s.%s must be the name or the number of a user or group, not %q.", thing, name, s)
	return false
}

// ageFault says what is wrong with the age of a tmpfiles.d line, "" for nothing.
func ageFault(s string) string {
	rest := strings.TrimPrefix(s, "~")
	if by, span, ok := strings.Cut(rest, ":"); ok {
		if by == "" || strings.Trim(by, "aAbBcCmM") != "" {
			return "must name the time stamps by letters of aAbBcCmM before the colon"
		}
		rest = span
	}
	if _, err := value.ParseTimeSpan(rest); err != nil {
		return "must be a time span such as \"10d\" or \"m:1h\" (tmpfiles.d(5))"
	}
	return ""
}

// tmpfiles makes tmpfiles.d lines of tmpfile blocks.
func (l *lowering) tmpfiles() {
	out := &generated{path: "etc/tmpfiles.d/unitgen.conf"}
	for _, g := range l.e.Groups("tmpfile", nil) {
		at := labelAt(g.Contribs[0])
		thing := fmt.Sprintf("tmpfile[%q]", g.Name)
		if !strings.HasPrefix(g.Name, "/") && !strings.HasPrefix(g.Name, "%") || strings.ContainsAny(g.Name, "\n\r\x00") {
			l.err("E0608", "Path is refused", at, "The label of a tmpfile block is an absolute path without newlines, such as \"/run/app\", not %q.", g.Name)
			continue
		}
		if p := path.Clean(g.Name); p != strings.TrimSuffix(g.Name, "/") && g.Name != "/" {
			l.err("E0608", "Path is refused", at, "%q is not in its shortest form, and systemd-tmpfiles ignores such lines. Write %q.", g.Name, p)
			continue
		}
		fields := []string{"", word(g.Name)}
		fine := true
		for _, f := range []struct {
			name, def string
			t         *types.Type
		}{{"type", "d", stringType}, {"mode", "-", modeType}, {"owner", "-", ownerType}, {"group", "-", ownerType}, {"age", "-", stringType}, {"argument", "", stringType}} {
			v, ok := l.str(thing, f.name, f.t, g.Contribs, f.def)
			fine = fine && ok
			switch f.name {
			case "type":
				fields[0] = v
				if ok && (v == "" || !strings.ContainsRune("fwdDeqQpLcbCxXrRzZtThHaA", rune(v[0])) || strings.Trim(v[1:], "+!-=~^$?") != "") {
					l.err("E0403", "Value has the wrong type", l.attrAt(thing, "type", stringType, g.Contribs), "%s.type must be a line type of tmpfiles.d(5), such as d, f, L+ or Z, not %q.", thing, v)
					fine = false
				}
			case "owner", "group":
				if ok && v != "-" {
					fine = l.owned(thing, f.name, strings.TrimPrefix(v, ":"), g.Contribs) && fine
				}
				fields = append(fields, v)
			case "age":
				if ok && v != "-" {
					if why := ageFault(v); why != "" {
						l.err("E0403", "Value has the wrong type", l.attrAt(thing, "age", stringType, g.Contribs), "%s.age %s, not %q.", thing, why, v)
						fine = false
					}
				}
				fields = append(fields, word(v))
			case "argument":
				if v != "" {
					fields = append(fields, v)
				}
			default:
				fields = append(fields, word(v))
			}
		}
		if !fine {
			continue
		}
		line := strings.Join(fields, " ")
		for strings.HasSuffix(line, " -") {
			line = strings.TrimSuffix(line, " -")
		}
		out.add(g.Name, line, at)
	}
	l.addGenerated(out)
}

// sysctls makes the sysctl.d file.
func (l *lowering) sysctls() {
	out := &generated{path: "etc/sysctl.d/60-unitgen.conf"}
	for _, g := range l.e.Groups("sysctl", nil) {
		at := labelAt(g.Contribs[0])
		if strings.ContainsAny(g.Name, " \t\n\r\x00=#;") || strings.HasPrefix(g.Name, "/") || strings.Contains(g.Name, "..") {
			l.err("E0217", "Invalid name", at, "%q is no kernel setting. Write its name with dots or slashes, such as \"net.ipv4.ip_forward\".", g.Name)
			continue
		}
		thing := fmt.Sprintf("sysctl[%q]", g.Name)
		v, ok := l.str(thing, "value", eval.Type("either(bool, number, string)"), g.Contribs, "\x00")
		if !ok {
			continue
		}
		switch v {
		case "\x00":
			l.lacks(g, "E0204", "Attribute is missing", g.Contribs[0].Header(), "A sysctl block must have value. Add value = ….")
			continue
		case "true":
			v = "1"
		case "false":
			v = "0"
		}
		out.add(g.Name, g.Name+" = "+v, at)
	}
	l.addGenerated(out)
}
