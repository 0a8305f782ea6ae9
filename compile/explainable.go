package compile

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitname"
)

// Explainable gives the paths that Explain takes and that name a whole thing:
// options of all loaded modules, locals and units, sorted.
func (r *Result) Explainable() []string {
	c := r.c
	if c == nil {
		return nil
	}
	if c.ix == nil {
		o := c.o
		o.Cache, o.NoVerify = "", true
		c = newCompilation(c.ctx, o)
		c.prepare(&Result{Tree: &tree.Tree{}})
	}
	return c.explainable()
}

func (c *compilation) explainable() []string {
	if c.ix == nil {
		return nil
	}
	var out []string
	for _, m := range c.ix.Modules {
		for _, n := range m.Names {
			if o := m.Options[n]; o != nil && !o.Internal {
				out = append(out, o.Path())
			}
		}
		if m == c.ix.Own {
			for n := range m.Locals {
				out = append(out, "local."+n)
			}
		}
	}
	for _, kind := range unitname.Types {
		for _, l := range c.ix.Labels(kind) {
			out = append(out, unitPath(kind, l))
		}
	}
	sort.Strings(out)
	return slices.Compact(out)
}

// unitPath names a unit as expressions do.
func unitPath(kind, label string) string {
	if strings.Trim(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" || label == "" || label[0] >= '0' && label[0] <= '9' {
		return fmt.Sprintf("%s[%q]", kind, label)
	}
	return kind + "." + label
}

// meant suggests paths for one that names nothing: those that end in the word,
// those of a module of that name, or the nearest.
func (c *compilation) meant(word string) string {
	all := c.explainable()
	var found []string
	if m := c.ix.ByName[word]; m != nil {
		found = append(found, "config."+word)
	}
	lasts := map[string]string{}
	for _, p := range all {
		last := strings.TrimSuffix(strings.TrimSuffix(p[strings.LastIndexAny(p, ".[")+1:], `"]`), `"`)
		last = strings.Trim(last, `"`)
		lasts[last] = p
		if last == word || strings.TrimSuffix(last, "@") == word {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		names := make([]string, 0, len(lasts))
		for n := range lasts {
			names = append(names, n)
		}
		sort.Strings(names)
		if near := types.Suggest(word, names); near != "" {
			found = []string{lasts[near]}
		}
	}
	if len(found) == 0 {
		return ""
	}
	if len(found) > 8 {
		found = found[:8]
	}
	return " Did you mean " + strings.Join(found, " or ") + "?"
}
