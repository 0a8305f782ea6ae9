package compile

import (
	"runtime"
	"sort"
	"strings"
	"sync"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/tree"
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
	if c.o.Sysroot != "" {
		return nil, false
	}
	var units []*tree.Unit
	for _, u := range t.Units {
		if u.Scope == scope {
			units = append(units, u)
		}
	}
	if len(units) < shardFrom || !unsuspicious(t, scope) {
		return nil, false
	}
	// Units of one name stand together: a timer with its service.
	sort.SliceStable(units, func(i, j int) bool { return stem(units[i].Name) < stem(units[j].Name) })
	provides := append([]string(nil), t.Provides...)
	for _, u := range units {
		provides = append(provides, u.Name)
	}
	for _, d := range t.Distro {
		provides = append(provides, d.Name)
	}
	of := map[string]*tree.Tree{} // by stem
	var shards []*tree.Tree
	for i := 0; i < len(units); {
		j := min(i+shardSize, len(units))
		for j < len(units) && stem(units[j].Name) == stem(units[j-1].Name) {
			j++
		}
		shard := &tree.Tree{Host: t.Host, Systemd: t.Systemd, Units: units[i:j], Provides: provides}
		for _, u := range shard.Units {
			of[stem(u.Name)] = shard
		}
		shards = append(shards, shard)
		i = j
	}
	for _, d := range t.DropIns {
		if shard := of[stem(d.Unit)]; shard != nil && d.Scope == scope {
			shard.DropIns = append(shard.DropIns, d)
		}
	}
	for _, x := range t.Instances {
		if shard := of[stem(x.Name)]; shard != nil && x.Scope == scope {
			shard.Instances = append(shard.Instances, x)
		}
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
