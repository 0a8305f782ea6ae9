// Package tree is the result model: what a compiled host is, before it becomes
// bytes and after it was read back. compile makes a Tree, emit writes it, the
// planner and the checks read it.
//
// It knows nothing of HCL, of the store or of a running manager.
package tree

import (
	"io/fs"
	"path"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/unitfile"
)

// Scope is the manager that a unit belongs to.
type Scope string

// Scopes, spelled as the directories below etc/systemd.
const (
	System Scope = "system"
	User   Scope = "user"
)

// Place is where in the tree a unit, file or link is laid: the /etc tree or
// one of the three generator directories of systemd.generator(7).
type Place string

// Places, spelled as the directories of the tree.
const (
	Etc            Place = "etc"
	Generator      Place = "generator"
	GeneratorEarly Place = "generator.early"
	GeneratorLate  Place = "generator.late"
)

// UnitDir gives the directory, relative to the tree's root, that holds the
// units of a place and scope: "etc/systemd/system", or "generator" itself.
// Generator places exist in the system scope, and as "<place>.user" in the
// user scope.
func UnitDir(p Place, s Scope) string {
	if p == Etc || p == "" {
		return path.Join(string(Etc), "systemd", string(s))
	}
	if s == User {
		return string(p) + ".user"
	}
	return string(p)
}

// Tree is the whole service configuration of one host.
type Tree struct {
	Host    string // host name; names the store entry
	Systemd int    // the oldest systemd the tree must load on
	Variant string // "" for the main tree

	Units     []*Unit
	DropIns   []*DropIn
	Instances []*Instance
	Distro    []*DistroUnit
	Files     []*File
	Links     []*Link

	Provides []string // unit names that host.provides vouches for
}

// Unit is one unit file, or a mask.
type Unit struct {
	Name  string // full name, "app.service", "pg-backup@.service"
	Scope Scope
	Place Place
	File  *unitfile.File // nil for a mask
	Mask  bool           // linked to /dev/null
	// NoInstall leaves out the links that its [Install] section asks for
	// (install = false): the unit is in the tree, but not enabled.
	NoInstall bool
	Origin    diag.Range // the block that declared it
}

// DropIn is one drop-in file: <unit>.d/<name>.conf.
type DropIn struct {
	Unit   string // "nginx.service", "service" (type.d), "a-.service" (prefix)
	Name   string // without ".conf"
	Scope  Scope
	Place  Place
	File   *unitfile.File
	Origin diag.Range
}

// Instance asks for the install links of one instance of a template.
type Instance struct {
	Name   string // "worker@one.service"
	Scope  Scope
	Enable bool
	Origin diag.Range
}

// DistroUnit enables, disables or masks a unit that the distribution ships,
// honouring the [Install] section of File, its own unit file.
type DistroUnit struct {
	Name    string
	Scope   Scope
	File    *unitfile.File
	Enable  bool
	Disable bool
	Mask    bool
	Origin  diag.Range
}

// File is one file that is not a unit.
type File struct {
	Path    string // relative to the tree's root: "etc/app/config.yaml"
	Mode    fs.FileMode
	Owner   string // user name or number, "" for root
	Group   string
	Content []byte
	Real    bool // must be copied, not linked, into /etc (sudoers and its like)
	Origin  diag.Range
	// Keys maps a key of the content to the definition that made it, where the
	// file was built from settings.
	Keys map[string]diag.Range
}

// Link is one symbolic link that is not an install link.
type Link struct {
	Path   string // relative to the tree's root
	Target string
	Origin diag.Range
}
