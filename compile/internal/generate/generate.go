// Package generate runs go-jsonnet programs: for generate blocks, where a
// program and its input give units, drop-ins, files and links, each with the
// place in the Jsonnet source that made it, and for the content of etc files.
//
// It is the only user of go-jsonnet. A program reads nothing but its input,
// unitgen.libsonnet, and files of the module's directory and of the declared
// data; time, memory and stack are bounded. It must not know how definitions
// merge nor what a directive means.
package generate

import (
	"io/fs"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// Options say what to run.
type Options struct {
	Dir     string    // directory of the module, absolute; programs and imports stay inside
	Bundled fs.FS     // the files of a module that comes with unitgen, in place of Dir
	Display string    // Dir as diagnostics show it, relative to the host's directory with slashes
	Program string    // file name relative to Dir
	Input   cty.Value // what the program's function gets; must hold no secret
	At      hcl.Range // the block, for problems without a place of their own

	Data []string // further files, relative to Dir, that importstr and import may read; nil: all of Dir

	CacheDir string // results by content hash; "" for no cache

	Timeout   time.Duration // 0: DefaultTimeout
	MaxMemory uint64        // of the process that runs it, in bytes; 0: DefaultMaxMemory
	MaxStack  int           // Jsonnet frames; 0: DefaultMaxStack
}

// Bounds where the options say nothing.
const (
	DefaultTimeout   = 20 * time.Second
	DefaultMaxMemory = 512 << 20
	DefaultMaxStack  = 500
)

// maxOutput is the largest output of a program, in bytes of JSON.
const maxOutput = 64 << 20

// Attr is one attribute of a generated block, with the place in the Jsonnet
// source that made it (the program's file where nothing finer is known).
type Attr struct {
	Name  string
	Value cty.Value
	Range hcl.Range
}

// Block is one generated unit, drop-in, file or link. Its attributes are those
// of the block of the same kind in HCL, sorted by name.
type Block struct {
	Label string // "x.service", "a/b"
	Attrs []Attr
	Range hcl.Range
}

// Attr gives the attribute of that name, or nil.
func (b *Block) Attr(name string) *Attr {
	for i := range b.Attrs {
		if b.Attrs[i].Name == name {
			return &b.Attrs[i]
		}
	}
	return nil
}

// Output is what a program made, each part sorted by label.
type Output struct {
	Units   []Block  // "x.service": flat directives, as in the unit's block
	DropIns []Block  // "nginx.service": as in a dropin block
	Etc     []Block  // "a/b": as in an etc block
	Links   []Block  // "multi-user.target.wants/x.service": attribute target
	Files   []string // every file that was read, relative to Dir, sorted, for the cache of a compilation
	Cached  bool
}

// Document is what the program of an etc file made.
type Document struct {
	Value  cty.Value // objects and tuples; a string is the text itself
	Range  hcl.Range // the program's first line
	Files  []string  // as in Output
	Cached bool
}
