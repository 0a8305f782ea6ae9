package load

type index struct {
	dirs  []string
	names map[string]string
}

func (l *Loader) ix() *index {
	if l.index == nil {
		l.index = &index{names: map[string]string{}}
	}
	return l.index
}

func (l *Loader) load(name string) *Unit {
	if u := l.units[name]; u != nil {
		return u
	}
	u := &Unit{Name: name, Names: []string{name}, State: NotFound, loader: l}
	l.units[name] = u
	return u
}

func (l *Loader) closure(names []string) []*Unit {
	var out []*Unit
	for _, n := range names {
		out = append(out, l.load(n))
	}
	return out
}

type mountNeed struct {
	path   string
	origin string
}
