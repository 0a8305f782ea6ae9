package eval

import (
	"fmt"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/index"
	"github.com/unitgen/unitgen/compile/internal/merge"
	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/schema/diag"
)

// pathNode is an option, or a part of one below maps and objects.
type pathNode struct {
	node
	opt    *index.Option
	typ    *types.Type
	field  *types.Field // the declaration of a field of an object
	parent *pathNode
	key    string
	kids   map[string]*pathNode

	sel        node // the selection of definitions
	defs       []*index.Def
	removes    []*index.Def
	structural bool // keys known, so that parts can be read while the whole is evaluated
	keysDone   bool
	names      []string
	parts      map[string][]*index.Def
	others     bool // there are definitions that do not count
}

func relatedOf(d *diag.Diagnostic) diag.Related {
	return diag.Related{Message: d.Summary + ": " + d.Detail, Range: d.Subject}
}

func (e *Evaluator) optionNode(o *index.Option) *pathNode {
	p := e.shared().options[o]
	if p == nil {
		p = &pathNode{opt: o, typ: o.Type}
		p.name = o.Path()
		p.sel.name = p.name
		if e.base == nil {
			e.options[o] = p
		}
	}
	return p
}

// Option evaluates a whole option.
func (e *Evaluator) Option(o *index.Option) (cty.Value, bool) {
	return e.value(e.optionNode(o), o.Block.Header)
}

// HasValue reports whether an option has a definition or a default.
func (e *Evaluator) HasValue(o *index.Option) bool {
	p := e.optionNode(o)
	e.selection(p, o.Block.Header)
	return len(p.defs) > 0 || p.sel.failed
}

// Selected gives the definitions of an option that count, for explain.
func (e *Evaluator) Selected(o *index.Option) []*index.Def {
	p := e.optionNode(o)
	e.selection(p, o.Block.Header)
	return append(append([]*index.Def(nil), p.defs...), p.removes...)
}

// Active reports whether the conditions of a definition hold.
func (e *Evaluator) Active(d *index.Def) (bool, bool) {
	ok, fine := e.holds(d.Block, eachOf(d), d.At)
	if !ok || !fine {
		return ok, fine
	}
	for _, w := range d.Whens {
		v, fine := e.Eval(e.scope(d), w)
		if !fine {
			return false, false
		}
		if !e.open(v, w.Range(), "the condition of when()") {
			return false, false
		}
		raw, _ := v.Unmark()
		b, fine := e.isTrue(raw, w.Range(), "The condition of when()")
		if !b || !fine {
			return false, fine
		}
	}
	return true, true
}

func eachOf(d *index.Def) *Each {
	x, _ := d.Each.(*Each)
	return x
}

func (e *Evaluator) scope(d *index.Def) *Scope {
	return &Scope{Module: d.Block.Module, Each: eachOf(d)}
}

// holds evaluates the conditions of a block; those that cannot read each are
// evaluated once for all instances.
func (e *Evaluator) holds(b *index.Block, each *Each, at hcl.Range) (bool, bool) {
	if b == nil || len(b.Conds) == 0 {
		return true, true
	}
	n := e.conds[b]
	if n == nil {
		n = &node{name: "when of " + blockName(b), own: e.base != nil}
		e.conds[b] = n
	}
	if b.ForEach == nil || each == nil {
		v, ok := e.force(n, at, func() (cty.Value, bool) { return e.conditions(b, nil) })
		return ok && v.True(), ok
	}
	v, ok := e.conditions(b, each)
	return ok && v.True(), ok
}

func (e *Evaluator) conditions(b *index.Block, each *Each) (cty.Value, bool) {
	for _, c := range b.Conds {
		s := &Scope{Module: c.Module}
		if c.Own {
			s.Each = each
			if each == nil && b.ForEach != nil && readsEach(c.Expr) {
				continue // asked of the block as a whole: its instances decide
			}
		}
		v, ok := e.Eval(s, c.Expr)
		if !ok {
			return cty.False, false
		}
		if !e.open(v, c.Expr.Range(), "the condition of a block") {
			return cty.False, false
		}
		raw, _ := v.Unmark()
		t, ok := e.isTrue(raw, c.Expr.Range(), "The condition")
		if !ok {
			return cty.False, false
		}
		if !t {
			return cty.False, true
		}
	}
	return cty.True, true
}

func readsEach(x hcl.Expression) bool {
	for _, t := range x.Variables() {
		if t.RootName() == "each" {
			return true
		}
	}
	return false
}

