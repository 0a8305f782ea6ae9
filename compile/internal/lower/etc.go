package lower

import (
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/encode"
	"github.com/unitgen/unitgen/compile/internal/eval"
	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitname"
)

var (
	stringType = types.Named("string")
	modeType   = types.Named("mode")
	anyType    = types.Named("any")
	ownerType  = eval.Type("either(string, number)")
)

// contents are the attributes of which an etc block has exactly one.
var contents = []string{"text", "source", "json", "yaml", "toml", "ini", "jsonnet"}

// etcFiles makes the files of etc blocks.
func (l *lowering) etcFiles() {
	groups := l.e.Groups("etc", func(c eval.Contrib, name string) (string, bool) {
		return string(l.e.PlaceOf(c)) + "\x00" + name, true
	})
	for _, g := range groups {
		place, p, _ := strings.Cut(g.Name, "\x00")
		at := g.Contribs[0].Header()
		if fault := PathFault(p); fault != "" {
			l.err("E0608", "Path is refused", labelAt(g.Contribs[0]), "%q %s. The label of an etc block is a path below /etc, such as \"app/config.yaml\".", p, fault)
			continue
		}
		if p == "unitgen" || strings.HasPrefix(p, "unitgen/") {
			l.err("E0608", "Path is refused", labelAt(g.Contribs[0]), "/etc/%s belongs to unitgen itself, which keeps its generations below /etc/unitgen. Choose another path.", p)
			continue
		}
		thing := fmt.Sprintf("etc[%q]", p)
		on, _, ok := l.e.Bool(thing, "enable", g.Contribs, true)
		if !ok || !on {
			continue
		}
		f := &tree.File{Path: place + "/" + p, Mode: 0o644, Origin: syntax.Range(at)}
		if !l.content(thing, g, f) || !l.owner(thing, g, f) {
			continue
		}
		l.addFile(f)
		l.rawUnit(p, labelAt(g.Contribs[0]))
	}
}

// rawUnit warns of a unit file or drop-in that is written as text.
func (l *lowering) rawUnit(p string, at hcl.Range) {
	rest, ok := strings.CutPrefix(p, "systemd/system/")
	if !ok {
		if rest, ok = strings.CutPrefix(p, "systemd/user/"); !ok {
			return
		}
	}
	dir, conf := path.Split(rest)
	name := strings.TrimSuffix(dir, ".d/")
	switch {
	case dir == "" && unitname.Valid(conf):
		t := unitname.Type(conf)
		l.err("W0610", "Unit file is written as text", at, "Nothing in it is checked, and nothing else can refer to it. Write %s %q { … }, as unitgen import prints it, or take a whole directory of unit files by a package block.", t, strings.TrimSuffix(conf, "."+t)).Severity = diag.Warning
	case name != dir && strings.HasSuffix(conf, ".conf") && dropInKind(name) != "":
		l.err("W0610", "Unit file is written as text", at, "Nothing in it is checked. Write dropin %q { … }.", name).Severity = diag.Warning
	}
}

func labelAt(c eval.Contrib) hcl.Range {
	if c.Gen == nil && c.Block.Name != nil {
		return c.Block.Name.Expr().Range()
	}
	if c.Gen == nil && len(c.Block.Labels) > 0 {
		return c.Block.Labels[0].Range
	}
	return c.Header()
}

func (l *lowering) addFile(f *tree.File) {
	l.files[f.Path] = f
}

// PathFault says why a path below a directory is refused, or "".
func PathFault(p string) string {
	switch {
	case p == "":
		return "is empty"
	case strings.HasPrefix(p, "/"):
		return "is absolute"
	case strings.ContainsAny(p, "\x00\n\r"):
		return "holds a newline or NUL character"
	case len(p) > 4000:
		return "is too long"
	}
	for _, part := range strings.Split(p, "/") {
		switch {
		case part == "..":
			return "climbs out of the tree"
		case part == "" || part == ".":
			return "is not in its shortest form"
		case len(part) > 255:
			return "has a component of more than 255 bytes"
		}
	}
	return ""
}

// content evaluates what is in a file.
func (l *lowering) content(thing string, g *eval.Group, f *tree.File) bool {
	kind := ""
	var kindAt hcl.Range
	for _, c := range g.Contribs {
		for _, k := range contents {
			at, has := attrAt(c, k)
			if !has {
				continue
			}
			if kind != "" && kind != k {
				d := l.err("E0208", "Attributes contradict each other", at, "A file has one kind of content, and %s has %s and %s. Keep one.", thing, kind, k)
				d.Related = append(d.Related, related("the other one", kindAt))
				return false
			}
			kind, kindAt = k, at
		}
	}
	var v cty.Value
	set := false
	if kind != "" {
		var ok bool
		t := stringType
		switch kind {
		case "json", "yaml", "toml", "ini":
			t = anyType
		}
		v, _, set, ok = l.e.MarkedAttr(thing, kind, t, g.Contribs)
		if !ok {
			return false
		}
	}
	if at, has := inputAt(g); has && kind != "jsonnet" {
		l.err("E0208", "Attributes contradict each other", at, "input is what the program of jsonnet = … gets, and %s has no program. Add jsonnet, or remove input.", thing)
		return false
	}
	if !set {
		l.lacks(g, "E0204", "Attribute is missing", g.Contribs[0].Header(), "%s has no content. Give it one of %s.", thing, strings.Join(contents, ", "))
		return false
	}
	if marks := types.Secrets(v); len(marks) > 0 {
		l.e.Secret(marks, kindAt, "the file /etc/"+strings.TrimPrefix(f.Path, "etc/")+" of the tree, which everybody can read")
		return false
	}
	v, _ = v.UnmarkDeep()
	return l.bytes(thing, kind, kindAt, g, v, f)
}

