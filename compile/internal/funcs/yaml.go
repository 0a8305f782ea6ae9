package funcs

import (
	"errors"

	ctyyaml "github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"gopkg.in/yaml.v3"
)

// maxNodes is how many values a YAML text may stand for, its aliases written
// out.
const maxNodes = 1 << 19

var errAliases = errors.New("the aliases of the YAML text stand for too many values")

// yamlDecode refuses texts whose aliases multiply before it reads them.
var yamlDecode = function.New(&function.Spec{
	Params: ctyyaml.YAMLDecodeFunc.Params(),
	Type: func(args []cty.Value) (cty.Type, error) {
		if err := countAliases(args[0]); err != nil {
			return cty.DynamicPseudoType, err
		}
		return ctyyaml.YAMLDecodeFunc.ReturnTypeForValues(args)
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return ctyyaml.YAMLDecodeFunc.Call(args) },
})

func countAliases(text cty.Value) error {
	text, _ = text.Unmark()
	if !text.IsKnown() || text.IsNull() {
		return nil
	}
	var doc yaml.Node
	if yaml.Unmarshal([]byte(text.AsString()), &doc) != nil {
		return nil // the decoder says what is wrong
	}
	if _, ok := weigh(&doc, map[*yaml.Node]int{}, 0); !ok {
		return errAliases
	}
	return nil
}

// weigh counts what a node stands for; ok is false beyond the bound and in a
// circle.
func weigh(n *yaml.Node, done map[*yaml.Node]int, depth int) (count int, ok bool) {
	if w, seen := done[n]; seen {
		return w, w > 0
	}
	if depth > 1000 {
		return 0, false
	}
	done[n] = 0 // in the middle of it
	sum := 1
	if n.Kind == yaml.AliasNode {
		w, ok := weigh(n.Alias, done, depth+1)
		if !ok {
			return 0, false
		}
		sum += w
	}
	for _, c := range n.Content {
		w, ok := weigh(c, done, depth+1)
		if !ok {
			return 0, false
		}
		if sum += w; sum > maxNodes {
			return 0, false
		}
	}
	if sum > maxNodes {
		return 0, false
	}
	done[n] = sum
	return sum, true
}
