package compile

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/unitgen/unitgen/compile/internal/index"
	"github.com/unitgen/unitgen/compile/internal/load"
	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/modules"
	"github.com/unitgen/unitgen/schema/diag"
)

// ModuleReference documents one module.
type ModuleReference struct {
	Name        string            `json:"name"` // its namespace; "" for the host's own options
	Description string            `json:"description,omitempty"`
	Bundled     bool              `json:"bundled"`
	Extends     []string          `json:"extends,omitempty"` // modules whose options it defines
	Reads       []string          `json:"reads,omitempty"`   // modules whose options it reads
	Units       []string          `json:"units,omitempty"`   // units that it contributes, by the block's label
	Options     []OptionReference `json:"options"`
}

// OptionReference documents one option.
type OptionReference struct {
	Path        string           `json:"path"` // "config.nginx.port"
	Name        string           `json:"name"`
	Type        string           `json:"type"`
	Shape       *types.Described `json:"shape"`
	Default     string           `json:"default,omitempty"` // source text
	Example     string           `json:"example,omitempty"` // source text
	Description string           `json:"description,omitempty"`
	Check       string           `json:"check,omitempty"` // what the check says
	Merge       string           `json:"merge,omitempty"`
	Deprecated  string           `json:"deprecated,omitempty"`
	RenamedTo   string           `json:"renamed_to,omitempty"`
	Removed     string           `json:"removed,omitempty"`
	Required    bool             `json:"required,omitempty"`
	ReadOnly    bool             `json:"read_only,omitempty"`
	Internal    bool             `json:"internal,omitempty"`
	Declared    diag.Range       `json:"-"`
	Where       string           `json:"declared"` // "modules/app/app.ug.hcl:4:1"
}

// BundledModules gives the names of the modules that come with unitgen,
// sorted.
func BundledModules() []string {
	var out []string
	entries, err := fs.ReadDir(modules.FS, ".")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if e.IsDir() {
			out = append(out, e.Name())
		}
	}
	sort.Strings(out)
	return out
}

// Reference documents the modules of the host in o.Dir, and the bundled
// modules that are named. A directory without any configuration has none of
// its own. Nothing is evaluated.
func Reference(ctx context.Context, o Options, bundled []string) ([]ModuleReference, diag.List) {
	if o.Dir == "" {
		o.Dir = "."
	}
	st, err := os.Stat(o.Dir)
	if found, e := filepath.Glob(filepath.Join(o.Dir, "*"+load.Suffix)); err == nil && st.IsDir() && e == nil && len(found) == 0 {
		empty, err := os.MkdirTemp("", "unitgen-reference-")
		if err == nil {
			defer os.RemoveAll(empty)
			err = os.WriteFile(filepath.Join(empty, "host"+load.Suffix), nil, 0o600)
		}
		if err != nil {
			return nil, diag.List{diag.Errorf("E0106", "Directory cannot be read", diag.Range{}, "A temporary directory cannot be made: %s.", err)}
		}
		o.Dir = empty
	}
	out, diags := reference(ctx, o, bundled)
	return out, tidy(diags)
}

// BundledReference documents bundled modules alone, whatever directory it is
// called in.
func BundledReference(ctx context.Context, names ...string) ([]ModuleReference, diag.List) {
	dir, err := os.MkdirTemp("", "unitgen-reference-")
	if err != nil {
		return nil, diag.List{diag.Errorf("E0106", "Directory cannot be read", diag.Range{}, "A temporary directory cannot be made: %s.", err)}
	}
	defer os.RemoveAll(dir)
	return Reference(ctx, Options{Dir: dir}, names)
}

