package generate

import "testing"

// FuzzFormat sees to it that no format panics or pads without bound.
func FuzzFormat(f *testing.F) {
	for _, s := range []string{"%s", "%(a)05.2f|%%", "%*d", "%-+ #10x", "%c%c", "%", "%(a", "%.99999999999d"} {
		f.Add(s)
	}
	args := []any{float64(1), "a", nil, []any{true}, map[string]any{"k": -0.5}, 1e300, float64(-7), "é"}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 1000 {
			return
		}
		for _, a := range []any{args, map[string]any{"a": 1.5, "b": "x"}, "one", 3.0} {
			out, err := format(s, a)
			if err == nil && len(out) > len(s)+len(s)*maxPadding*4 {
				t.Errorf("%q gives %d bytes", s, len(out))
			}
		}
	})
}
