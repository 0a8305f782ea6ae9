// Package modules embeds the modules that come with unitgen: one directory
// each, of *.ug.hcl files, loaded when a configuration names it.
package modules

import "embed"

// FS holds one directory per module, named as its namespace.
//
//go:embed *
var FS embed.FS
