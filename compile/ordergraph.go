package compile

import (
	"path"
	"strings"

	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitfile"
	"github.com/unitgen/unitgen/schema/unitname"
	"github.com/unitgen/unitgen/schema/verify"
)

// claims are directives of whose values no two units may have the same.
var claims = map[string]bool{
	"BusName": true, "PIDFile": true, "Alias": true, "ListenStream": true, "ListenDatagram": true, "ListenSequentialPacket": true,
	"ListenFIFO": true, "ListenSpecial": true, "ListenNetlink": true, "ListenMessageQueue": true, "Symlinks": true, "FileDescriptorName": false,
	"Where": true,
}

// orderGraph holds every order among units that systemd makes and some more, so
// that no cycle in it means none at all; and what else takes several units to
// see.
type orderGraph struct {
	ids  map[string]int32
	next [][]int32

	known     map[string]bool // names that are there
	inTree    map[string]bool
	masked    map[string]bool
	claimed   map[string]string
	hard      map[string][]string // unit → the units that require it
	conflicts [][2]string
	mounts    bool
}

// allMounts stands for every mount unit: whatever has a path may wait for one.
const allMounts = "\x00mounts"

// unsuspicious reports whether names alone show that no complaint across units
// can arise in a scope.
func unsuspicious(t *tree.Tree, scope tree.Scope) bool {
	g := &orderGraph{ids: map[string]int32{}, known: map[string]bool{}, inTree: map[string]bool{}, masked: map[string]bool{}, claimed: map[string]string{}, hard: map[string][]string{}}
	for _, n := range t.Provides {
		g.known[n] = true
	}
	for _, d := range t.Distro {
		g.known[d.Name] = true
	}
	files := map[string]*unitfile.File{}
	for _, u := range t.Units {
		if u.Scope != scope {
			continue
		}
		if g.inTree[u.Name] || u.Place != tree.Etc && u.Place != "" {
			return false
		}
		g.known[u.Name], g.inTree[u.Name] = true, true
		g.mounts = g.mounts || unitname.Type(u.Name) == "mount"
		if u.Mask || u.File == nil {
			g.masked[u.Name] = true
			continue
		}
		files[u.Name] = u.File
	}
	instances := map[string]bool{}
	for _, x := range t.Instances {
		if x.Scope == scope && files[unitname.Template(x.Name)] != nil {
			g.known[x.Name], instances[x.Name] = true, true
		}
	}
	for n, f := range files {
		if i := enabledName(n, f); i != n && i != "" {
			g.known[i], instances[i] = true, true
		}
	}
	extra := map[string][]*unitfile.File{}
	for _, d := range t.DropIns {
		if d.Scope != scope {
			continue
		}
		switch typ := unitname.Type(d.Unit); {
		case !unitname.Valid(d.Unit), strings.HasSuffix(d.Unit, "-."+typ), strings.HasSuffix(d.Unit, "-@."+typ), typ == "slice" && !g.inTree[d.Unit]:
			return false // for many units, or one that is there without a file
		}
		extra[d.Unit] = append(extra[d.Unit], d.File)
	}
	for _, o := range standing {
		g.after(o[0], o[1])
	}
	if !g.aliases(t, scope, files) {
		return false
	}
	for _, u := range t.Units {
		if f := files[u.Name]; f != nil && u.Scope == scope && !g.unit(u.Name, append([]*unitfile.File{f}, extra[u.Name]...)) {
			return false
		}
	}
	for n := range instances {
		list := append([]*unitfile.File{files[unitname.Template(n)]}, extra[unitname.Template(n)]...)
		if !g.unit(n, append(list, extra[n]...)) {
			return false
		}
	}
	return !g.cyclic() && !g.contradicts()
}

