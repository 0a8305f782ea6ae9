package eval

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/types"
)

// calls is what the calls in an expression say of it before it is evaluated.
type calls struct {
	sensitive bool               // it makes secrets of its own
	loops     bool               // it has for expressions
	attempts  map[hcl.Range]bool // where the traversals inside try(…) and can(…) stand
}

// callsOf looks at the calls in an expression.
func callsOf(x hcl.Expression) calls {
	var c calls
	n, ok := x.(hclsyntax.Node)
	if !ok {
		return c
	}
	_ = hclsyntax.VisitAll(n, func(n hclsyntax.Node) hcl.Diagnostics {
		call, ok := n.(*hclsyntax.FunctionCallExpr)
		if !ok {
			_, loop := n.(*hclsyntax.ForExpr)
			c.loops = c.loops || loop
			return nil
		}
		switch call.Name {
		case "sensitive":
			c.sensitive = true
		case "try", "can":
			if c.attempts == nil {
				c.attempts = map[hcl.Range]bool{}
			}
			for _, a := range call.Args {
				for _, t := range a.Variables() {
					c.attempts[t.SourceRange()] = true
				}
			}
		}
		return nil
	})
	return c
}

// lacking says what a traversal inside try or can would read and what is not
// there: a key of a value, or the value of an option that nobody defines. That
// is a failure of the argument alone. A name that nothing declares stays an
// error: it would fail whatever the values.
//
// depth is how many steps are there, 0 when nothing is amiss; marks are those
// of the value without the key.
func (e *Evaluator) lacking(s *Scope, t hcl.Traversal) (depth int, marks []cty.ValueMarks, ok bool) {
	r, ok := e.find(s, t)
	if !ok {
		return 0, nil, false
	}
	switch r.kind {
	case refOption:
		return e.lackingPart(r, t)
	case refUnit:
		keys, ok := e.instanceKeys(r, t)
		if !ok || keys == nil || len(t) < 3 {
			return 0, nil, ok
		}
		if key := stepName(t[2]); key != "" && !keys[key] {
			return 2, nil, true
		}
	}
	return 0, nil, true
}

// lackingPart goes into an option as readOption does.
func (e *Evaluator) lackingPart(r ref, t hcl.Traversal) (int, []cty.ValueMarks, bool) {
	p := e.optionNode(r.opt)
	at := t.SourceRange()
	if p.state != running && p.sel.state != running {
		if !e.selection(p, at) {
			return 0, nil, false
		}
		if len(p.defs) == 0 && len(p.removes) == 0 {
			return r.steps - 1, nil, true
		}
	}
	for i := r.steps; i < len(t); i++ {
		name := stepName(t[i])
		if name == "" || p.state == running && !p.structural || !e.structured(p) {
			break
		}
		c, ok, exists := e.child(p, name, t[i].SourceRange())
		if !ok {
			return 0, nil, false
		}
		if exists && c.field == nil {
			// A key whose definitions are all null or off is not there.
			if !e.selection(c, at) {
				return 0, nil, false
			}
			exists = len(c.defs) > 0
		}
		if !exists {
			return i, p.marks(), true
		}
		p = c
	}
	return 0, nil, true
}

// marks gives those of the definitions that were evaluated whole.
func (p *pathNode) marks() []cty.ValueMarks {
	var out []cty.ValueMarks
	for _, d := range p.defs {
		if d.Val == cty.NilVal || d.Expr != nil && !d.Evaluated {
			continue
		}
		if _, m := d.Val.Unmark(); len(m) > 0 {
			out = append(out, m)
		}
	}
	return out
}

// keep makes the steps of a path exist without the key that is not there, so
// that the evaluation fails where the source says it does.
func (t *trie) keep(steps []string) {
	for _, s := range steps {
		if t.set {
			return
		}
		if t.kids == nil {
			t.kids = map[string]*trie{}
		}
		if t.kids[s] == nil {
			t.kids[s] = &trie{}
		}
		t = t.kids[s]
	}
}

// hidden reports whether the definitions of a node hold a secret, so that its
// keys are not told.
func (p *pathNode) hidden() bool {
	for _, m := range p.marks() {
		if len(types.Secrets(cty.True.WithMarks(m))) > 0 {
			return true
		}
	}
	return false
}

// fault finds one failed argument in what the function try says.
var fault = regexp.MustCompile(`(?m)^- .* \(at ([^\n]*?):(\d+),(\d+)-[\d,]+\)\n\s+(.*)$`)

// noValue words the failure of a try whose arguments all failed; "" when the
// diagnostic is another.
func noValue(d *hcl.Diagnostic) string {
	extra, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d)
	if !ok || extra.CalledFunctionName() != "try" || extra.FunctionCallError() == nil {
		return ""
	}
	var b strings.Builder
	for _, m := range fault.FindAllStringSubmatch(extra.FunctionCallError().Error(), -1) {
		fmt.Fprintf(&b, " %s:%s:%s: %s", m[1], m[2], m[3], strings.ReplaceAll(m[4], deeper, ""))
	}
	if b.Len() == 0 {
		return ""
	}
	return "No argument of try(…) has a value, and the last one must." + b.String()
}

// badArgument finds the parameter in what hcl says of an argument.
var badArgument = regexp.MustCompile(`^Invalid value for "([^"]*)" parameter: (?s)(.*)$`)

// ofFunction words the failure of a call, with the function's name first; ""
// when the diagnostic is another.
func ofFunction(d *hcl.Diagnostic) string {
	extra, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d)
	if !ok || extra.CalledFunctionName() == "" || extra.CalledFunctionName() == "try" {
		return ""
	}
	name := extra.CalledFunctionName()
	if m := badArgument.FindStringSubmatch(strings.TrimSpace(d.Detail)); m != nil {
		return fmt.Sprintf("%s(): %s: %s", name, m[1], sentence(m[2]))
	}
	if err := extra.FunctionCallError(); err != nil {
		return fmt.Sprintf("%s(): %s", name, sentence(err.Error()))
	}
	return ""
}

// sentence ends a text as a sentence ends.
func sentence(s string) string {
	if s = strings.TrimRight(s, "."); strings.HasSuffix(s, "?") {
		return s
	}
	return s + "."
}
