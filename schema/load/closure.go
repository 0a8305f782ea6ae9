package load

import "sort"

func (l *Loader) closure(names []string) []*Unit {
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
			visit(d.Unit)
		}
	}
	for _, u := range reached {
		for _, d := range u.Deps {
			if inv := inverse[d.Type]; inv != "" && !(len(d.Origins) == 1 && d.Origins[0] == "inverse") {
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
