package unitimport

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/directive"
	"github.com/unitgen/unitgen/schema/install"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitfile"
	"github.com/unitgen/unitgen/schema/unitname"
	"github.com/unitgen/unitgen/schema/value"
)

// Options say how an import is made.
type Options struct {
	Paths []string
	// Host is the name of the host block, "" for none (text that goes into a
	// module).
	Host string
}

// File is one file of the result.
type File struct {
	Name string // relative, "nginx.ug.hcl"
	Data []byte
}

// Result is what an import gives.
type Result struct {
	Files []File
	// Notes say what was left out, kept as a comment or kept verbatim.
	Notes []string
	// Systemd is what the host block says: the oldest systemd that knows every
	// directive and value; 0 without a host block.
	Systemd int
	// NotEnabled are the units whose [Install] section asks for links of which
	// none is below the paths; Linked counts the units outside the paths that
	// links below them enable, alias or order to be wanted.
	NotEnabled []string
	Linked     int
	// Units counts the unit files and drop-ins that became HCL.
	Units int
}

// verbatimDir holds the unit files that HCL cannot say, below the output.
const verbatimDir = "verbatim"

// Import reads unit files and directories of them and gives HCL that compiles
// back to the same meaning. With errors among the diagnostics there is no
// result to write.
func Import(o Options) (*Result, diag.List) {
	s, ds := scan(o.Paths)
	if ds.HasErrors() {
		return &Result{}, ds
	}
	r := &renderer{set: s, groups: map[string]*block{}, newest: directive.Newest, oldest: directive.Oldest, found: s.foundLinks()}
	r.asFiles = o.Host != ""
	s.findRefused()
	for _, u := range s.sorted() {
		r.unit(u)
	}
	for _, d := range s.sortedDropins() {
		r.dropin(d)
	}
	res := &Result{Notes: s.notes, Units: r.count, NotEnabled: r.off, Linked: r.outside}
	if o.Host != "" {
		w := &block{}
		w.open("host %s", quote(o.Host))
		res.Systemd = min(r.oldest, r.newest)
		w.attr("systemd", fmt.Sprint(res.Systemd))
		w.close()
		res.Files = append(res.Files, File{"host.ug.hcl", []byte(w.b.String())})
	}
	for _, scope := range []tree.Scope{tree.System, tree.User} {
		if !slices.ContainsFunc(r.verbatim, func(f File) bool { return strings.HasPrefix(f.Name, verbatimDir+"/"+string(scope)+"/") }) {
			continue
		}
		w := r.group("verbatim")
		w.open("package %s", quote("verbatim-"+string(scope)))
		w.attr("units", quote("./"+verbatimDir+"/"+string(scope)))
		if scope == tree.User {
			w.attr("scope", quote("user"))
		}
		w.close()
	}
	names := make([]string, 0, len(r.groups))
	for n := range r.groups {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		r.groups[n].flush()
		res.Files = append(res.Files, File{n + ".ug.hcl", []byte(strings.TrimPrefix(r.groups[n].b.String(), "\n"))})
	}
	res.Files = append(res.Files, r.verbatim...)
	return res, ds
}

// renderer turns a set into blocks, grouped into files by the units' prefixes.
type renderer struct {
	*set
	groups   map[string]*block
	found    map[string]bool // links that exist: scope/path
	verbatim []File
	newest   int
	oldest   int  // the oldest systemd that knows all that is written
	asFiles  bool // refused units become files of the host, not blocks
	count    int
	off      []string // units that their [Install] section could enable, and nothing does
	outside  int      // units outside the paths that links in them name
}

// group gives the text of the file for a name, with a blank line before what
// comes next.
func (r *renderer) group(name string) *block {
	clean := strings.Trim(strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
			return c
		case c >= 'A' && c <= 'Z':
			return c + 'a' - 'A'
		}
		return '-'
	}, name), "-.")
	if clean == "" {
		clean = "units"
	}
	w := r.groups[clean]
	if w == nil {
		w = &block{}
		r.groups[clean] = w
	}
	w.flush()
	w.b.WriteByte('\n')
	return w
}

func linkKey(scope tree.Scope, p string) string { return string(scope) + "/" + p }

