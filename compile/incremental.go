package compile

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/unitgen/unitgen/compile/internal/funcs"
	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitfile"
	"github.com/unitgen/unitgen/schema/unitname"
)

// A large host whose last check was clean, and in which files changed that
// hold nothing but unit blocks, is checked by what changed alone. The other
// files of that sort are stood in for by the names of their units: nothing else
// of them can be seen from outside, for no expression of the host reads a
// directive. This way leads to one answer only, that the host is clean still;
// wherever that is not certain, everything is checked anew.

// partial is what a record keeps for that.
type partial struct {
	Plain map[string][]string // file of unit blocks only, by path → its units
	Units []partialUnit
}

// partialUnit holds the lines of a unit that other units' checks look at.
type partialUnit struct {
	Name  string
	Lines []unitfile.Line
}

// plainKinds are the blocks beside units that a host may have for this.
var plainKinds = map[string]bool{"host": true, "module": true, "option": true, "config": true, "locals": true,
	"assert": true, "warn": true, "user": true, "group": true, "tmpfile": true, "sysctl": true}

// plain gives the names of a file's units when it has only unit blocks without
// attributes of ours; ok is false when it holds something else.
func plain(f *syntax.File) (names []string, ok bool) {
	for _, b := range f.Blocks {
		if unitname.Type("x."+b.Kind) == "" || len(b.Labels) != 1 || strings.ContainsAny(b.Label(), "@") {
			return nil, false
		}
		for _, a := range b.Attrs {
			if a.Name[0] < 'A' || a.Name[0] > 'Z' {
				return nil, false
			}
		}
		names = append(names, b.Label()+"."+b.Kind)
	}
	return names, len(names) > 0
}

// partial gathers what the next check may build on; nil when the host is not of
// the sort.
func (c *compilation) partial(t *tree.Tree) *partial {
	if c.o.Cache == "" || len(t.Units) < shardFrom || len(t.DropIns)+len(t.Links)+len(t.Distro)+len(t.Instances) > 0 {
		return nil
	}
	p := &partial{Plain: map[string][]string{}}
	seen := map[string]bool{}
	for _, m := range c.set.Modules {
		for _, f := range m.Files {
			if f.ReadsDirectives {
				return nil
			}
			names, ok := plain(f)
			if ok && (m.Header == nil || m.Header.Attr("when") == nil) && f.Path != "" {
				p.Plain[f.Path] = names
				for _, n := range names {
					if seen[stem(n)] {
						return nil // two files make one unit, or units that belong together
					}
				}
				for _, n := range names {
					seen[stem(n)] = true
				}
				continue
			}
			for _, b := range f.Blocks {
				if !plainKinds[b.Kind] || b.Kind == "host" && len(b.Blocks) > 0 {
					return nil
				}
			}
		}
	}
	for _, u := range t.Units {
		if u.Scope != tree.System || u.File == nil {
			return nil
		}
		p.Units = append(p.Units, partialUnit{u.Name, crossLines(u.File)})
	}
	return p
}

// crossLines gives the lines that the look at names reads, without places.
func crossLines(f *unitfile.File) []unitfile.Line {
	var out []unitfile.Line
	for i := range f.Lines {
		l := &f.Lines[i]
		if crossKeys[l.Key] || claims[l.Key] {
			out = append(out, unitfile.Line{Kind: l.Kind, Section: l.Section, Key: l.Key, Value: l.Value})
		}
	}
	return out
}

// crossKeys are the directives that orderGraph.unit looks at.
var crossKeys = func() map[string]bool {
	m := map[string]bool{}
	for _, k := range strings.Fields("Conflicts Service Unit Sockets Also RequiresMountsFor WantsMountsFor JoinsNamespaceOf DefaultInstance DefaultDependencies RequiresOverridable RequisiteOverridable LogNamespace Slice After Before Wants Requires Requisite BindsTo Upholds PartOf WantedBy RequiredBy UpheldBy") {
		m[k] = true
	}
	return m
}()

