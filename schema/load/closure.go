package load

func (l *Loader) closure(names []string) []*Unit { return l.reach(names, nil) }