// foundLinks gives every alias and dependency link that was found.
func (s *set) foundLinks() map[string]bool {
	out := map[string]bool{}
	for _, u := range s.units {
		for _, a := range u.aliases {
			out[linkKey(u.scope, a.name+" "+u.name)] = true
		}
		for _, d := range u.deps {
			out[linkKey(u.scope, d.owner+"."+d.kind+"/"+u.name)] = true
		}
	}
	return out
}

// lookup gives the file of a unit for the install engine.
func (r *renderer) lookup(scope tree.Scope) func(string) *unitfile.File {
	return func(name string) *unitfile.File {
		if u := r.units[key{scope, name}]; u != nil && !u.mask {
			return u.file
		}
		return nil
	}
}

// installed reports whether all links exist that the unit's [Install] section
// asks for, and which they are; refusal says why one of them cannot be made,
// such as an alias that is the name of another unit file.
func (r *renderer) installed(u *unit) (all bool, links map[string]bool, refusal string) {
	list, ds := install.InstallLinks(r.lookup(u.scope), []string{u.name}, u.scope)
	links = map[string]bool{}
	all = true
	for _, d := range ds {
		if d.Code == install.CodeConflict {
			all, refusal = false, d.Detail
		}
	}
	for _, l := range list {
		k := linkKey(u.scope, l.Path)
		if !strings.Contains(l.Path, "/") { // an alias
			k += " " + l.Unit
		}
		links[k] = true
		all = all && r.found[k]
	}
	return all, links, refusal
}

// unit writes the block of one unit.
func (r *renderer) unit(u *unit) {
	prefix, _, typ, _ := unitname.Split(u.name)
	if u.rank < 0 {
		r.linked(u)
		return
	}
	r.count++
	label := strings.TrimSuffix(u.name, "."+typ)
	_, both := r.units[key{tree.System, u.name}]
	twice := u.scope == tree.User && both
	if u.mask {
		w := r.group(prefix)
		w.open("%s %s", typ, quote(userLabel(label, twice)))
		r.scope(w, u, label, twice)
		w.attr("mask", "true")
		w.close()
		if len(u.aliases)+len(u.deps) > 0 {
			r.note("%s: the links to it are left out, as it is masked", u.name)
		}
		return
	}
	if u.refused != "" {
		if r.asFiles {
			r.refuse(u)
			return
		}
		r.note("%s: %s", u.path, u.refused)
	}
	b := takeApart(typ, u.file, checker(typ, u.scope))
	if b.verbatim != "" {
		r.keep(u, b.verbatim)
		return
	}
	r.newest, r.oldest = min(r.newest, b.newest), max(r.oldest, b.oldest)
	for _, n := range b.notes {
		r.note("%s: %s", u.path, n)
	}
	w := r.group(prefix)
	for _, c := range b.head {
		w.line("%s", c)
	}
	w.open("%s %s", typ, quote(userLabel(label, twice)))
	r.scope(w, u, label, twice)
	all, links, refusal := r.installed(u)
	if refusal != "" && u.alone {
		r.note("%s: not enabled: %s", u.path, refusal)
	}
	if !all && (!u.alone || refusal != "") {
		// The links that exist are named; the others are not made.
		w.attr("install", "false")
		if links = nil; len(u.aliases)+len(u.deps) == 0 && refusal == "" {
			r.off = append(r.off, u.name)
		}
	}
	r.links(w, u, links)
	b.write(w, false)
	w.close()
}

// userLabel gives a user unit that has a system unit of the same name an
// address of its own.
func userLabel(label string, twice bool) string {
	if !twice {
		return label
	}
	if p, i, ok := strings.Cut(label, "@"); ok {
		return p + "-user@" + i
	}
	return label + "-user"
}

func (r *renderer) scope(w *block, u *unit, label string, twice bool) {
	if u.scope == tree.User {
		w.attr("scope", quote("user"))
	}
	if twice {
		w.attr("name", quote(label))
	}
}

// links writes the links to a unit that its [Install] section does not make.
func (r *renderer) links(w *block, u *unit, made map[string]bool) {
	var aliases []string
	for _, a := range u.aliases {
		if !made[linkKey(u.scope, a.name+" "+u.name)] {
			aliases = append(aliases, a.name)
		}
	}
	by := map[string][]string{}
	for _, d := range u.deps {
		if !made[linkKey(u.scope, d.owner+"."+d.kind+"/"+u.name)] && !slices.Contains(by[d.kind], d.owner) {
			by[d.kind] = append(by[d.kind], d.owner)
		}
	}
	for _, x := range []struct {
		name  string
		items []string
	}{{"aliases", aliases}, {"wanted_by", by["wants"]}, {"required_by", by["requires"]}, {"upheld_by", by["upholds"]}} {
		if len(x.items) > 0 {
			sort.Strings(x.items)
			w.attr(x.name, list(x.items, w.indent))
		}
	}
}