// standing are the orders of the units that systemd brings.
var standing = [][2]string{
	{"basic.target", "sysinit.target"}, {"basic.target", "sockets.target"}, {"basic.target", "timers.target"}, {"basic.target", "paths.target"}, {"basic.target", "slices.target"},
	{"multi-user.target", "basic.target"}, {"graphical.target", "multi-user.target"}, {"default.target", "multi-user.target"}, {"network-online.target", "network.target"},
	{"sysinit.target", "local-fs.target"}, {"sysinit.target", "swap.target"}, {"sysinit.target", "cryptsetup.target"}, {"local-fs.target", "local-fs-pre.target"},
	{"network.target", "network-pre.target"}, {"remote-fs.target", "remote-fs-pre.target"}, {"sockets.target", "sysinit.target"}, {"timers.target", "sysinit.target"},
	{"paths.target", "sysinit.target"}, {"system.slice", "-.slice"}, {"sysinit.target", "system.slice"},
}

func (g *orderGraph) id(name string) int32 {
	n, ok := g.ids[name]
	if !ok {
		n = int32(len(g.next))
		g.ids[name] = n
		g.next = append(g.next, nil)
	}
	return n
}

func (g *orderGraph) after(a, b string) {
	i, j := g.id(a), g.id(b)
	if i != j {
		g.next[i] = append(g.next[i], j)
	}
}

// aliases notes further names of units, and what links pull in.
func (g *orderGraph) aliases(t *tree.Tree, scope tree.Scope, files map[string]*unitfile.File) bool {
	alias := func(name, of string) bool {
		if _, taken := g.ids[name]; taken && g.id(name) != g.id(of) || g.inTree[name] && name != of {
			return false
		}
		g.ids[name] = g.id(of)
		g.known[name] = true
		return true
	}
	for _, u := range t.Units {
		if f := files[u.Name]; f != nil && u.Scope == scope {
			for _, v := range f.Values("Install", "Alias") {
				for _, n := range strings.Fields(v) {
					if strings.ContainsAny(v, "%\"'\\@") || !alias(n, u.Name) {
						return false
					}
				}
			}
		}
	}
	dir := "etc/systemd/" + string(scope) + "/"
	for _, l := range t.Links {
		rel, mine := strings.CutPrefix(l.Path, dir)
		if !mine {
			continue
		}
		name := path.Base(rel)
		if name == rel {
			if !alias(name, path.Base(l.Target)) {
				return false
			}
			continue
		}
		holder, is := strings.TrimSuffix(path.Dir(rel), path.Ext(path.Dir(rel))), true
		switch path.Ext(path.Dir(rel)) {
		case ".wants", ".upholds":
			g.after(holder, name)
		case ".requires":
			is = g.requiredBy(name, holder)
		default:
			return false
		}
		if !is {
			return false
		}
	}
	return true
}

// requiredBy notes that a unit is required by another one, which has no order
// with it.
func (g *orderGraph) requiredBy(name, by string) bool {
	g.after(by, name)
	g.hard[name] = append(g.hard[name], by)
	return !g.inTree[by]
}

// specials are the units of systemd.special(7) by name.
var specials = func() map[string]bool {
	m := map[string]bool{}
	for _, n := range verify.Specials() {
		m[n] = true
	}
	return m
}()

