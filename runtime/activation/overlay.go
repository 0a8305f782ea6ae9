package activation

import (
	"fmt"
	"path/filepath"
	"sort"
	"strings"

	"github.com/unitgen/unitgen/emit"
	"github.com/unitgen/unitgen/runtime/generation"
	"github.com/unitgen/unitgen/schema/tree"
)

// EtcMode is how the files of a tree get into /etc.
type EtcMode string

// Modes.
const (
	EtcAuto    EtcMode = ""        // as it was, or links
	EtcLinks   EtcMode = "links"   // a link, or a copy, for each path
	EtcOverlay EtcMode = "overlay" // the tree lies over /etc, which is read-only then
)

// etcBase is where the host's own /etc can be reached under an overlay.
const etcBase = "/run/unitgen/etc-base"

// under gives a host path below Root, whatever is mounted.
func (p *Place) under(path string) string {
	if p.Root == "" || p.Root == "/" {
		return path
	}
	return filepath.Join(p.Root, path)
}

// overlayLayout lays a tree over /etc: the units lie in the load path by that,
// and only what the boot needs is a file of its own, in the host's /etc.
func (l *layout) overlayLayout(g generation.Generation, m *emit.Manifest) {
	l.out.Etc, l.out.Tree, l.out.Units = EtcOverlay, g.Tree, UnitsDirectory
	for _, e := range m.Entries {
		switch top, _, _ := strings.Cut(e.Path, "/"); {
		case strings.HasSuffix(top, ".user"):
			l.gUser = true
		case strings.HasPrefix(top, "generator"):
			l.generated = true
		}
		for dir, hook := range hookDirs {
			if strings.HasPrefix(e.Path, dir) {
				l.hooks[hook] = true
			}
		}
	}
	boot := bootScript(l.pivot, l.place.Unitgen, true)
	l.out.Items = append(l.out.Items, Item{Path: bootGenerator, Content: boot, Mode: 0o755, SHA256: sumOf(boot)})
	if l.generated {
		l.script(generators, "system", "", false)
	}
	if l.gUser {
		l.script(userGenerators, "user", ".user", false)
	}
	sort.Slice(l.out.Items, func(i, j int) bool { return l.out.Items[i].Path < l.out.Items[j].Path })
}

// overlayPreflight refuses what an overlay cannot do.
func (p *Place) overlayPreflight(s *generation.State, g generation.Generation) error {
	if rel, err := filepath.Rel(p.under("/etc"), s.Dir()); err == nil && filepath.IsLocal(rel) {
		return fmt.Errorf("with --etc overlay the state directory lies outside /etc, on the root file system; use --state /usr/local/lib/unitgen, for instance")
	}
	m, err := emit.ReadManifest(g.Tree)
	if err != nil {
		return err
	}
	var conflicts []Conflict
	for _, e := range m.Entries {
		if strings.HasPrefix(e.Path, "etc/") && e.Kind == emit.File && (e.Owner != "" || e.Group != "" || len(e.Mode) == 4 && e.Mode[0] != '0') {
			conflicts = append(conflicts, Conflict{Path: "/" + e.Path, Why: "has an owner or set-id bits, which an overlay cannot give it"})
		}
	}
	for _, d := range m.Disabled {
		if d.Scope == tree.System || d.Scope == tree.User {
			conflicts = append(conflicts, Conflict{Path: unitDirOf(d.Scope), Why: d.Unit + " cannot be disabled beneath an overlay; mask it (mask = true)"})
		}
	}
	if len(conflicts) > 0 {
		return &ConflictError{Conflicts: conflicts}
	}
	return nil
}

// reach makes host find the host's own /etc under an overlay.
func (p *Place) reach() {
	p.base = ""
	if p.User == "" && p.baseMounted() {
		p.base = p.under(etcBase)
	}
}
