package compile

import (
	"runtime"
	"sort"
	"strings"
	"sync"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitname"
	"github.com/unitgen/unitgen/schema/verify"
)

// A large tree is checked in shards: each loads some units without what they
// depend on, on a core of its own, and is forgotten. What one unit shows is found
// so. What takes
// several units to see (cycles, contradictions, claims of one thing by two) is
// ruled out beforehand by looking at names alone, on the safe side; where it
// cannot be ruled out, the whole tree is loaded at once.

// shardFrom is the size from which a tree is checked in shards, shardSize how
// many units one takes.
// The tests make them smaller.
var (
	shardFrom = 600
	shardSize = 400
)

// across are the complaints that a shard cannot judge.
var across = map[string]bool{
	verify.CodeMissingUnit: true, verify.CodeMaskedUnit: true, verify.CodeCycle: true, verify.CodeContradiction: true,
	verify.CodeNoOrder: true, verify.CodeTrigger: true, verify.CodeClaim: true, verify.CodeNotFound: true,
}

// sharded checks the units of a scope in shards; ok is false when the whole
// tree must be loaded.
func (c *compilation) sharded(t *tree.Tree, scope tree.Scope) (out diag.List, ok bool) {
	if c.o.Sysroot != "" || len(t.DropIns) > 0 || len(t.Links) > 0 || len(t.Distro) > 0 || len(t.Instances) > 0 {
		return nil, false
	}
	var units []*tree.Unit
	for _, u := range t.Units {
		if u.Scope == scope {
			units = append(units, u)
		}
	}
	if len(units) < shardFrom || !unsuspicious(units, t.Provides) {
		return nil, false
	}
	// Units of one name stand together: a timer with its service.
	sort.SliceStable(units, func(i, j int) bool { return stem(units[i].Name) < stem(units[j].Name) })
	provides := append([]string(nil), t.Provides...)
	for _, u := range units {
		provides = append(provides, u.Name)
	}
	var shards []*tree.Tree
	for i := 0; i < len(units); {
		j := min(i+shardSize, len(units))
		for j < len(units) && stem(units[j].Name) == stem(units[j-1].Name) {
			j++
		}
		shards = append(shards, &tree.Tree{Host: t.Host, Systemd: t.Systemd, Units: units[i:j], Provides: provides})
		i = j
	}
	found := make([]diag.List, len(shards))
	work := make(chan int, len(shards))
	for i := range shards {
		work <- i
	}
	close(work)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(shards)) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range work {
				found[i] = c.verifyUnits(shards[i], scope, true)
			}
		}()
	}
	wg.Wait()
	for _, l := range found {
		for _, d := range l {
			if across[d.Code] {
				return nil, false
			}
		}
		out = append(out, l...)
	}
	return out, true
}

func stem(name string) string {
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		name = name[:i]
	}
	s, _, _ := strings.Cut(name, "@")
	return s
}

// claims are directives of whose values no two units may have the same.
var claims = map[string]bool{
	"BusName": true, "PIDFile": true, "Alias": true, "ListenStream": true, "ListenDatagram": true, "ListenSequentialPacket": true,
	"ListenFIFO": true, "ListenSpecial": true, "ListenNetlink": true, "ListenMessageQueue": true, "Symlinks": true, "FileDescriptorName": false,
}

