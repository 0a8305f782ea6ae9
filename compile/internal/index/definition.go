package index

import (
	"sort"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/syntax"
)

// Priorities: the smallest number wins.
const (
	PrioOverride = 40
	PrioForce    = 50
	PrioPlain    = 100
	PrioDefault  = 1000
	PrioOption   = 1500 // an option's own default
)

// Orders of list definitions: the smallest number comes first.
const (
	OrderPrepend = 500
	OrderPlain   = 1000
	OrderAppend  = 1500
)

// Def is one definition of an option path or a directive.
type Def struct {
	Expr   hclsyntax.Expression // without its wrappers; nil where Val is set
	Val    cty.Value            // a value that was there already: a part of an evaluated one, or a generated one
	Lit    syntax.Literal
	At     hcl.Range // of the value
	Block  *Block
	Option *Option
	Prio   int
	Order  int
	Remove bool
	Whens  []hclsyntax.Expression // conditions of when(…)
	Each   any                    // the instance of a for_each block; the evaluator's
	Key    string                 // the key that the definition stands under, for parts
	KeyAt  hcl.Range

	Evaluated bool // Val holds the value of Expr
	Failed    bool // evaluating it was reported as wrong
}

// wrapper says where a wrapper stands in the only order that is allowed.
var wrappers = map[string]int{
	"when": 1, "default": 2, "force": 2, "override": 2, "prepend": 3, "append": 3, "order": 3, "remove": 3,
}

// IsWrapper reports whether a function name is a wrapper of definitions.
func IsWrapper(name string) bool { return wrappers[name] != 0 }

// Def makes the definition of an attribute; ok is false when it is reported as
// wrong.
func (ix *Index) Def(a *syntax.Attr, b *Block) (*Def, bool) {
	d := &Def{Expr: a.Expr(), At: a.Range(), Lit: a.Lit, Block: b, Prio: PrioPlain, Order: OrderPlain, Key: a.Name, KeyAt: a.NameRange()}
	if a.Lit.Kind != syntax.LitNone {
		return d, true
	}
	return d, ix.unwrap(d)
}

// Part makes the definition of a key inside a literal object.
func (ix *Index) Part(of *Def, key string, keyAt hcl.Range, expr hclsyntax.Expression) (*Def, bool) {
	d := *of
	d.Expr, d.At, d.Lit, d.Val, d.Key, d.KeyAt, d.Whens = expr, expr.Range(), syntax.Literal{}, cty.NilVal, key, keyAt, nil
	d.Prio, d.Order, d.Remove, d.Evaluated, d.Failed = PrioPlain, OrderPlain, false, false, false
	return &d, ix.unwrap(&d)
}

func (ix *Index) unwrap(d *Def) bool {
	rank := 0
	for {
		call, ok := d.Expr.(*hclsyntax.FunctionCallExpr)
		if !ok {
			return true
		}
		r := wrappers[call.Name]
		if r == 0 {
			return true
		}
		want := 1
		if call.Name == "when" || call.Name == "override" || call.Name == "order" {
			want = 2
		}
		if len(call.Args) != want || call.ExpandFinal {
			ix.err("E0401", "Wrong use of a wrapper", call.Range(), "%s takes %d argument(s): write %s.", call.Name, want, usage[call.Name])
			return false
		}
		if r <= rank {
			ix.err("E0401", "Wrong use of a wrapper", call.NameRange, "Wrappers nest in one order only, when(condition, force(append(value))): a condition outside, then at most one priority, then at most one order. Reorder them.")
			return false
		}
		rank = r
		last := call.Args[len(call.Args)-1]
		switch call.Name {
		case "when":
			d.Whens = append(d.Whens, call.Args[0])
		case "default":
			d.Prio = PrioDefault
		case "force":
			d.Prio = PrioForce
		case "override", "order":
			n, ok := number(call.Args[0])
			if !ok || n < 1 || n > 9999 {
				ix.err("E0401", "Wrong use of a wrapper", call.Args[0].Range(), "The first argument of %s is a whole number from 1 to 9999, written out: it is read before anything is evaluated.", call.Name)
				return false
			}
			if call.Name == "order" {
				d.Order = n
			} else {
				d.Prio = n
			}
		case "prepend":
			d.Order = OrderPrepend
		case "append":
			d.Order = OrderAppend
		case "remove":
			d.Remove = true
		}
		d.Expr, d.At = last, last.Range()
	}
}

var usage = map[string]string{
	"when": "when(condition, value)", "default": "default(value)", "force": "force(value)", "override": "override(50, value)",
	"prepend": "prepend([…])", "append": "append([…])", "order": "order(500, […])", "remove": "remove([…])",
}

func number(e hclsyntax.Expression) (int, bool) {
	l, ok := e.(*hclsyntax.LiteralValueExpr)
	if !ok || l.Val.Type() != cty.Number || l.Val.IsNull() {
		return 0, false
	}
	f := l.Val.AsBigFloat()
	if !f.IsInt() {
		return 0, false
	}
	n, _ := f.Int64()
	return int(n), n < 1<<31
}

func quote(s string) string { return strconv.Quote(s) }

// list spells names in order, for details.
func list(names []string) string {
	s := append([]string(nil), names...)
	sort.Strings(s)
	return strings.Join(s, ", ")
}
