// Package emit turns a tree into bytes: the entries (directories, files,
// links) of a store tree, its manifest, the hash over it, the sources that lie
// beside it, and copies of it in other formats.
//
// It takes a tree.Tree and gives an Image. The same tree gives the same bytes
// on every machine: nothing here reads the clock, the environment or the file
// system. Every path is checked before anything is written anywhere. It knows
// neither HCL nor running state; package store puts an Image on disk.
package emit

import (
	"io/fs"
	"sort"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/tree"
)

// Kind is what an entry is, in the manifest's words.
type Kind string

// Kinds of entries.
const (
	Directory Kind = "dir"
	File      Kind = "file"
	Link      Kind = "link"
)

// Entry is one path of a tree.
type Entry struct {
	Path    string // relative to the tree's root, with slashes
	Kind    Kind
	Mode    fs.FileMode // permission bits as declared; 0755 for directories
	Owner   string      // user name or number, "" for root
	Group   string
	Content []byte // of a file
	Target  string // of a link
	Real    bool   // a switch copies it into /etc; see tree.File
	Origin  diag.Range
}

// Options are the choices that change what a tree looks like as bytes.
type Options struct {
	// NoHeader leaves out the comment line that names the source of a unit.
	NoHeader bool

	paths bool // leave the content of units out
}

// CheckPaths gives what is wrong with the paths of a tree: unsafe ones, and those
// that two definitions claim. Nothing is rendered.
func CheckPaths(t *tree.Tree) diag.List {
	_, diags := Entries(t, Options{paths: true})
	return diags
}

// Image is a rendered tree.
type Image struct {
	Name     string // "<host>" or "<host>-<variant>": names the store entry
	Entries  []Entry
	Manifest []byte // manifest.json; not among the entries
	Hash     string // sha256 of Manifest, in hexadecimal
	Sources  []byte // the .sources file beside the tree, outside the hash
}

// Render gives a tree as bytes. With errors in the list the image is nil.
func Render(t *tree.Tree, o Options) (*Image, diag.List) {
	entries, diags := Entries(t, o)
	if diags.HasErrors() {
		return nil, diags
	}
	img := &Image{Name: storeName(t.Host, t.Variant), Entries: entries}
	m := NewManifest(t, entries)
	img.Manifest = m.Bytes()
	img.Hash = hashOf(img.Manifest)
	img.Sources = NewSources(t).Bytes()
	return img, diags
}

// Entries gives every path of a tree in path order, directories included, but
// not the manifest: units, drop-ins, masks, install links, files and links.
// Paths that are unsafe or claimed twice are errors.
func Entries(t *tree.Tree, o Options) ([]Entry, diag.List) {
	c := newCollector()
	for _, u := range t.Units {
		c.unit(u, o)
	}
	for _, d := range t.DropIns {
		c.dropIn(d, o)
	}
	for _, f := range t.Files {
		c.file(f)
	}
	for _, l := range t.Links {
		if unit, scope := enablingLink(l.Path); unit != "" && disables(t, scope, unit) {
			continue
		}
		c.add(Entry{Path: l.Path, Kind: Link, Mode: 0o777, Target: l.Target, Origin: l.Origin})
	}
	links, diags := installLinks(t)
	c.diags = append(c.diags, diags...)
	for _, l := range links {
		c.installLink(l)
	}
	c.parents()
	c.diags.Sort()
	out := make([]Entry, 0, len(c.entries))
	for _, e := range c.entries {
		out = append(out, *e)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Path < out[j].Path })
	return out, c.diags
}

// storeName gives the part of a store entry's name that people read: the host
// name and variant, with everything but letters, digits, '.', '_' and '-'
// replaced.
func storeName(host, variant string) string {
	n := host
	if n == "" {
		n = "host"
	}
	if variant != "" {
		n += "-" + variant
	}
	b := []byte(n)
	for i, c := range b {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-':
		case c == '.' && i > 0:
		default:
			b[i] = '_'
		}
	}
	if len(b) > 120 {
		b = b[:120]
	}
	return string(b)
}
