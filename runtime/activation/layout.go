package activation

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"syscall"

	"github.com/unitgen/unitgen/emit"
	"github.com/unitgen/unitgen/runtime/generation"
	"github.com/unitgen/unitgen/schema/unitname"
)

// Directories of the host.
const (
	loadPathSystem = "/usr/local/lib/systemd/system"
	loadPathUser   = "/usr/local/lib/systemd/user"
	etcSystem      = "/etc/systemd/system"
	etcUser        = "/etc/systemd/user"
	generators     = "/etc/systemd/system-generators/unitgen"
	userGenerators = "/etc/systemd/user-generators/unitgen"
)

// Layout gives what a tree lays into the host.
func (p *Place) Layout(s *generation.State, g generation.Generation) (*Placement, error) {
	m, err := emit.ReadManifest(g.Tree)
	if err != nil {
		return nil, err
	}
	l := &layout{place: p, pivot: p.pivot(s), tree: g.Tree, out: &Placement{Root: p.Root, Units: p.units(s)}, hooks: map[string]bool{}}
	if p.User != "" {
		l.out.Units, l.out.User = UnitsDirectory, p.User
		l.out.Items = []Item{{Path: p.User, Target: l.pivot + "/etc/systemd/user"}}
		return l.out, nil
	}
	if p.Etc == EtcOverlay {
		l.overlayLayout(g, m)
	} else {
		for _, e := range m.Entries {
			if err := l.entry(e); err != nil {
				return nil, err
			}
		}
		l.loadPath()
		if err := l.absent(s, m); err != nil {
			return nil, err
		}
	}
	for h := range l.hooks {
		l.out.Hooks = append(l.out.Hooks, h)
	}
	sort.Strings(l.out.Hooks)
	sort.Slice(l.out.Items, func(i, j int) bool { return l.out.Items[i].Path < l.out.Items[j].Path })
	return l.out, nil
}

// units decides how units get into the load path: by the one link, unless that
// directory is taken.
func (p *Place) units(s *generation.State) UnitsMode {
	if p.Units != UnitsAuto {
		return p.Units
	}
	for _, d := range []string{loadPathSystem, loadPathUser} {
		t, err := os.Readlink(p.host(d))
		if err == nil && strings.HasPrefix(t, p.pivot(s)+"/") {
			continue
		}
		if _, err := os.Lstat(p.host(d)); err == nil {
			return UnitsGenerator
		}
	}
	return UnitsDirectory
}

// hookDirs are the directories whose files a program has to follow.
var hookDirs = map[string]string{"etc/sysusers.d/": "sysusers", "etc/tmpfiles.d/": "tmpfiles", "etc/sysctl.d/": "sysctl"}

type layout struct {
	place            *Place
	pivot, tree      string
	out              *Placement
	system, user     bool // there are units of the scope
	generated, gUser bool // there is generator output
	hooks            map[string]bool
}

func (l *layout) entry(e emit.ManifestEntry) error {
	top, _, _ := strings.Cut(e.Path, "/")
	switch {
	case strings.HasPrefix(e.Path, "etc/systemd/system/"):
		l.system = true
		l.unitLink(etcSystem, strings.TrimPrefix(e.Path, "etc/systemd/system/"), e)
	case strings.HasPrefix(e.Path, "etc/systemd/user/"):
		l.user = true
		l.unitLink(etcUser, strings.TrimPrefix(e.Path, "etc/systemd/user/"), e)
	case strings.HasPrefix(top, "generator"):
		if strings.HasSuffix(top, ".user") {
			l.gUser = true
		} else {
			l.generated = true
		}
	case top == "etc" && e.Kind != emit.Directory:
		return l.file(e)
	}
	return nil
}