// again checks what changed since a clean record; ok is false when everything
// must be checked anew.
func (c *compilation) again(rec *record) (r *Result, next *record, ok bool) {
	if rec == nil || rec.Partial == nil || len(rec.Diags) > 0 {
		return nil, nil, false
	}
	p := &partial{}
	if gob.NewDecoder(bytes.NewReader(rec.Partial)).Decode(p) != nil {
		return nil, nil, false
	}
	for _, a := range rec.Asked {
		if !funcs.NewFiles(a.Dir, nil).Same(a.O) {
			return nil, nil, false
		}
	}
	known := make(map[string]*recordFile, len(rec.Files))
	for i := range rec.Files {
		known[rec.Files[i].Path] = &rec.Files[i]
	}
	o := c.o
	o.NoVerify, o.Cache = true, ""
	d := newCompilation(c.ctx, o)
	d.stub = func(path, name string, src []byte) *syntax.File {
		names, plain := p.Plain[path]
		if f := known[path]; !plain || f == nil || sha256.Sum256(src) != f.Sum {
			return nil
		}
		return stubFile(path, name, src, names)
	}
	r, diags := d.finish()
	if r.c != d || len(diags) > 0 || d.set == nil || len(d.peers) > 0 {
		return nil, nil, false
	}
	// A unit that takes a further name may meet one that is stood in for.
	for _, u := range r.Tree.Units {
		if u.File != nil && slices.ContainsFunc(u.File.Lines, func(l unitfile.Line) bool { return l.Key == "Alias" }) {
			return nil, nil, false
		}
	}
	// What is not stood in for must be what it was, or a changed file of units
	// with the same names.
	fresh := map[string]bool{}
	next = &record{Dirs: rec.Dirs, Links: rec.Links, Lock: rec.Lock, Files: slices.Clone(rec.Files), Asked: slices.Clone(rec.Asked), Host: rec.Host, Hosts: rec.Hosts, Inputs: rec.Inputs, Stats: rec.Stats}
	n := 0
	for _, m := range d.set.Modules {
		if m.Bundled {
			continue
		}
		for _, f := range m.Files {
			i := sort.Search(len(next.Files), func(i int) bool { return next.Files[i].Path >= f.Path })
			if i == len(next.Files) || next.Files[i].Path != f.Path {
				return nil, nil, false
			}
			n++
			sum := sha256.Sum256(f.Src)
			if sum == next.Files[i].Sum {
				continue
			}
			names, isPlain := plain(f)
			if !isPlain || !slices.Equal(names, p.Plain[f.Path]) || f.ReadsDirectives {
				return nil, nil, false
			}
			for _, u := range names {
				fresh[u] = true
			}
			next.Files[i].Sum = sum
		}
	}
	if n != len(next.Files) {
		return nil, nil, false
	}
	for _, a := range d.seen {
		if x := (recordAsked{a.module.Dir, a.o}); !a.module.Bundled && !slices.Contains(next.Asked, x) {
			next.Asked = append(next.Asked, x)
		}
	}
	return r, next, d.verifyAgain(r.Tree, p, fresh, next)
}

// verifyAgain checks the changed units, and all names together.
func (c *compilation) verifyAgain(t *tree.Tree, p *partial, fresh map[string]bool, next *record) bool {
	byName := make(map[string]*tree.Unit, len(t.Units))
	for _, u := range t.Units {
		byName[u.Name] = u
	}
	all := make([]*tree.Unit, 0, len(p.Units))
	changed := &tree.Tree{Host: t.Host, Systemd: t.Systemd, Provides: append([]string(nil), t.Provides...)}
	for i := range p.Units {
		u := byName[p.Units[i].Name]
		if u == nil {
			return false
		}
		changed.Provides = append(changed.Provides, u.Name)
		if fresh[u.Name] {
			changed.Units = append(changed.Units, u)
			p.Units[i].Lines = crossLines(u.File)
			all = append(all, u)
			continue
		}
		all = append(all, &tree.Unit{Name: u.Name, Scope: u.Scope, Place: u.Place, File: &unitfile.File{Lines: p.Units[i].Lines}})
	}
	if len(all) != len(t.Units) || !unsuspicious(&tree.Tree{Units: all, Provides: t.Provides}, tree.System) {
		return false
	}
	if len(c.verifyWhole(changed, tree.System))+len(c.unknownNames(changed)) > 0 {
		return false
	}
	var b bytes.Buffer
	if gob.NewEncoder(&b).Encode(p) != nil {
		return false
	}
	next.Partial = b.Bytes()
	return true
}

// stubFile stands in for a file of units: their names alone.
func stubFile(path, name string, src []byte, units []string) *syntax.File {
	f := &syntax.File{Name: name, Path: path, Src: src}
	for i, u := range units {
		t := unitname.Type(u)
		at := hcl.Range{Filename: name, Start: hcl.Pos{Line: i + 1, Column: 1, Byte: i}, End: hcl.Pos{Line: i + 1, Column: 1, Byte: i}}
		f.Blocks = append(f.Blocks, &syntax.Block{File: f, Kind: t, Labels: []syntax.Label{{Name: strings.TrimSuffix(u, "."+t), Range: at}}, Header: at, Byte: i})
	}
	return f
}
