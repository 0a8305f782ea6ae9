package load

// Forget drops a loaded unit: it is read anew when it is named again, and the
// units that stay lead to it no more unless their own files do.
func (l *Loader) Forget(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	u := l.units[name]
	if u == nil {
		return
	}
	for _, n := range u.namesFirst() {
		if l.units[n] == u {
			delete(l.units, n)
		}
	}
	for _, d := range u.Deps {
		o := l.units[d.Unit]
		if o == nil {
			continue
		}
		k := depKey{inverse[d.Type], u.Name}
		v := o.deps[k]
		if v == nil {
			continue
		}
		if v.mask &^= fromInverse; v.mask == 0 {
			delete(o.deps, k)
		}
		o.finish()
	}
}