// unsuspicious reports whether names alone show that no complaint across units
// can arise. Its graph holds every order that systemd makes and some more, so
// no cycle in it means none at all.
func unsuspicious(units []*tree.Unit, provides []string) bool {
	known := map[string]bool{}
	for _, n := range provides {
		known[n] = true
	}
	for _, u := range units {
		switch unitname.Type(u.Name) {
		case "service", "timer", "target", "socket":
		default:
			return false // paths and mounts bring orders of their own
		}
		if u.Mask || u.File == nil || u.NoInstall || u.Place != tree.Etc {
			return false
		}
		if verify.Special(u.Name) && (unitname.Type(u.Name) != "target" || u.Name == "shutdown.target") {
			return false // much is ordered around these
		}
		known[u.Name] = true
	}
	g := &orderGraph{ids: map[string]int32{}}
	for _, pair := range [][2]string{
		{"basic.target", "sysinit.target"}, {"basic.target", "sockets.target"}, {"basic.target", "timers.target"}, {"basic.target", "paths.target"}, {"basic.target", "slices.target"},
		{"multi-user.target", "basic.target"}, {"graphical.target", "multi-user.target"}, {"default.target", "multi-user.target"}, {"network-online.target", "network.target"},
		{"sysinit.target", "local-fs.target"}, {"sysinit.target", "swap.target"}, {"sysinit.target", "cryptsetup.target"}, {"local-fs.target", "local-fs-pre.target"},
		{"network.target", "network-pre.target"}, {"remote-fs.target", "remote-fs-pre.target"}, {"sockets.target", "sysinit.target"}, {"timers.target", "sysinit.target"},
		{"paths.target", "sysinit.target"}, {"system.slice", "-.slice"}, {"sysinit.target", "system.slice"},
	} {
		g.after(pair[0], pair[1])
	}
	claimed := map[string]string{}
	for _, u := range units {
		if !g.unit(u, known, claimed) {
			return false
		}
	}
	return !g.cyclic()
}

type orderGraph struct {
	ids  map[string]int32
	next [][]int32
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
	if a == b {
		return
	}
	i, j := g.id(a), g.id(b)
	g.next[i] = append(g.next[i], j)
}

// unit adds a unit's orders; false where it needs a closer look.
func (g *orderGraph) unit(u *tree.Unit, known map[string]bool, claimed map[string]string) bool {
	typ := unitname.Type(u.Name)
	ordered, required := map[string]bool{}, []string(nil)
	for i := range u.File.Lines {
		l := &u.File.Lines[i]
		if l.Key == "" {
			continue
		}
		if claims[l.Key] && l.Value != "" {
			if old, ok := claimed[l.Key+"="+l.Value]; ok && old != u.Name {
				return false
			}
			claimed[l.Key+"="+l.Value] = u.Name
			if l.Key == "Alias" || l.Key == "PIDFile" && strings.Contains(l.Value, "%") {
				return false
			}
		}
		switch l.Key {
		case "Conflicts", "Service", "Unit", "Sockets", "Also", "RequiresMountsFor", "WantsMountsFor", "JoinsNamespaceOf", "DefaultInstance", "DefaultDependencies",
			"RequiresOverridable", "RequisiteOverridable", "LogNamespace":
			return false
		case "Slice":
			g.after(u.Name, l.Value)
			g.after("sysinit.target", l.Value)
		case "After", "Before", "Wants", "Requires", "Requisite", "BindsTo", "Upholds", "PartOf", "WantedBy", "RequiredBy", "UpheldBy":
			if strings.ContainsAny(l.Value, "%\"'\\") {
				return false
			}
			for _, n := range strings.Fields(l.Value) {
				if n == u.Name {
					continue // found in its shard
				}
				switch l.Key {
				case "After":
					if ordered["<"+n] {
						return false
					}
					ordered[n], ordered[">"+n] = true, true
					g.after(u.Name, n)
				case "Before":
					if ordered[">"+n] {
						return false
					}
					ordered[n], ordered["<"+n] = true, true
					g.after(n, u.Name)
				case "Requires", "Requisite", "BindsTo":
					required = append(required, n)
					fallthrough
				case "Wants", "Upholds":
					if typ == "target" {
						g.after(u.Name, n)
					}
				case "WantedBy", "RequiredBy", "UpheldBy":
					if l.Key == "RequiredBy" {
						return false
					}
					g.after(n, u.Name)
				}
			}
		}
	}
	for _, n := range required {
		if !ordered[n] || !known[n] && !verify.Special(n) {
			return false
		}
	}
	switch typ {
	case "service":
		g.after(u.Name, "basic.target")
		g.after(u.Name, "sysinit.target")
		g.after(u.Name, "system.slice")
	case "timer", "socket":
		svc := strings.TrimSuffix(u.Name, "."+typ) + ".service"
		if !known[svc] {
			return false
		}
		g.after(svc, u.Name)
		g.after(typ+"s.target", u.Name)
		g.after(u.Name, "sysinit.target")
		g.after(u.Name, "time-sync.target")
		g.after(u.Name, "time-set.target")
	}
	return true
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
