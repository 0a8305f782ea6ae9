package eval

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/index"
	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/schema/diag"
)

// HostName gives the name of the host that is evaluated.
func (e *Evaluator) HostName() string { return e.o.HostName }

// Local evaluates a local value.
func (e *Evaluator) Local(l *index.Local) (cty.Value, bool) {
	n := e.locals[l]
	if n == nil {
		n = &node{name: "local." + l.Attr.Name}
		e.locals[l] = n
	}
	return e.force(n, l.Attr.NameRange(), func() (cty.Value, bool) { return e.Eval(&Scope{Module: l.Module}, l.Attr.Expr()) })
}

// Example checks that an option's example is of its type.
func (e *Evaluator) Example(o *index.Option) {
	v, ok := e.Eval(&Scope{Module: o.Module}, o.Example.Expr())
	if !ok {
		return
	}
	if _, problems := o.Type.ConvertPart(v, types.Source{Option: o.Path(), At: o.Example.Expr().Range()}); len(problems) > 0 {
		e.err("E0415", "Example is not of the option's type", o.Example.Expr().Range(), "%s %s.", o.Path(), problems[0])
	}
}

// Assertions evaluates the assert and warn blocks.
func (e *Evaluator) Assertions() {
	for _, kind := range []string{"assert", "warn"} {
		for _, b := range e.IX.Blocks[kind] {
			on, ok := e.holds(b, nil, b.Header)
			if ok && on {
				e.assertion(b)
			}
		}
	}
}

func (e *Evaluator) assertion(b *index.Block) {
	s := &Scope{Module: b.Module}
	cond := b.Attr("condition")
	v, ok := e.Eval(s, cond.Expr())
	if !ok {
		return
	}
	raw, _ := v.Unmark()
	holds, ok := e.isTrue(raw, cond.Expr().Range(), "The condition")
	if !ok {
		return
	}
	msg := b.Attr("message")
	if holds {
		e.Lint(s, msg.Expr())
		return
	}
	m, ok := e.Eval(s, msg.Expr())
	if !ok {
		return
	}
	if marks := types.Secrets(m); len(marks) > 0 {
		e.Secret(marks, msg.Expr().Range(), "a message")
		return
	}
	m, _ = m.UnmarkDeep()
	if !m.IsKnown() {
		return
	}
	if m.IsNull() || m.Type() != cty.String || m.AsString() == "" {
		e.err("E0403", "Value has the wrong type", msg.Expr().Range(), "The message is a text that says what must be so, not %s.", describe(m))
		return
	}
	d := e.err("E0317", "Assertion failed", cond.Expr().Range(), "%s", m.AsString())
	if b.Kind == "warn" {
		d.Severity, d.Code, d.Summary = diag.Warning, "W0317", "Warning of the configuration"
	}
	for _, t := range cond.Expr().Variables() {
		if at, ok := e.definedAt(s, t); ok && len(d.Related) < 6 {
			d.Related = append(d.Related, at)
		}
	}
}

// definedAt gives the place where an option that a condition reads got its
// value.
func (e *Evaluator) definedAt(s *Scope, t hcl.Traversal) (diag.Related, bool) {
	root := stepName(t[0])
	var o *index.Option
	switch {
	case root == "option" && len(t) > 1:
		o = s.Module.Options[stepName(t[1])]
	case root == "config" && len(t) > 2:
		if m := e.IX.ByName[stepName(t[1])]; m != nil {
			o = m.Options[stepName(t[2])]
		}
	}
	if o == nil {
		return diag.Related{}, false
	}
	p := e.options[o]
	if p == nil || len(p.defs) == 0 {
		return diag.Related{}, false
	}
	d := p.defs[len(p.defs)-1]
	text := ""
	if !o.Type.HasSecret() {
		text = e.text(d.At)
	}
	return related(o.Path()+" is set here"+text, d.At), true
}
