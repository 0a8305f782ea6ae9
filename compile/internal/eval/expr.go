package eval

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/index"
	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/schema/diag"
)

// maxString and maxElements bound one value: each node's value is measured, so
// that no chain of templates grows without end.
const (
	maxString   = 32 << 20
	maxElements = 1 << 19
)

// Eval evaluates an expression in a scope that holds only what it reads.
func (e *Evaluator) Eval(s *Scope, x hcl.Expression) (cty.Value, bool) {
	v, ok := e.eval(s, x)
	if !ok {
		return cty.DynamicVal, false
	}
	return v, true
}

func (e *Evaluator) eval(s *Scope, x hcl.Expression) (cty.Value, bool) {
	switch x := x.(type) {
	case *hclsyntax.LiteralValueExpr:
		if e.octal(s, x) {
			return cty.DynamicVal, false
		}
		return x.Val, true
	case *hclsyntax.ParenthesesExpr:
		return e.eval(s, x.Expression)
	case *hclsyntax.TemplateWrapExpr:
		return e.eval(s, x.Wrapped)
	case *hclsyntax.ScopeTraversalExpr:
		return e.traverse(s, x.Traversal)
	case *hclsyntax.TemplateExpr:
		if str, ok := syntax.StringOf(x); ok {
			return cty.StringVal(str), true
		}
	case *hclsyntax.TupleConsExpr:
		return e.tuple(s, x)
	case *hclsyntax.ConditionalExpr:
		return e.conditional(s, x)
	case *hclsyntax.BinaryOpExpr:
		if x.Op == hclsyntax.OpLogicalAnd || x.Op == hclsyntax.OpLogicalOr {
			return e.logical(s, x)
		}
	}
	if node, ok := x.(hclsyntax.Expression); ok {
		if v, ok := e.fast(s, node); ok {
			return v, true
		}
	}
	return e.general(s, x)
}

// octal refuses numbers with a leading zero, which HCL reads as decimal.
func (e *Evaluator) octal(s *Scope, x *hclsyntax.LiteralValueExpr) bool {
	if x.Val.IsNull() || x.Val.Type() != cty.Number {
		return false
	}
	src := e.IX.Set.Sources[x.SrcRange.Filename]
	from, to := x.SrcRange.Start.Byte, x.SrcRange.End.Byte
	if from < 0 || to > len(src) || to-from < 2 || src[from] != '0' || src[from+1] < '0' || src[from+1] > '9' {
		return false
	}
	text := string(src[from:to])
	e.err("E0308", "Number with a leading zero", x.SrcRange, "%s would be the decimal number %s, not an octal one. Write a mode as a string, %q, and a number without the zero.", text, strings.TrimLeft(text, "0"), text)
	return true
}

func (e *Evaluator) tuple(s *Scope, x *hclsyntax.TupleConsExpr) (cty.Value, bool) {
	if len(x.Exprs) == 0 {
		return cty.EmptyTupleVal, true
	}
	vals := make([]cty.Value, len(x.Exprs))
	all := true
	for i, el := range x.Exprs {
		v, ok := e.eval(s, el)
		vals[i] = v
		all = all && ok
	}
	return cty.TupleVal(vals), all
}

// conditional evaluates only the branch that counts; names in the other are
// checked all the same.
func (e *Evaluator) conditional(s *Scope, x *hclsyntax.ConditionalExpr) (cty.Value, bool) {
	c, ok := e.eval(s, x.Condition)
	if !ok {
		return cty.DynamicVal, false
	}
	raw, marks := c.Unmark()
	b, ok := e.isTrue(raw, x.Condition.Range(), "The condition of ? :")
	if !ok {
		return cty.DynamicVal, false
	}
	take, leave := x.TrueResult, x.FalseResult
	if !b {
		take, leave = leave, take
	}
	e.Lint(s, leave)
	v, ok := e.eval(s, take)
	if !ok {
		return cty.DynamicVal, false
	}
	return v.WithMarks(marks), true
}

func (e *Evaluator) logical(s *Scope, x *hclsyntax.BinaryOpExpr) (cty.Value, bool) {
	l, ok := e.eval(s, x.LHS)
	if !ok {
		return cty.DynamicVal, false
	}
	raw, lm := l.Unmark()
	lb, ok := e.isTrue(raw, x.LHS.Range(), "The left side")
	if !ok {
		return cty.DynamicVal, false
	}
	if lb != (x.Op == hclsyntax.OpLogicalAnd) {
		e.Lint(s, x.RHS)
		return l, true
	}
	r, ok := e.eval(s, x.RHS)
	if !ok {
		return cty.DynamicVal, false
	}
	raw, rm := r.Unmark()
	rb, ok := e.isTrue(raw, x.RHS.Range(), "The right side")
	if !ok {
		return cty.DynamicVal, false
	}
	return cty.BoolVal(rb).WithMarks(lm, rm), true
}

