package compile

import "github.com/zclconf/go-cty/cty"

// Values gives the final values of all options: by namespace and name as
// `config` reads them, and the host's own as `option` does. Options without a
// value are left out; secrets stay marked.
func (r *Result) Values() (config, own cty.Value) {
	config, own = cty.EmptyObjectVal, cty.EmptyObjectVal
	if r == nil || r.c == nil || r.c.ev == nil || r.c.ix == nil {
		return config, own
	}
	all := map[string]cty.Value{}
	for _, m := range r.c.ix.Modules {
		vals := map[string]cty.Value{}
		for _, n := range m.Names {
			o := m.Options[n]
			if o.RenamedTo != "" || o.Removed != "" || !r.c.ev.HasValue(o) {
				continue
			}
			if v, ok := r.c.ev.Option(o); ok {
				vals[n] = v
			}
		}
		if m == r.c.ix.Own {
			own = cty.ObjectVal(vals)
		}
		if m.Name != "" {
			all[m.Name] = cty.ObjectVal(vals)
		}
	}
	return cty.ObjectVal(all), own
}
