package eval

import (
	"fmt"

	"github.com/unitgen/unitgen/compile/internal/index"
)

// ways says how to settle a conflict of definitions of a priority.
func ways(prio int) string {
	switch {
	case prio <= 1:
		return "No priority is stronger than theirs. Keep one, or give the others a weaker one."
	case prio <= index.PrioForce:
		return fmt.Sprintf("Keep one; or let one win by override(%d, …), a lower number being stronger; or take force(…) away from those that shall give way.", prio-1)
	case prio >= index.PrioDefault:
		return "Keep one; or write the one that shall win without default(…)."
	}
	return "Keep one; or write force(…) around the one that shall win, or default(…) around those that shall give way."
}