// file lays out one file of /etc: as a link through the pivot, or as a copy
// where it must be real or belongs to somebody else than root.
func (l *layout) file(e emit.ManifestEntry) error {
	for dir, hook := range hookDirs {
		if strings.HasPrefix(e.Path, dir) {
			l.hooks[hook] = true
		}
	}
	item := Item{Path: "/" + e.Path, Target: l.pivot + "/" + e.Path}
	if e.Kind == emit.File {
		mode, err := strconv.ParseUint(e.Mode, 8, 12)
		if err != nil {
			return fmt.Errorf("%s: mode %q", e.Path, e.Mode)
		}
		if e.Real || sudoers(e.Path) || e.Owner != "" || e.Group != "" || mode&0o7000 != 0 {
			item = Item{Path: item.Path, Source: filepath.Join(l.tree, filepath.FromSlash(e.Path)),
				Mode: uint32(mode), Owner: e.Owner, Group: e.Group, SHA256: e.SHA256}
		}
	}
	l.out.Items = append(l.out.Items, item)
	return nil
}

// sudoers reports whether a file is one of sudo's, whose checks of owner and
// mode not every version makes behind a link.
func sudoers(p string) bool {
	return p == "etc/sudoers" || strings.HasPrefix(p, "etc/sudoers.d/")
}

// unitLink lays out one path of a unit directory in links mode. An alias is a
// direct link beside its unit: through the pivot systemd would take it for a
// unit of its own.
func (l *layout) unitLink(dir, rel string, e emit.ManifestEntry) {
	if l.out.Units != UnitsLinks || e.Kind == emit.Directory {
		return
	}
	item := Item{Path: path.Join(dir, rel), Target: l.pivot + "/" + e.Path}
	if e.Kind == emit.Link && (e.Target == "/dev/null" || !path.IsAbs(e.Target) && unitname.Type(path.Base(rel)) != "") {
		item.Target = e.Target
	}
	l.out.Items = append(l.out.Items, item)
}

// loadPath adds what brings the units as a whole into the load path.
func (l *layout) loadPath() {
	if l.out.Units == UnitsDirectory {
		if l.system {
			l.out.Items = append(l.out.Items, Item{Path: loadPathSystem, Target: l.pivot + "/etc/systemd/system"})
		}
		if l.user {
			l.out.Items = append(l.out.Items, Item{Path: loadPathUser, Target: l.pivot + "/etc/systemd/user"})
		}
	}
	boot := bootScript(l.pivot, l.place.Unitgen, false)
	l.out.Items = append(l.out.Items, Item{Path: bootGenerator, Content: boot, Mode: 0o755, SHA256: sumOf(boot)})
	byGenerator := l.out.Units == UnitsGenerator
	if l.generated || byGenerator && l.system {
		l.script(generators, "system", "", byGenerator)
	}
	if l.gUser || byGenerator && l.user {
		l.script(userGenerators, "user", ".user", byGenerator)
	}
}

func (l *layout) script(at, scope, suffix string, units bool) {
	text := generatorScript(l.pivot, scope, suffix, units)
	l.out.Items = append(l.out.Items, Item{Path: at, Content: text, Mode: 0o755, SHA256: sumOf(text)})
}

// preflight lays out both generations and refuses whatever stands in the way.
// With o.Repair what was laid last is laid again.
func (p *Place) preflight(o Options, from, to generation.Generation, b *begin) error {
	s := o.State
	if err := p.sameFileSystem(s); err != nil {
		return err
	}
	before, err := Placed(s)
	if err != nil {
		return err
	}
	p.reach()
	p.keepModes(before)
	if p.Etc == EtcOverlay {
		if err := p.overlayPreflight(s, to); err != nil {
			return err
		}
	}
	var after *Placement
	if o.Repair && len(before.Items) > 0 {
		again := *before
		after, again.Items = &again, slices.Clone(before.Items)
	} else if after, err = p.Layout(s, to); err != nil {
		return err
	}
	var conflicts []Conflict
	for n, i := range after.Items {
		if old, ok := before.item(i.Path); ok {
			after.Items[n].Adopt = old.Adopt
		}
		c := p.conflict(s, i, before)
		if c == nil {
			continue
		}
		if c.Adoptable && (o.Adopt || p.wasReleased(i.Path, before)) {
			after.Items[n].Adopt = true
			continue
		}
		conflicts = append(conflicts, *c)
	}
	b.Before, b.After = before, after
	after.Dirs = p.newDirs(before, after)
	after.Released = p.release(s, before, after)
	if o.NoBoot {
		after.Boot = before.Boot
	}
	if len(conflicts) > 0 {
		return &ConflictError{Conflicts: conflicts}
	}
	return nil
}

