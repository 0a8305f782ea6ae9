package value

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestCPUSetSpelling reads what random sets are spelled as.
func TestCPUSetSpelling(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var set CPUSet
		for range r.IntN(5) {
			a := r.IntN(300)
			set = set.through(a, a+r.IntN(150))
		}
		again, err := ParseCPUSet(set.String())
		if err != nil || !slices.Equal(again.List(), set.List()) {
			t.Fatalf("%v is spelled %q, which is %v, %v", set.List(), set, again.List(), err)
		}
	}
}
