// Package types knows the types of options: it parses HCL type expressions,
// converts values to them strictly, and says how definitions of a type merge.
//
// A Type takes a cty value and gives the value in the type's shape, or the
// problems that stand in the way, each with its path inside the value. It must
// not know definitions, priorities or conditions; the evaluator merges field
// by field and asks a Type only what its parts are.
package types

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// Kind is the constructor of a type.
type Kind int

// Kinds. Those after Submodule wrap or refine other types.
const (
	Any Kind = iota
	String
	Number
	Bool
	Port
	Path
	Duration
	Bytes
	Calendar
	UnitName
	Mode
	Secret
	Enum
	List
	Set
	Map
	Tuple
	Object
	Submodule
	Either
	Nullable
	Unique
	Nonempty
	Range
	Match
	Coerce
	Checked
)

// MergeKind says how the evaluator merges several definitions of equal
// priority.
type MergeKind int

// Merge kinds.
const (
	MergeScalar    MergeKind = iota // definitions must agree
	MergeList                       // definitions concatenate, in order
	MergeSet                        // definitions unite
	MergeMap                        // definitions merge key by key, each value as Elem
	MergeObject                     // definitions merge field by field, each as its field's type
	MergeSubmodule                  // as MergeObject
	MergeAny                        // by the shape of the values: objects deep, tuples concatenate, else agree
)

// Type is one parsed type expression. It is immutable and safe for concurrent
// use.
type Type struct {
	kind   Kind
	elem   *Type    // List Set Map Nullable Unique Nonempty Range Match Checked; Coerce: the new type
	from   *Type    // Coerce: the old type
	elems  []*Type  // Tuple, Either
	fields []*Field // Object, Submodule, in the order of the source
	byName map[string]*Field
	rest   *Type            // Object, Submodule: type of undeclared keys, nil: none allowed
	values []cty.Value      // Enum
	min    cty.Value        // Range; null: no bound
	max    cty.Value        // Range; null: no bound
	regex  *pattern         // Match
	expr   hcl.Expression   // Coerce: new value from `value`; Checked: condition on `value`
	msg    string           // Checked
	ctx    *hcl.EvalContext // functions for expr and defaults
	cty    cty.Type
}

// Field is one attribute of an object or submodule type.
type Field struct {
	Name      string
	Type      *Type
	Optional  bool           // may be absent
	Default   hcl.Expression // nil: none; may read `name`, the entry's key in a map; see DefaultValue
	NameRange hcl.Range

	ctx *hcl.EvalContext
}

// Kind gives the constructor of the type.
func (t *Type) Kind() Kind { return t.kind }

// Base strips nullable, unique, nonempty, range, match, coerce and check.
func (t *Type) Base() *Type {
	for {
		switch t.kind {
		case Nullable, Unique, Nonempty, Range, Match, Checked, Coerce:
			t = t.elem
		default:
			return t
		}
	}
}

// MergeKind says how definitions of the type merge.
func (t *Type) MergeKind() MergeKind {
	switch b := t.Base(); b.kind {
	case List:
		return MergeList
	case Set:
		return MergeSet
	case Map:
		return MergeMap
	case Object:
		return MergeObject
	case Submodule:
		return MergeSubmodule
	case Any:
		return MergeAny
	case Either:
		// Alternatives that all merge in one way merge so; else they must agree.
		k := b.elems[0].MergeKind()
		for _, e := range b.elems[1:] {
			if e.MergeKind() != k {
				return MergeScalar
			}
		}
		if k == MergeList || k == MergeSet {
			return k
		}
		return MergeScalar
	default:
		return MergeScalar
	}
}

// Elem gives the type of the elements of a list, set or map (through Base), or
// nil.
func (t *Type) Elem() *Type {
	b := t.Base()
	switch b.kind {
	case List, Set, Map:
		return b.elem
	}
	return nil
}

// Fields gives the fields of an object or submodule (through Base) in the
// order of the source.
func (t *Type) Fields() []*Field { return t.Base().fields }

// Field gives the field of that name of an object or submodule, or nil.
func (t *Type) Field(name string) *Field { return t.Base().byName[name] }

// Rest gives the type of the keys that an object or submodule does not
// declare, or nil where undeclared keys are errors.
func (t *Type) Rest() *Type { return t.Base().rest }

// IsNullable reports whether null is a value of the type.
func (t *Type) IsNullable() bool {
	switch t.kind {
	case Nullable, Any:
		return true
	case Unique, Nonempty, Range, Match, Checked, Coerce:
		return t.elem.IsNullable()
	case Either:
		for _, e := range t.elems {
			if e.IsNullable() {
				return true
			}
		}
	}
	return false
}

// HasSecret reports whether a value of the type may hold a secret.
func (t *Type) HasSecret() bool {
	if t == nil {
		return false
	}
	if t.kind == Secret || t.elem.HasSecret() || t.from.HasSecret() || t.rest.HasSecret() {
		return true
	}
	for _, e := range t.elems {
		if e.HasSecret() {
			return true
		}
	}
	for _, f := range t.fields {
		if f.Type.HasSecret() {
			return true
		}
	}
	return false
}

// Cty gives the cty type that converted values have; cty.DynamicPseudoType
// where it depends on the value.
func (t *Type) Cty() cty.Type { return t.cty }
