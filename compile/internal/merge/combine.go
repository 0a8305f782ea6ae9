package merge

import (
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// Combine merges values by a strategy that an option's `merge` names. The
// values are in list order and of the option's type.
func Combine(strategy string, vals []cty.Value) (cty.Value, error) {
	switch strategy {
	case "first":
		return vals[0], nil
	case "last":
		return vals[len(vals)-1], nil
	case "lines", "words", "commas", "concat":
		sep := map[string]string{"lines": "\n", "words": " ", "commas": ",", "concat": ""}[strategy]
		return strings1(vals, sep)
	case "any", "all":
		return bools(vals, strategy == "any")
	case "min", "max", "sum":
		return numbers(vals, strategy)
	}
	return cty.DynamicVal, fmt.Errorf("it merges lists and sets")
}

func strings1(vals []cty.Value, sep string) (cty.Value, error) {
	var parts []string
	var marks []cty.ValueMarks
	for _, v := range vals {
		raw, m := v.Unmark()
		marks = append(marks, m)
		if raw.IsNull() || !raw.IsKnown() || raw.Type() != cty.String {
			return cty.DynamicVal, fmt.Errorf("it merges strings")
		}
		s := raw.AsString()
		if sep == "\n" {
			s = strings.TrimSuffix(s, "\n")
		}
		parts = append(parts, s)
	}
	out := strings.Join(parts, sep)
	if sep == "\n" {
		out += "\n"
	}
	return cty.StringVal(out).WithMarks(marks...), nil
}

func bools(vals []cty.Value, anyOf bool) (cty.Value, error) {
	out := !anyOf
	var marks []cty.ValueMarks
	for _, v := range vals {
		raw, m := v.Unmark()
		marks = append(marks, m)
		if raw.IsNull() || !raw.IsKnown() || raw.Type() != cty.Bool {
			return cty.DynamicVal, fmt.Errorf("it merges bools")
		}
		if raw.True() == anyOf {
			out = anyOf
		}
	}
	return cty.BoolVal(out).WithMarks(marks...), nil
}

func numbers(vals []cty.Value, strategy string) (cty.Value, error) {
	var out cty.Value
	for i, v := range vals {
		raw, _ := v.Unmark()
		if raw.IsNull() || !raw.IsKnown() || raw.Type() != cty.Number {
			return cty.DynamicVal, fmt.Errorf("it merges numbers")
		}
		switch {
		case i == 0:
			out = v
		case strategy == "sum":
			out = out.Add(v)
		default:
			o, _ := out.Unmark()
			if (raw.AsBigFloat().Cmp(o.AsBigFloat()) < 0) == (strategy == "min") {
				out = v
			}
		}
	}
	return out, nil
}
