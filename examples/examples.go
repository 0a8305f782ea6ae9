// Package examples embeds the complete hosts that stand beside it, so that the
// binary can write one out or run it where there is no checkout. It holds no
// code; the tests in test/ build every one and boot what can be booted.
package examples

import "embed"

// FS holds one directory per host.
//
//go:embed container hello laptop web
var FS embed.FS