func (e *Evaluator) isTrue(v cty.Value, at hcl.Range, what string) (bool, bool) {
	if !v.IsKnown() {
		return false, false
	}
	if !v.IsNull() && v.Type() == cty.Bool {
		return v.True(), true
	}
	if !v.IsNull() && v.Type() == cty.String && (v.AsString() == "true" || v.AsString() == "false") {
		return v.AsString() == "true", true
	}
	e.err("E0309", "Condition is not a bool", at, "%s must be true or false, not %s. Compare the value with == or !=.", what, describe(v))
	return false, false
}

// describe says what a value is, for details.
func describe(v cty.Value) string {
	v, _ = v.Unmark()
	switch {
	case v.IsNull():
		return "null"
	case !v.IsKnown():
		return "an unknown value"
	case v.Type() == cty.String:
		return "a string"
	case v.Type() == cty.Number:
		return "a number"
	case v.Type() == cty.Bool:
		return "a bool"
	case v.Type().IsTupleType(), v.Type().IsListType():
		return "a list"
	case v.Type().IsSetType():
		return "a set"
	case v.Type().IsObjectType(), v.Type().IsMapType():
		return "an object"
	}
	return v.Type().FriendlyName()
}

// general lets hcl evaluate, with a scope of just what the expression reads.
func (e *Evaluator) general(s *Scope, x hcl.Expression) (cty.Value, bool) {
	vars := x.Variables()
	ctx := &hcl.EvalContext{Functions: e.functions(s.Module)}
	all := true
	size := 0
	in := callsOf(x)
	secret := in.sensitive
	var lost []cty.ValueMarks // of values whose keys try and can did not find
	if len(vars) > 0 {
		root := &trie{}
		for _, t := range vars {
			if in.attempts[t.SourceRange()] {
				depth, marks, ok := e.lacking(s, t)
				if !ok {
					all = false
					continue
				}
				if depth > 0 {
					root.keep(e.steps(t, depth))
					lost = append(lost, marks...)
					continue
				}
			}
			v, steps, ok := e.resolve(s, t)
			if !ok {
				all = false
				continue
			}
			secret = secret || len(types.Secrets(v)) > 0
			if v.IsKnown() && !v.IsNull() && !v.IsMarked() && v.Type() == cty.String {
				size += len(v.AsString())
			}
			e.plant(root, x, t, steps, v)
		}
		ctx.Variables = root.object()
	}
	if in.loops {
		if ctx.Variables == nil {
			ctx.Variables = map[string]cty.Value{}
		}
		ctx.Variables[syntax.StopName] = syntax.StopValue(e.stop)
	}
	if !all {
		return cty.DynamicVal, false
	}
	if size > 8*maxString {
		return e.tooLarge(x.Range())
	}
	r := x.Range()
	e.Reading.Store(&r)
	v, hd := x.Value(ctx)
	e.Reading.Store(nil)
	if hd.HasErrors() {
		e.hclError(s, hd, x, secret)
		return cty.DynamicVal, false
	}
	if !small(v) {
		return e.tooLarge(r)
	}
	return v.WithMarks(lost...), true
}

func (e *Evaluator) tooLarge(at hcl.Range) (cty.Value, bool) {
	e.err("E0310", "Value is too large", at, "This expression makes more than %d MiB of text or %d elements. Make less, or read the text from a file with source = ….", maxString>>20, maxElements)
	return cty.DynamicVal, false
}

func small(v cty.Value) bool {
	v, _ = v.Unmark()
	if !v.IsKnown() || v.IsNull() {
		return true
	}
	ty := v.Type()
	if ty == cty.String {
		return len(v.AsString()) <= maxString
	}
	if ty.IsCollectionType() || ty.IsTupleType() || ty.IsObjectType() {
		return v.LengthInt() <= maxElements
	}
	return true
}

// trie collects the values of an expression's variables by their path.
type trie struct {
	set  bool
	val  cty.Value
	kids map[string]*trie
}

func (t *trie) object() map[string]cty.Value {
	out := make(map[string]cty.Value, len(t.kids))
	for k, c := range t.kids {
		out[k] = c.value()
	}
	return out
}

func (t *trie) value() cty.Value {
	if t.set {
		return t.val
	}
	return cty.ObjectVal(t.object())
}

// deeper marks the root of a traversal whose prefix is a value of its own in
// the same expression, as in "${service.a} ${service.a.Type}".
const deeper = "\x00"