// linked writes what is known of a unit whose file is not part of the import:
// an instance of a template that is, or a unit of the distribution.
func (r *renderer) linked(u *unit) {
	if len(u.aliases)+len(u.deps) == 0 {
		return
	}
	prefix, _, _, _ := unitname.Split(u.name)
	w := r.group(prefix)
	tmpl := r.units[key{u.scope, unitname.Template(u.name)}]
	if tmpl != nil && tmpl.rank >= 0 && tmpl.refused != "" && r.asFiles {
		w.open("unit %s", quote(u.name))
		r.scope(w, u, u.name, false)
		w.attr("target", quote("../"+tmpl.name))
		r.links(w, u, nil)
		w.close()
		return
	}
	if tmpl != nil && tmpl.rank >= 0 {
		w.open("instance %s", quote(u.name))
		r.scope(w, u, u.name, false)
		all, links, _ := r.installed(u)
		switch {
		case all && len(links) > 0:
			w.attr("enable", "true")
		default:
			w.attr("enable", "false")
			links = nil
		}
		r.links(w, u, links)
		w.close()
		return
	}
	r.outside++
	w.open("unit %s", quote(u.name))
	r.scope(w, u, u.name, false)
	if path.IsAbs(u.target) {
		w.attr("target", quote(u.target))
	}
	r.links(w, u, nil)
	w.close()
}

// keep takes a unit file over as it is.
func (r *renderer) keep(u *unit, why string) {
	r.note("%s: kept verbatim: %s", u.path, why)
	r.verbatim = append(r.verbatim, File{path.Join(verbatimDir, string(u.scope), u.name), u.data})
	if len(u.aliases)+len(u.deps) > 0 {
		w := r.group("verbatim")
		w.open("unit %s", quote(u.name))
		r.scope(w, u, u.name, false)
		w.attr("target", quote("../"+u.name))
		r.links(w, u, nil)
		w.close()
	}
}

// checker gives the check of a value as systemd makes it when it loads the
// unit.
func checker(typ string, scope tree.Scope) func(*directive.Directive, string, int) error {
	return func(d *directive.Directive, v string, systemd int) error {
		ctx := value.Context{UnitType: typ, User: scope == tree.User, Systemd: systemd}
		_, err := value.CheckDirective(d, v, ctx)
		if e := (*value.Error)(nil); errors.As(err, &e) && e.Tolerated {
			return nil // systemd takes it, with a warning of its own
		}
		return err
	}
}

func (s *set) sortedDropins() []*dropin {
	out := make([]*dropin, 0, len(s.dropins))
	for _, d := range s.dropins {
		out = append(out, d)
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i], out[j]
		if a.owner != b.owner {
			return a.owner < b.owner
		}
		if a.name != b.name {
			return a.name < b.name
		}
		return a.scope < b.scope
	})
	return out
}

// dropin writes the block of one drop-in.
func (r *renderer) dropin(d *dropin) {
	if d.mask && d.overridden {
		r.note("%s: masks the drop-in of the same name, both are left out", d.path)
		return
	}
	r.count++
	if r.keptWhole(d) {
		return
	}
	typ := unitname.Type(d.owner)
	prefix, _, _, _ := unitname.Split(d.owner)
	if typ == "" {
		typ, prefix = d.owner, d.owner+"-defaults"
	}
	b := takeApart(typ, d.file, checker(typ, d.scope))
	if b.verbatim != "" {
		r.note("%s: %s; look at the order in the result", d.path, b.verbatim)
	}
	r.newest, r.oldest = min(r.newest, b.newest), max(r.oldest, b.oldest)
	for _, n := range b.notes {
		r.note("%s: %s", d.path, n)
	}
	w := r.group(prefix)
	for _, c := range b.head {
		w.line("%s", c)
	}
	w.open("dropin %s", quote(d.owner))
	w.attr("name", quote(d.name))
	if d.scope == tree.User {
		w.attr("scope", quote("user"))
	}
	if d.mask {
		w.attr("mask", "true")
	} else {
		b.write(w, true)
	}
	w.close()
}
