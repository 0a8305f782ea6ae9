package index

import (
	"fmt"
	"strings"

	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/schema/unitname"
)

// article puts "a" or "an" before the kind of a block.
func article(kind string) string {
	if kind != "" && strings.ContainsRune("aeioAEIO", rune(kind[0])) {
		return "an " + kind
	}
	return "a " + kind
}

// nearUnit suggests the unit that a name without a known suffix may mean.
func nearUnit(name string) string {
	stem, suffix := name, "service"
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		near := types.Suggest(name[i+1:], unitname.Types)
		if near == "" {
			return ""
		}
		stem, suffix = name[:i], near
	}
	if full := stem + "." + suffix; unitname.Valid(full) {
		return fmt.Sprintf(" Did you mean %q?", full)
	}
	return ""
}