// plant puts a value at its path. Where one path is the prefix of another, the
// traversals of the longer one get a root of their own.
func (e *Evaluator) plant(root *trie, x hcl.Expression, t hcl.Traversal, steps []string, v cty.Value) {
	at := root
	for i, s := range steps {
		if at.set && i > 0 {
			e.rename(x, t)
			renamed := append([]string{steps[0] + deeper}, steps[1:]...)
			e.plant(root, x, t, renamed, v)
			return
		}
		if at.kids == nil {
			at.kids = map[string]*trie{}
		}
		next := at.kids[s]
		if next == nil {
			next = &trie{}
			at.kids[s] = next
		}
		at = next
	}
	if len(at.kids) > 0 {
		// A longer one came first: move it away, then set this one.
		for _, other := range x.Variables() {
			if len(other) > len(t) && samePrefix(other, t) && !strings.HasSuffix(other.RootName(), deeper) {
				e.rename(x, other)
			}
		}
		moved := &trie{kids: at.kids}
		for i := len(steps) - 1; i > 0; i-- {
			moved = &trie{kids: map[string]*trie{steps[i]: moved}}
		}
		graft(root, steps[0]+deeper, moved)
		at.kids = nil
	}
	at.set, at.val = true, v
}

func graft(root *trie, name string, t *trie) {
	old := root.kids[name]
	if old == nil {
		root.kids[name] = t
		return
	}
	for k, c := range t.kids {
		if old.kids[k] == nil {
			old.kids[k] = c
		} else {
			graft(old, k, c)
		}
	}
}

func samePrefix(long, short hcl.Traversal) bool {
	for i := range short {
		if stepName(long[i]) != stepName(short[i]) {
			return false
		}
	}
	return true
}

// rename changes the root of the traversal that stands at the same place.
func (e *Evaluator) rename(x hcl.Expression, t hcl.Traversal) {
	if e.base != nil {
		e.missed = true // the expression may be another's too
		return
	}
	at := t.SourceRange()
	n, ok := x.(hclsyntax.Node)
	if !ok {
		return
	}
	_ = hclsyntax.VisitAll(n, func(n hclsyntax.Node) hcl.Diagnostics {
		st, ok := n.(*hclsyntax.ScopeTraversalExpr)
		if ok && st.Traversal.SourceRange() == at && !strings.HasSuffix(st.Traversal.RootName(), deeper) {
			r := st.Traversal[0].(hcl.TraverseRoot)
			r.Name += deeper
			st.Traversal = append(hcl.Traversal{r}, st.Traversal[1:]...)
		}
		return nil
	})
}

func stepName(s hcl.Traverser) string {
	switch s := s.(type) {
	case hcl.TraverseRoot:
		return strings.TrimSuffix(s.Name, deeper)
	case hcl.TraverseAttr:
		return s.Name
	case hcl.TraverseIndex:
		k, _ := s.Key.Unmark()
		if k.IsKnown() && !k.IsNull() {
			switch k.Type() {
			case cty.String:
				return k.AsString()
			case cty.Number:
				return k.AsBigFloat().Text('f', -1)
			}
		}
	}
	return ""
}

// traverse evaluates an expression that is nothing but a traversal.
func (e *Evaluator) traverse(s *Scope, t hcl.Traversal) (cty.Value, bool) {
	v, steps, ok := e.resolve(s, t)
	if !ok {
		return cty.DynamicVal, false
	}
	for i := len(steps); i < len(t); i++ {
		if v, ok = e.step(v, t, i); !ok {
			return cty.DynamicVal, false
		}
	}
	return v, true
}

// step takes one step into a value, with a suggestion where it fails.
func (e *Evaluator) step(v cty.Value, t hcl.Traversal, i int) (cty.Value, bool) {
	name := stepName(t[i])
	raw, marks := v.Unmark()
	if raw.IsKnown() && !raw.IsNull() && (raw.Type().IsObjectType() || raw.Type().IsMapType()) {
		m := raw.AsValueMap()
		if got, ok := m[name]; ok {
			return got.WithMarks(marks), true
		}
		keys := make([]string, 0, len(m))
		for k := range m {
			if len(marks) == 0 {
				keys = append(keys, k)
			}
		}
		e.noKey(t, i, name, keys)
		return cty.DynamicVal, false
	}
	var out cty.Value
	var hd hcl.Diagnostics
	at := t[i].SourceRange()
	switch st := t[i].(type) {
	case hcl.TraverseAttr:
		out, hd = hcl.GetAttr(v, st.Name, &at)
	case hcl.TraverseIndex:
		out, hd = hcl.Index(v, st.Key, &at)
	default:
		out, hd = t[i].TraversalStep(v)
	}
	if hd.HasErrors() {
		if text := outside(raw, t, i); text != "" && len(marks) == 0 {
			e.err("E0306", "No such key", at, "%s", text)
			return cty.DynamicVal, false
		}
		e.err("E0304", "Expression cannot be evaluated", at, "%s: %s", Spell(t[:i]), strings.TrimSpace(hd[0].Detail))
		return cty.DynamicVal, false
	}
	return out, true
}

