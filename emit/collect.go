package emit

import (
	"io/fs"
	"path"
	"strings"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitfile"
)

// collector gathers entries and refuses paths that cannot stand.
type collector struct {
	entries map[string]*Entry
	folded  map[string]string // lower case -> path
	bad     map[string]bool   // refused already: one mistake, one report
	diags   diag.List
}

func newCollector() *collector {
	return &collector{entries: map[string]*Entry{}, folded: map[string]string{}, bad: map[string]bool{}}
}

func (c *collector) unit(u *tree.Unit, o Options) {
	p := path.Join(tree.UnitDir(u.Place, u.Scope), u.Name)
	if why := nameFault(u.Name); why != "" {
		c.refuse("E0801", "Unsafe path", u.Origin, "The unit name %q %s; a unit name is one file name.", u.Name, why)
		return
	}
	if u.Mask || u.File == nil {
		c.add(Entry{Path: p, Kind: Link, Mode: 0o777, Target: "/dev/null", Origin: u.Origin})
		return
	}
	c.add(Entry{Path: p, Kind: File, Mode: 0o644, Content: unitBytes(u.File, u.Origin, o), Origin: u.Origin})
}

func (c *collector) dropIn(d *tree.DropIn, o Options) {
	for _, n := range []string{d.Unit, d.Name} {
		if why := nameFault(n); why != "" {
			c.refuse("E0801", "Unsafe path", d.Origin, "The drop-in name %q %s; it is one file name.", n, why)
			return
		}
	}
	p := path.Join(tree.UnitDir(d.Place, d.Scope), d.Unit+".d", d.Name+".conf")
	c.add(Entry{Path: p, Kind: File, Mode: 0o644, Content: unitBytes(d.File, d.Origin, o), Origin: d.Origin})
}

func (c *collector) file(f *tree.File) {
	mode := f.Mode.Perm() | f.Mode&(fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky)
	if f.Mode == 0 {
		mode = 0o644
	}
	c.add(Entry{
		Path: f.Path, Kind: File, Mode: mode, Owner: rootless(f.Owner), Group: rootless(f.Group),
		Content: f.Content, Real: f.Real, Origin: f.Origin,
	})
}

// rootless spells the default owner one way.
func rootless(owner string) string {
	if owner == "root" || owner == "0" {
		return ""
	}
	return owner
}

// installLink adds a link that [Install] asks for. The same link asked for
// twice is one link.
func (c *collector) installLink(l *tree.Link) {
	if old, ok := c.entries[l.Path]; ok && old.Kind == Link && old.Target == l.Target {
		return
	}
	c.add(Entry{Path: l.Path, Kind: Link, Mode: 0o777, Target: l.Target, Origin: l.Origin})
}

func (c *collector) add(e Entry) {
	if why := pathFault(e.Path); why != "" {
		c.refuse("E0801", "Unsafe path", e.Origin, "The path %q %s. Paths of a tree are relative, below etc/ or a generator directory.", e.Path, why)
		return
	}
	if e.Kind == Link {
		if why := targetFault(e.Path, e.Target); why != "" {
			c.refuse("E0802", "Unsafe link target", e.Origin, "The link %s to %q %s.", e.Path, e.Target, why)
			return
		}
	}
	if old, ok := c.entries[e.Path]; ok {
		c.collide("E0803", "Two definitions claim one path", e.Path, &e, old,
			"%s would be made twice. Rename one of the two, or leave one out with enable = false.", e.Path)
		return
	}
	if prev, ok := c.folded[strings.ToLower(e.Path)]; ok {
		c.collide("E0804", "Two paths differ in case alone", e.Path, &e, c.entries[prev],
			"%s and %s are one path on file systems that ignore case. Rename one of the two.", prev, e.Path)
		return
	}
	c.entries[e.Path] = &e
	c.folded[strings.ToLower(e.Path)] = e.Path
}

func (c *collector) collide(code, summary, key string, e, old *Entry, format string, args ...any) {
	if c.bad[key] {
		return
	}
	c.bad[key] = true
	d := diag.Errorf(code, summary, e.Origin, format, args...)
	if !old.Origin.IsZero() {
		d.Related = []diag.Related{{Message: "the other one is made here", Range: old.Origin}}
	}
	c.diags = append(c.diags, d)
}

func (c *collector) refuse(code, summary string, at diag.Range, format string, args ...any) {
	c.diags = append(c.diags, diag.Errorf(code, summary, at, format, args...))
}

// parents adds the directories above every entry, and finds files that stand
// where a directory must.
func (c *collector) parents() {
	paths := make([]string, 0, len(c.entries))
	for p := range c.entries {
		paths = append(paths, p)
	}
	sortStrings(paths)
	for _, p := range paths {
		e := c.entries[p]
		for up := path.Dir(p); up != "."; up = path.Dir(up) {
			old, ok := c.entries[up]
			if !ok {
				if prev, ok := c.folded[strings.ToLower(up)]; ok {
					c.collide("E0804", "Two paths differ in case alone", up, e, c.entries[prev],
						"%s and %s are one path on file systems that ignore case. Rename one of the two.", prev, up)
					break
				}
				c.entries[up] = &Entry{Path: up, Kind: Directory, Mode: 0o755}
				c.folded[strings.ToLower(up)] = up
				continue
			}
			if old.Kind != Directory {
				c.collide("E0805", "A file stands where a directory must", up, e, old,
					"%s needs the directory %s, which is a %s. Move one of the two.", p, up, old.Kind)
			}
			break
		}
	}
}

// unitBytes renders a unit file, after a comment that names the file that made
// it. The comment has no line number: moving a block changes no unit.
func unitBytes(f *unitfile.File, origin diag.Range, o Options) []byte {
	if o.paths {
		return nil
	}
	body := []byte(nil)
	if f != nil {
		body = f.Bytes()
	}
	if o.NoHeader || origin.IsZero() || strings.ContainsAny(origin.File, "\n\r\x00") {
		return body
	}
	head := "# Made by unitgen from " + origin.File + "\n"
	if strings.HasPrefix(string(body), "# Made by unitgen from ") {
		return body
	}
	return append([]byte(head), body...)
}
