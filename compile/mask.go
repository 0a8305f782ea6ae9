package compile

import (
	"bytes"
	"path"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/index"
	"github.com/unitgen/unitgen/schema/tree"
)

// sourceBytes gives a file's text with the literals of secrets masked, byte
// for byte, so that columns stay right.
func (c *compilation) sourceBytes(file string) []byte {
	if c.lazy {
		// The masks need the options' types: parse and index, no more.
		c.lazy = false
		found := c.diags
		c.prepare(&Result{Tree: &tree.Tree{}})
		c.diags = found
	}
	if c.set == nil {
		return nil
	}
	src := c.set.Sources[file]
	if src == nil {
		return c.programBytes(file)
	}
	if out, ok := c.masked[file]; ok {
		return out
	}
	out := c.maskedText(file, src)
	if c.masked == nil {
		c.masked = map[string][]byte{}
	}
	c.masked[file] = out
	return out
}

func (c *compilation) maskedText(file string, src []byte) []byte {
	if c.masks == nil {
		c.masks = map[string][]hcl.Range{}
		c.findSecrets()
	}
	ranges := c.masks[file]
	made := madeSecret.FindAllSubmatchIndex(src, -1)
	if c.ix != nil && len(ranges) == 0 && len(made) == 0 {
		return src
	}
	out := bytes.Clone(src)
	for _, m := range made {
		for i := m[2]; i < m[3]; i++ {
			out[i] = '*'
		}
	}
	for _, r := range ranges {
		for i := max(r.Start.Byte, 0); i < min(r.End.Byte, len(out)); i++ {
			if out[i] != '\n' && out[i] != '\r' {
				out[i] = '*'
			}
		}
	}
	if c.ix == nil {
		maskLikely(out, likely)
		if names := c.secretNames(); names != nil {
			maskLikely(out, names)
		}
	}
	return out
}

// programBytes gives the text of a Jsonnet file of one of the modules. No secret
// comes into a program.
func (c *compilation) programBytes(file string) []byte {
	if ext := path.Ext(file); ext != ".jsonnet" && ext != ".libsonnet" {
		return nil
	}
	for _, m := range c.set.Modules {
		if name, ok := strings.CutPrefix(file, m.Prefix); ok {
			if b, err := newFiles(m, nil).Read(name); err == nil {
				return b
			}
		}
	}
	return nil
}

// madeSecret finds the literals that a source makes secrets of.
var madeSecret = regexp.MustCompile(`\bsensitive\(\s*"((?:[^"\\\n]|\\.)*)`)

// declared finds the options of type secret in text that cannot be read as a
// whole.
var declared = regexp.MustCompile(`(?m)\boption\s+"([\w-]+)"\s*\{[^}]*?\btype\s*=[^\n}]*\bsecret\b`)

// secretNames matches the definitions of the options that any of the sources
// declares to be secret.
func (c *compilation) secretNames() *regexp.Regexp {
	var names []string
	for _, src := range c.set.Sources {
		for _, m := range declared.FindAllSubmatch(src, -1) {
			names = append(names, string(m[1]))
		}
	}
	if len(names) == 0 {
		return nil
	}
	return regexp.MustCompile(`\b(?:` + strings.Join(names, "|") + `)\s*=\s*"?([^\n]*)`)
}

// likely finds attributes that are secret by their names, for files that could
// not be read far enough to know the options' types.
var likely = regexp.MustCompile(`(?mi)^[^"\n]*(?:passw|secret|token|passphrase|private_key|credential)[^="\n]*=\s*"?([^\n]*)`)

func maskLikely(src []byte, names *regexp.Regexp) {
	for _, m := range names.FindAllSubmatchIndex(src, -1) {
		for i := m[2]; i < m[3]; i++ {
			if src[i] != '"' && src[i] != ' ' && src[i] != '}' {
				src[i] = '*'
			}
		}
	}
}

// findSecrets finds the string literals that end in a secret option.
func (c *compilation) findSecrets() {
	if c.ix == nil {
		return
	}
	seen := map[hcl.Expression]bool{}
	for _, d := range c.ix.Refused {
		c.mask(d.Block.Module, d.Attr.Expr(), seen)
	}
	for _, m := range c.ix.Modules {
		for _, n := range m.Names {
			o := m.Options[n]
			if !o.Type.HasSecret() {
				continue
			}
			if a := o.Block.Attr("type"); a != nil {
				c.mask(m, a.Expr(), seen) // the defaults of its fields
			}
			if o.Example != nil {
				c.mask(m, o.Example.Expr(), seen)
			}
			if o.Default != nil {
				c.mask(m, o.Default.Expr(), seen)
			}
			for _, d := range o.Defs {
				if d.Expr != nil && d.Block != nil {
					c.mask(d.Block.Module, d.Expr, seen)
				}
			}
		}
	}
}

// mask notes the literals of an expression and of the locals and options that
// it reads.
func (c *compilation) mask(m *index.Module, x hclsyntax.Expression, seen map[hcl.Expression]bool) {
	if seen[x] || len(seen) > 10000 {
		return
	}
	seen[x] = true
	_ = hclsyntax.VisitAll(x, func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case *hclsyntax.LiteralValueExpr:
			if !n.Val.IsNull() && n.Val.Type() == cty.String {
				c.masks[n.SrcRange.Filename] = append(c.masks[n.SrcRange.Filename], n.SrcRange)
			}
		case *hclsyntax.ScopeTraversalExpr:
			c.follow(m, n.Traversal, seen)
		}
		return nil
	})
}

func (c *compilation) follow(m *index.Module, t hcl.Traversal, seen map[hcl.Expression]bool) {
	name := func(i int) string {
		if i < len(t) {
			if a, ok := t[i].(hcl.TraverseAttr); ok {
				return a.Name
			}
		}
		return ""
	}
	var o *index.Option
	switch t.RootName() {
	case "local":
		if l := m.Locals[name(1)]; l != nil {
			c.mask(m, l.Attr.Expr(), seen)
		}
		return
	case "option":
		o = m.Options[name(1)]
	case "config":
		if other := c.ix.ByName[name(1)]; other != nil {
			o = other.Options[name(2)]
		}
	}
	if o == nil || o.Type.HasSecret() {
		return
	}
	for _, d := range o.Defs {
		if d.Expr != nil && d.Block != nil {
			c.mask(d.Block.Module, d.Expr, seen)
		}
	}
	if o.Default != nil {
		c.mask(o.Module, o.Default.Expr(), seen)
	}
}
