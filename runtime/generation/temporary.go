package generation

import (
	"strings"

	"github.com/unitgen/unitgen/internal/durable"
)

func isTemporary(name string) bool { return strings.HasPrefix(name, durable.TemporaryPrefix) }