func blockName(b *index.Block) string {
	if b.Label() == "" {
		return b.Kind
	}
	if hclsyntax.ValidIdentifier(b.Label()) && isUnitKind(b.Kind) {
		return b.Kind + "." + b.Label()
	}
	return fmt.Sprintf("%s[%q]", b.Kind, b.Label())
}

// selection finds the definitions that count: conditions hold, not null,
// strongest priority, in list order.
func (e *Evaluator) selection(p *pathNode, at hcl.Range) bool {
	_, ok := e.force(&p.sel, at, func() (cty.Value, bool) {
		var all []*index.Def
		if p.parent == nil {
			all = p.opt.Defs
			if p.opt.Default != nil {
				d := &index.Def{Expr: p.opt.Default.Expr(), At: p.opt.Default.Expr().Range(), Lit: p.opt.Default.Lit, Prio: index.PrioOption, Order: index.OrderPlain,
					Block: &index.Block{Block: p.opt.Block, Module: p.opt.Module}, Option: p.opt, Key: "default", KeyAt: p.opt.Default.NameRange()}
				all = append(all[:len(all):len(all)], d)
			}
		} else {
			if !e.split(p.parent, at) {
				return cty.NilVal, false
			}
			all = p.parent.parts[p.key]
		}
		fine := true
		active := make([]*index.Def, 0, len(all))
		for _, d := range all {
			e.Stats.Definitions++
			on, ok := true, true
			if p.parent == nil || len(d.Whens) > 0 {
				on, ok = e.Active(d)
			}
			if !ok {
				fine = false
				continue
			}
			if !on {
				p.others = true
				if d.Expr != nil {
					e.LintDef(d)
				}
				continue
			}
			if d.Remove {
				if !takesRemove(p) {
					e.err("E0413", "remove() of what is no list", d.At, "%s has one value, not elements. Override it with force(…), or make the other definition conditional.", p.name)
					fine = false
					continue
				}
				p.removes = append(p.removes, d)
				continue
			}
			active = append(active, d)
		}
		var ok bool
		p.defs, ok = merge.Strongest(active, func(d *index.Def) (bool, bool) { return e.isNull(d, p.typ) })
		p.others = p.others || len(active) > len(p.defs)
		for _, d := range active {
			if !d.Evaluated && d.Expr != nil && !contains(p.defs, d) {
				e.LintDef(d)
			}
		}
		return cty.NilVal, fine && ok
	})
	return ok
}

func contains(l []*index.Def, d *index.Def) bool {
	if len(l) > 64 {
		return len(l) > 0 && l[0].Prio == d.Prio
	}
	for _, x := range l {
		if x == d {
			return true
		}
	}
	return false
}

// isNull reports whether a definition is null, which is no definition, unless
// the type takes null.
func (e *Evaluator) isNull(d *index.Def, t *types.Type) (null, ok bool) {
	if t.IsNullable() && t.Kind() != types.Any {
		return false, true
	}
	if d.Expr != nil && !d.Evaluated {
		switch x := d.Expr.(type) {
		case *hclsyntax.TemplateExpr, *hclsyntax.TupleConsExpr, *hclsyntax.ObjectConsExpr, *hclsyntax.ForExpr:
			return false, true
		case *hclsyntax.LiteralValueExpr:
			return x.Val.IsNull(), true
		}
	}
	v, ok := e.defValue(d)
	if !ok {
		return false, false
	}
	return v.IsNull(), true
}

// defValue evaluates a definition once.
func (e *Evaluator) defValue(d *index.Def) (cty.Value, bool) {
	if d.Expr == nil {
		return d.Val, !d.Failed
	}
	if !d.Evaluated {
		v, ok := e.Eval(e.scope(d), d.Expr)
		d.Val, d.Failed, d.Evaluated = v, !ok, true
	}
	return d.Val, !d.Failed
}

// structured reports whether a node's value is made of parts that can be read
// one by one.
func (e *Evaluator) structured(p *pathNode) bool {
	if (p.opt.Merge != "" || p.opt.Apply != nil) && p.parent == nil || p.typ.Kind() == types.Coerce || p.typ.Kind() == types.Nullable {
		return false
	}
	switch p.typ.MergeKind() {
	case types.MergeMap, types.MergeObject, types.MergeSubmodule:
		return true
	case types.MergeAny:
		if p.sel.state == running {
			return false
		}
		e.selection(p, p.opt.Block.Header)
		return len(p.defs) > 0 && allObjects(p.defs)
	}
	return false
}