// unit adds the orders of a unit of some files; false where it needs a closer
// look.
func (g *orderGraph) unit(name string, files []*unitfile.File) bool {
	typ := unitname.Type(name)
	switch typ {
	case "service", "timer", "target", "socket", "path", "slice", "mount":
	default:
		return false // these bring orders of their own
	}
	if specials[name] && (typ != "target" || name == "shutdown.target") {
		return false // much is ordered around these
	}
	ordered, required, triggers := map[string]bool{}, []string(nil), false
	for _, f := range files {
		for i := range f.Lines {
			l := &f.Lines[i]
			if l.Key == "" {
				continue
			}
			if claims[l.Key] && l.Value != "" && !unitname.IsTemplate(name) {
				if old, ok := g.claimed[l.Key+"="+l.Value]; ok && old != name || strings.Contains(l.Value, "%") {
					return false
				}
				g.claimed[l.Key+"="+l.Value] = name
			}
			if !crossKeys[l.Key] {
				continue
			}
			switch l.Key {
			case "RequiresOverridable", "RequisiteOverridable", "LogNamespace":
				return false
			}
			if strings.ContainsAny(l.Value, "%\"'\\") {
				return false
			}
			for _, n := range strings.Fields(l.Value) {
				if n == name && l.Key != "Conflicts" {
					continue // found in its shard
				}
				switch l.Key {
				case "Slice":
					g.after(name, n)
					g.after("sysinit.target", n)
				case "Unit", "Service":
					triggers = true
					g.after(n, name)
				case "Sockets":
					g.after(name, n)
				case "Conflicts":
					g.conflicts = append(g.conflicts, [2]string{name, n})
				case "After":
					if ordered["<"+n] {
						return false
					}
					ordered[n], ordered[">"+n] = true, true
					g.after(name, n)
				case "Before":
					if ordered[">"+n] {
						return false
					}
					ordered[n], ordered["<"+n] = true, true
					g.after(n, name)
				case "Requires", "Requisite", "BindsTo":
					required = append(required, n)
					g.hard[n] = append(g.hard[n], name)
					fallthrough
				case "Wants", "Upholds", "PartOf":
					if typ == "target" {
						g.after(name, n)
					}
				case "WantedBy", "UpheldBy":
					g.after(n, name)
				case "RequiredBy":
					if !g.requiredBy(name, n) {
						return false
					}
				}
			}
		}
	}
	for _, n := range required {
		if !ordered[n] || g.masked[n] || !g.known[n] && !verify.Special(n) {
			return false
		}
	}
	return g.implicit(name, typ, triggers)
}

// implicit adds the orders that a unit has by its type.
func (g *orderGraph) implicit(name, typ string, triggers bool) bool {
	if g.mounts && typ != "mount" && typ != "slice" {
		g.after(name, allMounts)
	}
	switch typ {
	case "service":
		g.after(name, "basic.target")
		g.after(name, "sysinit.target")
		g.after(name, "system.slice")
	case "slice", "mount":
		for i := 1; i < len(name); i++ {
			if name[i] == '-' {
				g.after(name, name[:i]+"."+typ) // the parent
			}
		}
		if typ == "slice" {
			g.after("sysinit.target", name)
			break
		}
		g.after(allMounts, name)
		g.after(name, "system.slice")
		for _, n := range []string{"local-fs", "remote-fs"} {
			g.after(n+".target", name)
			g.after(name, n+"-pre.target")
		}
		g.after(name, "network-online.target")
	case "timer", "socket", "path":
		if svc := strings.TrimSuffix(name, "."+typ) + ".service"; !triggers {
			if !g.known[svc] {
				return false
			}
			g.after(svc, name)
		}
		g.after(typ+"s.target", name)
		g.after(name, "sysinit.target")
		g.after(name, "time-sync.target")
		g.after(name, "time-set.target")
	}
	return true
}

// contradicts reports whether a unit may require two that exclude each other.
func (g *orderGraph) contradicts() bool {
	const enough = 1 << 22
	steps := 0
	above := func(n string) map[string]bool {
		seen := map[string]bool{n: true}
		for todo := []string{n}; len(todo) > 0 && steps < enough; {
			x := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			for _, by := range g.hard[x] {
				if steps++; !seen[by] {
					seen[by] = true
					todo = append(todo, by)
				}
			}
		}
		return seen
	}
	for _, p := range g.conflicts {
		if p[0] == p[1] || verify.Special(p[1]) && p[1] != "shutdown.target" || unitname.Type(p[1]) == "mount" {
			return true
		}
		a, b := above(p[0]), above(p[1])
		for n := range a {
			if steps++; b[n] {
				return true
			}
		}
		if steps >= enough {
			return true
		}
	}
	return false
}

// cyclic reports whether an order leads back to where it began.
func (g *orderGraph) cyclic() bool {
	in := make([]int32, len(g.next))
	for _, l := range g.next {
		for _, j := range l {
			in[j]++
		}
	}
	var todo []int32
	for i, n := range in {
		if n == 0 {
			todo = append(todo, int32(i))
		}
	}
	done := 0
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		done++
		for _, j := range g.next[i] {
			if in[j]--; in[j] == 0 {
				todo = append(todo, j)
			}
		}
	}
	return done < len(g.next)
}
