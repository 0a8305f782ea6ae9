// Package install is what systemctl's offline verbs do: enable, disable,
// preset, mask and the rest, on a directory that stands for a root file
// system, and the install links that a tree's own units ask for
// (systemd.unit(5), "[INSTALL] SECTION OPTIONS"; systemctl(1), "Unit File
// Commands").
//
// It takes directories or units in memory and gives links, answers and the
// words that systemctl says about them. It knows nothing of HCL or of a running
// manager.
package install

import (
	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitfile"
)

// Link is one symbolic link that enabling a unit makes. Path is relative to the
// scope's configuration directory (etc/systemd/system), such as
// "multi-user.target.wants/app.service". Target is the unit file's name for
// what stands in the same directory: "../app.service" from a .wants directory,
// "app.service" for an alias.
type Link struct {
	Path, Target string
	Unit         string // the unit whose [Install] section asks for it
}

// InstallLinks gives the links that enabling the named units makes, Also=
// followed, in the order in which systemctl makes them, each once. lookup gives
// the unit file of a name (for an instance that has no file of its own it is
// asked for the template), nil where there is none. The unit files are taken
// to stand in the configuration directory itself; a caller whose files stand
// elsewhere rewrites Target by Unit.
func InstallLinks(lookup func(name string) *unitfile.File, enable []string, scope tree.Scope) ([]Link, diag.List) {
	return nil, nil
}