func reference(ctx context.Context, o Options, bundled []string) ([]ModuleReference, diag.List) {
	c := newCompilation(ctx, o)
	lo := load.Options{Dir: o.Dir, Host: o.Host, Bundled: modules.FS, Parallelism: o.Parallelism, Files: o.Files, Remote: o.Remote, Demand: bundled}
	fetched(o, &lo)
	set, diags := load.Load(ctx, lo)
	c.set = set
	if diags.HasErrors() {
		return nil, diags
	}
	ix, d := index.Make(set, index.Options{Variant: o.Variant, Env: c.env})
	diags = append(diags, d...)
	var out []ModuleReference
	for _, m := range ix.Modules {
		out = append(out, moduleReference(ix, set, m))
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out, diags
}

func moduleReference(ix *index.Index, set *load.Set, m *index.Module) ModuleReference {
	ref := ModuleReference{Name: m.Name, Bundled: m.Bundled, Options: []OptionReference{}}
	if m.Header != nil {
		if a := m.Header.Attr("description"); a != nil && a.Lit.Kind == syntax.LitString {
			ref.Description = a.Lit.String
		}
	}
	names := append([]string(nil), m.Names...)
	sort.Strings(names)
	for _, n := range names {
		ref.Options = append(ref.Options, optionReference(set, m.Options[n]))
	}
	units := map[string]bool{}
	for _, k := range ix.UnitKeys {
		for _, b := range ix.Units[k] {
			if b.Module == m {
				units[k.Label+"."+k.Kind] = true
			}
		}
	}
	ref.Units = sortedSet(units)
	extends, reads := relations(m.Module)
	delete(extends, m.Name)
	delete(reads, m.Name)
	ref.Extends, ref.Reads = sortedSet(extends), sortedSet(reads)
	return ref
}

func sortedSet(m map[string]bool) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// relations gives the namespaces that a module defines options of, and those
// that its expressions read.
func relations(m *load.Module) (extends, reads map[string]bool) {
	extends, reads = map[string]bool{}, map[string]bool{}
	for _, f := range m.Files {
		for _, b := range f.Blocks {
			if b.Kind == "config" && len(b.Labels) == 1 {
				extends[b.Label()] = true
			}
			blockReads(b, reads)
		}
	}
	return extends, reads
}

func blockReads(b *syntax.Block, reads map[string]bool) {
	for _, a := range b.Attrs {
		for _, tr := range a.Expr().Variables() {
			if tr.RootName() != "config" || len(tr) < 2 {
				continue
			}
			if step, ok := tr[1].(hcl.TraverseAttr); ok {
				reads[step.Name] = true
			}
		}
	}
	for _, inner := range b.Blocks {
		blockReads(inner, reads)
	}
}

func optionReference(set *load.Set, o *index.Option) OptionReference {
	text := func(a *syntax.Attr) string {
		if a == nil {
			return ""
		}
		r := a.Expr().Range()
		src := set.Sources[r.Filename]
		if r.Start.Byte > r.End.Byte || r.End.Byte > len(src) {
			return ""
		}
		s := string(src[r.Start.Byte:r.End.Byte])
		if o.Type.HasSecret() || madeSecret.MatchString(s) {
			s = literalText.ReplaceAllString(s, `"(secret)"`)
		}
		return outdent(s)
	}
	ref := OptionReference{
		Path: o.Path(), Name: o.Name, Type: o.Type.String(), Shape: o.Type.Describe(), Description: o.Description,
		Default: text(o.Default), Example: text(o.Example), Check: o.Message, Merge: o.Merge, Deprecated: o.Deprecated, RenamedTo: o.RenamedTo,
		Removed: o.Removed, Required: o.Required, ReadOnly: o.ReadOnly, Internal: o.Internal, Declared: syntax.Range(o.Block.Header),
	}
	ref.Where = ref.Declared.String()
	return ref
}

// literalText finds the texts in quotes of an expression, but empty ones.
var literalText = regexp.MustCompile(`"(?:[^"\\\n]|\\.)+"|(?s:<<-?\w+\n.*)`)

// outdent takes the indentation of the source away from the lines after the
// first: as much as the least indented of them has.
func outdent(s string) string {
	lines := strings.Split(s, "\n")
	least := -1
	for _, l := range lines[1:] {
		if t := strings.TrimLeft(l, " "); t != "" && (least < 0 || len(l)-len(t) < least) {
			least = len(l) - len(t)
		}
	}
	for i := range lines[1:] {
		if l := lines[i+1]; len(l) >= least && least > 0 {
			lines[i+1] = l[least:]
		}
	}
	return strings.Join(lines, "\n")
}

// Suggest gives the candidate that is spelled most like the word, or "" when
// none is near.
func Suggest(word string, candidates []string) string { return types.Suggest(word, candidates) }
