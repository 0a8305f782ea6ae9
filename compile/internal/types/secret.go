package types

import (
	"sort"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// SecretMark is the cty mark on every value that came from a secret option.
// It names the option and the definition, so that a taint report can say
// where the value began.
type SecretMark struct {
	Option string    // "config.app.password"
	At     hcl.Range // the definition
}

func hasSecretMark(marks cty.ValueMarks) bool {
	for m := range marks {
		if _, ok := m.(SecretMark); ok {
			return true
		}
	}
	return false
}

// reason gives the words of a failed expression, unless they may tell a secret.
func reason(diags hcl.Diagnostics, secret bool) string {
	if secret {
		return "; the reason may tell a secret and is not shown"
	}
	return ": " + diags[0].Detail
}

// Secrets gives the secret marks anywhere inside a value, sorted by option and
// place; none means that the value may be written to a readable file.
func Secrets(v cty.Value) []SecretMark {
	if v == cty.NilVal || !v.ContainsMarked() {
		return nil
	}
	_, pvms := v.UnmarkDeepWithPaths()
	seen := map[SecretMark]bool{}
	for _, pvm := range pvms {
		for m := range pvm.Marks {
			if s, ok := m.(SecretMark); ok {
				seen[s] = true
			}
		}
	}
	out := make([]SecretMark, 0, len(seen))
	for s := range seen {
		out = append(out, s)
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].Option != out[j].Option {
			return out[i].Option < out[j].Option
		}
		return out[i].At.String() < out[j].At.String()
	})
	return out
}