func (l *lowering) bytes(thing, kind string, at hcl.Range, g *eval.Group, v cty.Value, f *tree.File) bool {
	switch kind {
	case "text":
		f.Content = []byte(v.AsString())
	case "source":
		c := l.lastWith(g, kind)
		b, err := l.o.ReadFile(c.Block.Module, v.AsString())
		if err != nil {
			l.err("E0105", "Source file cannot be read", at, "%s: %s. A source is relative to the directory of the file that names it and stays inside it.", v.AsString(), err)
			return false
		}
		f.Content = b
	case "jsonnet":
		return l.jsonnet(thing, at, g, v.AsString(), f)
	default:
		b, err := encode.Encode(kind, v)
		if err != nil {
			l.err("E0414", "Value cannot be written in this format", at, "%s %s. Change the value, or choose another format.", thing, err)
			return false
		}
		f.Content = b
		f.Keys = keys(g, kind)
	}
	return true
}

func (l *lowering) lastWith(g *eval.Group, kind string) eval.Contrib {
	for i := len(g.Contribs) - 1; i >= 0; i-- {
		if _, has := attrAt(g.Contribs[i], kind); has {
			return g.Contribs[i]
		}
	}
	return g.Contribs[0]
}

func attrAt(c eval.Contrib, name string) (hcl.Range, bool) {
	if c.Gen != nil {
		if a := c.Gen.Attr(name); a != nil {
			return a.Range, true
		}
		return hcl.Range{}, false
	}
	if a := c.Block.Attr(name); a != nil {
		return a.Expr().Range(), true
	}
	return hcl.Range{}, false
}

// keys maps the literal keys of settings to where they stand.
func keys(g *eval.Group, kind string) map[string]diag.Range {
	out := map[string]diag.Range{}
	for _, c := range g.Contribs {
		if c.Gen != nil {
			continue
		}
		a := c.Block.Attr(kind)
		if a == nil {
			continue
		}
		var walk func(prefix string, x hclsyntax.Expression, depth int)
		walk = func(prefix string, x hclsyntax.Expression, depth int) {
			obj, ok := x.(*hclsyntax.ObjectConsExpr)
			if !ok || depth > 32 {
				return
			}
			for _, it := range obj.Items {
				k, hd := it.KeyExpr.Value(nil)
				if hd.HasErrors() || !k.IsKnown() || k.IsNull() || k.Type() != cty.String {
					continue
				}
				p := k.AsString()
				if prefix != "" {
					p = prefix + "." + p
				}
				out[p] = syntax.Range(it.ValueExpr.Range())
				walk(p, it.ValueExpr, depth+1)
			}
		}
		walk("", a.Expr(), 0)
	}
	return out
}

// owner evaluates mode, owner and group.
func (l *lowering) owner(thing string, g *eval.Group, f *tree.File) bool {
	v, at, set, ok := l.e.Attr(thing, "mode", modeType, g.Contribs)
	if !ok {
		return false
	}
	if set {
		raw, _ := v.Unmark()
		n, err := strconv.ParseUint(raw.AsString(), 8, 32)
		if err != nil || n > 0o7777 {
			l.err("E0403", "Value has the wrong type", at, "%s.mode must be an octal mode in quotes, such as \"0644\", not %q.", thing, raw.AsString())
			return false
		}
		f.Mode = fileMode(uint32(n))
	}
	for _, o := range []struct {
		name string
		to   *string
	}{{"owner", &f.Owner}, {"group", &f.Group}} {
		v, at, set, ok := l.e.Attr(thing, o.name, ownerType, g.Contribs)
		if !ok {
			return false
		}
		if !set {
			continue
		}
		s := l.account(v)
		if s == "" || strings.ContainsAny(s, ":/ \t\n\r\x00") {
			l.err("E0217", "Invalid name", at, "%q cannot be the %s of a file. Write a user or group name, or a number.", s, o.name)
			return false
		}
		*o.to = s
	}
	real, _, ok := l.e.Bool(thing, "real", g.Contribs, false)
	f.Real = real
	return ok
}

func fileMode(n uint32) fs.FileMode {
	m := fs.FileMode(n & 0o777)
	if n&0o4000 != 0 {
		m |= fs.ModeSetuid
	}
	if n&0o2000 != 0 {
		m |= fs.ModeSetgid
	}
	if n&0o1000 != 0 {
		m |= fs.ModeSticky
	}
	return m
}

// account spells a user or group that may be a number.
func (l *lowering) account(v cty.Value) string {
	v, _ = v.Unmark()
	if v.IsNull() || !v.IsKnown() {
		return ""
	}
	if v.Type() == cty.Number {
		return eval.Number(v.AsBigFloat())
	}
	return v.AsString()
}