func allObjects(defs []*index.Def) bool {
	for _, d := range defs {
		if d.Expr != nil {
			if _, ok := d.Expr.(*hclsyntax.ObjectConsExpr); ok {
				continue
			}
			if !d.Evaluated {
				return false
			}
		}
		v, _ := d.Val.Unmark()
		if !v.IsKnown() || v.IsNull() || !v.Type().IsObjectType() && !v.Type().IsMapType() {
			return false
		}
	}
	return true
}

// split divides the selected definitions by key.
func (e *Evaluator) split(p *pathNode, at hcl.Range) bool {
	if p.keysDone {
		return !p.sel.failed
	}
	if e.base != nil {
		e.missed = true
		return false
	}
	if !e.selection(p, at) {
		return false
	}
	p.keysDone, p.structural = true, true
	p.parts = map[string][]*index.Def{}
	fine := true
	for _, d := range p.defs {
		if !e.divide(p, d) {
			fine = false
		}
	}
	p.names = make([]string, 0, len(p.parts))
	for k := range p.parts {
		p.names = append(p.names, k)
	}
	sort.Strings(p.names)
	p.sel.failed = p.sel.failed || !fine
	return fine
}

func (p *pathNode) addPart(d *index.Def) {
	p.parts[d.Key] = append(p.parts[d.Key], d)
}

func (e *Evaluator) divide(p *pathNode, d *index.Def) bool {
	obj, literal := d.Expr.(*hclsyntax.ObjectConsExpr)
	if !literal || p.typ.Kind() == types.Coerce {
		return e.divideValue(p, d)
	}
	fine := true
	seen := make(map[string]hcl.Range, len(obj.Items))
	for _, it := range obj.Items {
		key, ok := e.objectKey(d, it.KeyExpr)
		if !ok {
			fine = false
			continue
		}
		at := it.KeyExpr.Range()
		if old, dup := seen[key]; dup {
			x := e.err("E0407", "Key defined twice", at, "The key %q stands twice in this object. Remove one.", key)
			x.Related = append(x.Related, related("the other one", old))
			fine = false
			continue
		}
		seen[key] = at
		if !e.allowed(p, key, at) {
			fine = false
			continue
		}
		part, ok := e.IX.Part(d, key, at, it.ValueExpr)
		e.takeIndexDiags()
		if !ok {
			fine = false
			continue
		}
		p.addPart(part)
	}
	return fine
}

func (e *Evaluator) takeIndexDiags() { e.Diags = append(e.Diags, e.IX.TakeDiags()...) }

// objectKey evaluates the key of an object's item.
func (e *Evaluator) objectKey(d *index.Def, x hclsyntax.Expression) (string, bool) {
	if k := hcl.ExprAsKeyword(x); k != "" {
		return k, true
	}
	var v cty.Value
	ok := false
	if ke, is := x.(*hclsyntax.ObjectConsKeyExpr); is {
		if tr, isTr := ke.Wrapped.(*hclsyntax.ScopeTraversalExpr); isTr && !ke.ForceNonLiteral {
			e.err("E0408", "Invalid key", x.Range(), "A key with dots is ambiguous. Quote it, %q, or put parentheses around an expression.", Spell(tr.Traversal))
			return "", false
		}
		v, ok = e.Eval(e.scope(d), ke.Wrapped)
	} else {
		v, ok = e.Eval(e.scope(d), x)
	}
	if !ok {
		return "", false
	}
	if marks := types.Secrets(v); len(marks) > 0 {
		e.Secret(marks, x.Range(), "a key, and keys are names, which everybody can read")
		return "", false
	}
	v, _ = v.Unmark()
	switch {
	case v.IsNull() || !v.IsKnown():
	case v.Type() == cty.String:
		return v.AsString(), true
	case v.Type() == cty.Number:
		return v.AsBigFloat().Text('f', -1), true
	}
	e.err("E0408", "Invalid key", x.Range(), "A key must be a string, not %s.", describe(v))
	return "", false
}

// allowed reports an undeclared key of an object.
func (e *Evaluator) allowed(p *pathNode, key string, at hcl.Range) bool {
	k := p.typ.MergeKind()
	if k != types.MergeObject && k != types.MergeSubmodule || p.typ.Field(key) != nil || p.typ.Rest() != nil {
		return true
	}
	var names []string
	for _, f := range p.typ.Fields() {
		names = append(names, f.Name)
	}
	d := e.err("E0409", "Unknown key", at, "%s has no field %q.%s%s", p.name, key, suggestion(key, names), known(" Its fields are: ", names))
	d.Related = append(d.Related, related("declared here", p.opt.Block.Header))
	return false
}

