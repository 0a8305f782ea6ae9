package load

import "sort"

// Extend is Closure for somebody who has a part of it: it does not look behind
// a unit that is known and leaves it out, so that its work does not grow with
// what is there already. Inverse dependencies are added between the units that
// it gives. The named units are given even if they are known.
func (l *Loader) Extend(known func(name string) bool, names ...string) []*Unit {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reach(names, known)
}

// reach loads what the names lead to; known may be nil.
func (l *Loader) reach(names []string, known func(name string) bool) []*Unit {
	reached := map[string]*Unit{}
	var todo []*Unit
	visit := func(n string) {
		u := l.load(n)
		if reached[u.Name] == nil {
			reached[u.Name] = u
			todo = append(todo, u)
		}
	}
	for _, n := range names {
		visit(n)
	}
	for len(todo) > 0 {
		u := todo[0]
		todo = todo[1:]
		for _, d := range u.Deps {
			switch {
			case known == nil:
				visit(d.Unit)
			case inverseOnly(d) || known(d.Unit):
			default:
				visit(d.Unit)
			}
		}
	}
	for _, u := range reached {
		for _, d := range u.Deps {
			if inv := inverse[d.Type]; inv != "" && !inverseOnly(d) {
				if o := reached[d.Unit]; o != nil {
					o.put(inv, u.Name, fromInverse, nil)
				}
			}
		}
	}
	out := make([]*Unit, 0, len(reached))
	for _, u := range reached {
		u.finish()
		out = append(out, u)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// inverseOnly reports whether a dependency is nothing but the other half of
// one that another unit has.
func inverseOnly(d Dep) bool { return len(d.Origins) == 1 && d.Origins[0] == "inverse" }