// outside says that a list has no element of that number; "" when the fault is
// another.
func outside(v cty.Value, t hcl.Traversal, i int) string {
	st, ok := t[i].(hcl.TraverseIndex)
	if !ok || !v.IsKnown() || v.IsNull() || !v.Type().IsTupleType() && !v.Type().IsListType() {
		return ""
	}
	n := v.LengthInt()
	switch {
	case st.Key.Type() != cty.Number:
		return fmt.Sprintf("%s is a list, whose elements have numbers, counted from 0.", Spell(t[:i]))
	case n == 0:
		return fmt.Sprintf("%s is empty.", Spell(t[:i]))
	case n == 1:
		return fmt.Sprintf("%s has one element, [0].", Spell(t[:i]))
	}
	return fmt.Sprintf("%s has %d elements, [0] to [%d].", Spell(t[:i]), n, n-1)
}

func (e *Evaluator) noKey(t hcl.Traversal, i int, name string, keys []string) {
	detail := fmt.Sprintf("%s has no %q.", Spell(t[:i]), name)
	if near := types.Suggest(name, keys); near != "" {
		detail += fmt.Sprintf(" Did you mean %q?", near)
	} else {
		detail += known(" It has: ", keys)
	}
	e.err("E0306", "No such key", t[i].SourceRange(), "%s", detail)
}

// Spell writes a traversal as in the source.
func Spell(t hcl.Traversal) string {
	var b strings.Builder
	for i, s := range t {
		n := stepName(s)
		switch {
		case i == 0:
			b.WriteString(n)
		case hclsyntax.ValidIdentifier(n):
			b.WriteString("." + n)
		default:
			fmt.Fprintf(&b, "[%q]", n)
		}
	}
	return b.String()
}

// hclError reports the first error of an evaluation. The words of a function
// may repeat what it was given, so they are left out where that may be secret.
func (e *Evaluator) hclError(s *Scope, hd hcl.Diagnostics, x hcl.Expression, secret bool) {
	for _, d := range hd {
		if d.Severity != hcl.DiagError {
			continue
		}
		at := x.Range()
		if d.Subject != nil {
			at = *d.Subject
		}
		if name, ok := unknownCall(d); ok {
			e.unknownFunction(s, name, at)
			return
		}
		if !secret && e.missingKey(d) {
			return
		}
		why := strings.TrimSpace(strings.ReplaceAll(d.Detail, deeper, ""))
		why = strings.TrimPrefix(why, "Error during operation: ")
		if secret {
			why = "the expression reads a secret, so the reason is not shown. Try it with another value."
		} else if text := ofFunction(d); text != "" {
			e.err("E0304", "Expression cannot be evaluated", at, "%s", text)
			return
		} else if text := noValue(d); text != "" {
			e.err("E0304", "Expression cannot be evaluated", at, "%s", text)
			return
		}
		out := diag.Errorf("E0304", "Expression cannot be evaluated", syntax.Range(at), "%s: %s", d.Summary, why)
		e.Diags = append(e.Diags, out)
		return
	}
}

func unknownCall(d *hcl.Diagnostic) (string, bool) {
	if d.Summary != "Call to unknown function" {
		return "", false
	}
	if c, ok := d.Expression.(*hclsyntax.FunctionCallExpr); ok {
		return c.Name, true
	}
	return "", false
}

// impure are functions that other languages have and this one cannot.
var impure = map[string]bool{"env": true, "getenv": true, "get_env": true, "timestamp": true, "plantimestamp": true, "now": true, "time": true,
	"uuid": true, "random": true, "rand": true, "bcrypt": true, "http": true, "fetch": true, "exec": true, "shell": true}

func (e *Evaluator) unknownFunction(s *Scope, name string, at hcl.Range) {
	if index.IsWrapper(name) {
		e.err("E0401", "Wrong use of a wrapper", at, "%s() counts only as the outermost call of a definition, or of a value in a literal { … }. Move it there.", name)
		return
	}
	var names []string
	for n := range e.functions(s.Module) {
		names = append(names, n)
	}
	detail := fmt.Sprintf("There is no function %q.", name)
	if impure[name] {
		detail += " Functions are pure: no clock, no environment, no chance, no network. What changes from build to build comes in as the value of an option."
	} else if near := types.Suggest(name, names); near != "" {
		detail += fmt.Sprintf(" Did you mean %q?", near)
	} else {
		detail += " See docs/functions.md."
	}
	e.err("E0311", "Unknown function", at, "%s", detail)
}