func (e *Evaluator) divideValue(p *pathNode, d *index.Def) bool {
	v, ok := e.defValue(d)
	if !ok {
		return false
	}
	v, problems := p.typ.ConvertPart(v, e.source(p, d))
	if len(problems) > 0 {
		e.problems(p, d, problems)
		return false
	}
	raw, marks := v.Unmark()
	if !raw.IsKnown() || raw.IsNull() || !raw.CanIterateElements() || !raw.Type().IsObjectType() && !raw.Type().IsMapType() {
		e.err("E0403", "Value has the wrong type", d.At, "%s must be an object { … }, not %s.", p.name, describe(raw))
		return false
	}
	for it := raw.ElementIterator(); it.Next(); {
		k, x := it.Element()
		if x.IsNull() {
			continue
		}
		part := *d
		part.Expr, part.Val, part.Evaluated, part.Key, part.Whens = nil, x.WithMarks(marks), true, k.AsString(), nil
		part.Prio, part.Order, part.KeyAt = index.PrioPlain, index.OrderPlain, d.At
		p.addPart(&part)
	}
	return true
}

func (e *Evaluator) source(p *pathNode, d *index.Def) types.Source {
	return types.Source{Option: p.name, At: d.At}
}

// keys gives the names of the parts.
func (e *Evaluator) keys(p *pathNode) []string {
	out := append([]string(nil), p.names...)
	for _, f := range p.typ.Fields() {
		if _, ok := p.parts[f.Name]; !ok {
			out = append(out, f.Name)
		}
	}
	sort.Strings(out)
	return out
}

// child gives the node of a key.
func (e *Evaluator) child(p *pathNode, key string, at hcl.Range) (c *pathNode, ok, exists bool) {
	if !e.split(p, at) {
		return nil, false, false
	}
	field := p.typ.Field(key)
	if _, has := p.parts[key]; !has && field == nil {
		return nil, true, false
	}
	if c = p.kids[key]; c != nil {
		return c, true, true
	}
	if e.base != nil {
		e.missed = true
		return nil, false, false
	}
	t := types.Named("any")
	switch {
	case field != nil:
		t = field.Type
	case p.typ.Elem() != nil:
		t = p.typ.Elem()
	case p.typ.Rest() != nil:
		t = p.typ.Rest()
	}
	c = &pathNode{opt: p.opt, typ: t, parent: p, key: key, field: field}
	c.name = p.name + "." + key
	if !hclsyntax.ValidIdentifier(key) {
		c.name = fmt.Sprintf("%s[%q]", p.name, key)
	}
	c.sel.name = c.name
	if p.kids == nil {
		p.kids = map[string]*pathNode{}
	}
	p.kids[key] = c
	return c, true, true
}

// problems reports what a conversion found, at the part of the source that is
// meant where it is literal.
func (e *Evaluator) problems(p *pathNode, d *index.Def, problems []types.Problem) {
	for _, pr := range problems {
		at := narrow(d.Expr, d.At, pr.Path)
		text := strings.TrimSuffix(pr.String(), ".")
		sep := " "
		if strings.HasPrefix(text, "[") || strings.HasPrefix(text, ".") {
			sep = ""
		}
		end := "."
		if strings.HasSuffix(text, "?") {
			end = ""
		}
		x := e.err("E0403", "Value has the wrong type", at, "%s%s%s%s", p.name, sep, text, end)
		if d.Block != nil && d.Block.Module != p.opt.Module {
			x.Related = append(x.Related, related("declared here", p.opt.Block.Header))
		}
	}
}

// narrow finds the expression at a path inside a literal one.
func narrow(x hclsyntax.Expression, at hcl.Range, path cty.Path) hcl.Range {
	for _, st := range path {
		switch l := x.(type) {
		case *hclsyntax.ObjectConsExpr:
			name := ""
			switch st := st.(type) {
			case cty.GetAttrStep:
				name = st.Name
			case cty.IndexStep:
				if st.Key.Type() == cty.String && st.Key.IsKnown() {
					name = st.Key.AsString()
				}
			}
			x = nil
			for _, it := range l.Items {
				if k, hd := it.KeyExpr.Value(nil); !hd.HasErrors() && k.Type() == cty.String && k.IsKnown() && !k.IsNull() && k.AsString() == name {
					x = it.ValueExpr
				}
			}
		case *hclsyntax.TupleConsExpr:
			st, ok := st.(cty.IndexStep)
			x = nil
			if ok && st.Key.Type() == cty.Number && st.Key.IsKnown() {
				if n, _ := st.Key.AsBigFloat().Int64(); n >= 0 && int(n) < len(l.Exprs) {
					x = l.Exprs[n]
				}
			}
		default:
			x = nil
		}
		if x == nil {
			return at
		}
		at = x.Range()
	}
	return at
}