// drifted gives the paths that lie in the host for both generations and are not
// there as they were laid: they are put back.
func (p *Place) drifted(before, after *Placement) []string {
	var out []string
	if after.Etc == EtcOverlay && before.Etc == EtcOverlay && p.base == "" {
		out = append(out, "/etc")
	}
	for _, i := range after.Items {
		if old, ok := before.item(i.Path); ok && !p.asLaid(old) {
			out = append(out, i.Path)
		}
	}
	return out
}

// keepModes keeps to the way the host was laid out, where no other was asked
// for.
func (p *Place) keepModes(before *Placement) {
	if len(before.Items) == 0 {
		return
	}
	if p.Units == UnitsAuto {
		p.Units = before.Units
	}
	if p.Etc == EtcAuto {
		p.Etc = before.Etc
	}
}

// sameFileSystem refuses a state directory that may not be mounted when
// systemd reads its units.
func (p *Place) sameFileSystem(s *generation.State) error {
	if p.User != "" || p.fresh {
		return nil
	}
	var a, b syscall.Stat_t
	root := p.host("/")
	if err := syscall.Stat(s.Dir(), &a); err != nil {
		return &fs.PathError{Op: "stat", Path: s.Dir(), Err: err}
	}
	for _, d := range []string{p.host("/etc"), root} {
		if err := syscall.Stat(d, &b); err == nil && a.Dev == b.Dev {
			return nil
		}
	}
	return fmt.Errorf("the state directory %s lies on a file system of its own, which may not be mounted when systemd reads its units; use a directory on the root file system, such as /etc/unitgen", s.Dir())
}

// conflict says why an item cannot be put in place, nil when it can.
func (p *Place) conflict(s *generation.State, i Item, before *Placement) *Conflict {
	if i.Absent != "" {
		return nil // what is there is a link that enables a unit, and comes back
	}
	if why := p.inTheWay(s, i.Path, before); why != "" {
		return &Conflict{Path: i.Path, Why: why}
	}
	if leaving(before, i.Path) != "" {
		return nil
	}
	at := p.host(i.Path)
	st, err := os.Lstat(at)
	if err != nil {
		return nil
	}
	if old, ok := before.item(i.Path); ok && p.isOurs(old) || p.isOurs(i) {
		return nil
	}
	switch {
	case st.Mode()&fs.ModeSymlink != 0:
		t, _ := os.Readlink(at)
		if strings.HasPrefix(t, p.pivot(s)+"/") {
			return nil
		}
		return &Conflict{Path: i.Path, Why: "is a link to " + t, Adoptable: true}
	case st.IsDir() && slices.Contains(before.Dirs, i.Path):
		if other := p.strangers(s, i.Path, before); other != "" {
			return &Conflict{Path: i.Path, Why: "is a directory, and " + other + " in it is not unitgen's to remove"}
		}
		return nil
	case st.IsDir():
		return &Conflict{Path: i.Path, Why: "is a directory"}
	case !st.Mode().IsRegular():
		return &Conflict{Path: i.Path, Why: "is a special file"}
	case i.Content != "" || i.Source != "":
		if old, ok := before.item(i.Path); ok && !old.isLink() {
			return &Conflict{Path: i.Path, Why: "was changed since unitgen wrote it", Adoptable: true}
		}
	}
	return &Conflict{Path: i.Path, Why: "is a file that unitgen did not make", Adoptable: true}
}

// newDirs gives the directories to make for the items, those made before and
// still needed among them.
func (p *Place) newDirs(before, after *Placement) []string {
	need := map[string]bool{}
	for _, i := range after.Items {
		if i.Absent != "" {
			continue
		}
		for d := path.Dir(i.Path); d != "/"; d = path.Dir(d) {
			_, goes := before.item(d)
			if _, err := os.Lstat(p.host(d)); err == nil && !goes && !slices.Contains(before.Dirs, d) {
				break
			}
			need[d] = true
		}
	}
	return sortedNames(need)
}
