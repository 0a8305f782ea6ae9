// Package load finds which directories and bundled modules belong to a host
// and parses their files, in parallel, each once.
//
// It takes a directory and gives modules in list order: bundled ones, then
// imports before their importers, the host's own directory last. It must not
// know values: imports and labels are literal.
package load

import (
	"context"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/schema/diag"
)

// Options says what to load.
type Options struct {
	Dir         string
	Host        string
	Bundled     fs.FS // one directory per module
	Parallelism int
	Files       map[string][]byte                                // text that replaces files, by absolute path
	Remote      func(address string) (string, error)             // where a fetched import lies; nil: none is
	Fetching    bool                                             // Remote fetches, and its words stand alone
	RemoteName  func(dir string) (string, bool)                  // what a directory of a fetched module is called, wherever its cache lies
	Stub        func(path, name string, src []byte) *syntax.File // a stand-in for a file that need not be parsed; may be nil or give nil
	Demand      []string                                         // namespaces that are read from outside the files
}

// Module is one directory of source files.
type Module struct {
	Name     string // its namespace; "" for a host's directory without a module block
	Dir      string // absolute, symbolic links resolved; the directory in Bundled for bundled ones
	Prefix   string // what file names of diagnostics begin with
	Bundled  bool
	Host     bool // the host's own directory
	Order    int  // place in list order
	Files    []*syntax.File
	Header   *syntax.Block // the module block, nil when there is none
	Imported diag.Range    // the import that named it first

	imports []*Module
	visited bool
}

// Host is one host block.
type Host struct {
	Name  string
	Block *syntax.Block
}

// Set is everything that belongs to one host.
type Set struct {
	Dir     string
	Modules []*Module // in list order
	ByName  map[string]*Module
	Own     *Module // the host's directory
	Host    *Host   // the chosen one; nil when the directory has none
	Hosts   []*Host
	Inputs  []string          // files that were read, as diagnostics name them
	Dirs    []string          // directories that were listed, absolute
	Links   map[string]string // import as written, absolute → its real path
	Off     map[string]diag.Range
	Sources map[string][]byte
}

type loader struct {
	o     Options
	set   *Set
	byDir map[string]*Module
	left  map[string]bool // modules that the host leaves out and that some import names
	diags diag.List
	ctx   context.Context
}

// Load loads the host's directory, its imports and the bundled modules they
// name.
func Load(ctx context.Context, o Options) (*Set, diag.List) {
	dir, err := filepath.Abs(o.Dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	l := &loader{o: o, ctx: ctx, byDir: map[string]*Module{}, left: map[string]bool{},
		set: &Set{Dir: dir, ByName: map[string]*Module{}, Off: map[string]diag.Range{}, Links: map[string]string{}, Sources: map[string][]byte{}}}
	own := &Module{Dir: dir, Host: true}
	l.set.Own = own
	if err != nil {
		l.diags = append(l.diags, diag.Errorf("E0106", "Directory cannot be read", diag.Range{File: filepath.ToSlash(o.Dir)}, "%s. Name a directory that holds the host's *.ug.hcl files.", reason(err)))
		return l.set, l.diags
	}
	if st, err := os.Stat(dir); err == nil && !st.IsDir() {
		l.diags = append(l.diags, diag.Errorf("E0106", "Directory cannot be read", diag.Range{File: filepath.ToSlash(o.Dir)}, "%s is a file. Name the directory that it lies in: all its *.ug.hcl files are the host.", filepath.Base(dir)))
		return l.set, l.diags
	}
	l.byDir[dir] = own
	l.parse([]*Module{own})
	if len(own.Files) == 0 && !l.diags.HasErrors() {
		l.diags = append(l.diags, diag.Errorf("E0107", "Directory has no configuration", diag.Range{File: "."}, "There is no *.ug.hcl file in %s. Name a host's directory, or make one with unitgen new DIR.", filepath.Base(dir)))
		return l.set, l.diags
	}
	l.hosts()
	if l.diags.HasErrors() && l.set.Host == nil && len(l.set.Hosts) != 0 {
		return l.set, l.diags
	}
	l.follow(own)
	l.order()
	l.bundled()
	l.disabled()
	for i, m := range l.set.Modules {
		m.Order = i
		for _, f := range m.Files {
			l.set.Inputs = append(l.set.Inputs, f.Name)
		}
	}
	sort.Strings(l.set.Inputs)
	return l.set, l.diags
}

// hosts finds the host blocks and chooses one.
func (l *loader) hosts() {
	seen := map[string]*Host{}
	for _, f := range l.set.Own.Files {
		for _, b := range f.Blocks {
			if b.Kind != "host" || len(b.Labels) == 0 {
				continue
			}
			if old := seen[b.Label()]; old != nil {
				d := diag.Errorf("E0211", "Host declared twice", syntax.Range(b.Header), "The host %q has a block already. Put both into one.", b.Label())
				d.Related = []diag.Related{{Message: "the other block", Range: syntax.Range(old.Block.Header)}}
				l.diags = append(l.diags, d)
				continue
			}
			h := &Host{Name: b.Label(), Block: b}
			seen[h.Name] = h
			l.set.Hosts = append(l.set.Hosts, h)
		}
	}
	sort.Slice(l.set.Hosts, func(i, j int) bool { return l.set.Hosts[i].Name < l.set.Hosts[j].Name })
	names := make([]string, len(l.set.Hosts))
	for i, h := range l.set.Hosts {
		names[i] = h.Name
	}
	switch {
	case l.o.Host != "":
		l.set.Host = seen[l.o.Host]
		if l.set.Host == nil {
			what := "The directory has no host block at all."
			if len(names) > 0 {
				what = "Its hosts are: " + strings.Join(names, ", ") + "."
			}
			l.diags = append(l.diags, diag.Errorf("E0212", "No such host", diag.Range{File: "."}, "There is no host %q here. %s", l.o.Host, what+near(l.o.Host, names)))
		}
	case len(names) == 1:
		l.set.Host = l.set.Hosts[0]
	case len(names) > 1:
		d := diag.Errorf("E0213", "Several hosts and no choice", syntax.Range(l.set.Hosts[0].Block.Header), "The directory declares the hosts %s. Choose one with --host NAME.", strings.Join(names, ", "))
		for _, h := range l.set.Hosts[1:] {
			d.Related = append(d.Related, diag.Related{Message: "also declared", Range: syntax.Range(h.Block.Header)})
		}
		l.diags = append(l.diags, d)
	}
}

// follow loads imports level by level, so that each level is parsed in
// parallel.
func (l *loader) follow(root *Module) {
	level := []*Module{root}
	for len(level) > 0 {
		var next []*Module
		for _, m := range level {
			for _, b := range l.importBlocks(m) {
				next = append(next, l.imports(m, b)...)
			}
		}
		l.parse(next)
		level = next
	}
}

// importBlocks gives the blocks of a module that may import.
func (l *loader) importBlocks(m *Module) []*syntax.Block {
	var out []*syntax.Block
	if m.Host && l.set.Host != nil {
		out = append(out, l.set.Host.Block)
	}
	if m.Header != nil {
		out = append(out, m.Header)
	}
	return out
}

func (l *loader) imports(m *Module, b *syntax.Block) []*Module {
	var fresh []*Module
	if a := b.Attr("disable"); a != nil && b.Kind == "host" {
		for _, s := range l.literals(a, "disable") {
			l.set.Off[s.text] = s.at
		}
	}
	a := b.Attr("imports")
	if a == nil {
		return nil
	}
	for _, s := range l.literals(a, "imports") {
		dir, ok := l.resolve(m, b, s)
		if !ok {
			continue
		}
		real, err := filepath.EvalSymlinks(dir)
		if err == nil {
			var st os.FileInfo
			if st, err = os.Stat(real); err == nil && !st.IsDir() {
				l.diags = append(l.diags, diag.Errorf("E0106", "Directory cannot be read", s.at, "%q is a file. An import names a directory; all its *.ug.hcl files are the module.", s.text))
				continue
			}
		}
		if err != nil {
			l.diags = append(l.diags, diag.Errorf("E0106", "Directory cannot be read", s.at, "The import %q: %s. Imports are relative to the directory of the file they stand in.", s.text, reason(err)))
			continue
		}
		l.set.Links[dir] = real
		im := l.byDir[real]
		if im == nil {
			im = &Module{Dir: real, Prefix: l.prefix(real), Imported: s.at}
			l.byDir[real] = im
			fresh = append(fresh, im)
		}
		if im != m {
			m.imports = append(m.imports, im)
		}
	}
	return fresh
}

func (l *loader) resolve(m *Module, b *syntax.Block, s literal) (string, bool) {
	if strings.Contains(s.text, "::") || strings.Contains(s.text, "://") {
		if l.o.Remote == nil {
			l.diags = append(l.diags, diag.Errorf("E0108", "Import is not fetched", s.at, "%q lies elsewhere and is not in unitgen.lock.hcl. Run unitgen get; a build never uses the network.", s.text))
			return "", false
		}
		dir, err := l.o.Remote(s.text)
		if err != nil {
			hint := " Run unitgen get; a build never uses the network."
			if l.o.Fetching {
				hint = ""
			}
			l.diags = append(l.diags, diag.Errorf("E0108", "Import is not fetched", s.at, "%s.%s", strings.TrimSuffix(reason(err), "."), hint))
			return "", false
		}
		return dir, true
	}
	if m.Bundled {
		l.diags = append(l.diags, diag.Errorf("E0106", "Directory cannot be read", s.at, "A bundled module imports no directories."))
		return "", false
	}
	if filepath.IsAbs(s.text) {
		return filepath.Clean(s.text), true
	}
	return filepath.Join(filepath.Dir(b.File.Path), filepath.FromSlash(s.text)), true
}

// prefix spells a directory relative to the host's.
func (l *loader) prefix(dir string) string {
	if l.o.RemoteName != nil {
		if name, ok := l.o.RemoteName(dir); ok {
			return name + "/"
		}
	}
	rel, err := filepath.Rel(l.set.Dir, dir)
	if err != nil {
		return filepath.ToSlash(dir) + "/"
	}
	if rel == "." {
		return ""
	}
	return filepath.ToSlash(rel) + "/"
}

type literal struct {
	text string
	at   diag.Range
}

// order puts imports before importers, the host last, and names the modules.
func (l *loader) order() {
	type frame struct {
		m *Module
		i int
	}
	l.set.Own.visited = true
	stack := []frame{{m: l.set.Own}}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if top.i < len(top.m.imports) {
			next := top.m.imports[top.i]
			top.i++
			if !next.visited {
				next.visited = true
				stack = append(stack, frame{m: next})
			}
			continue
		}
		l.add(top.m)
		stack = stack[:len(stack)-1]
	}
}

func (l *loader) add(m *Module) {
	if !m.Host || m.Header != nil {
		if m.Name == "" {
			m.Name = path.Base(filepath.ToSlash(m.Dir))
		}
		if _, off := l.set.Off[m.Name]; off && !m.Host {
			l.left[m.Name] = true
			return
		}
		if old := l.set.ByName[m.Name]; old != nil {
			d := diag.Errorf("E0214", "Two modules of one name", m.Imported, "Two imported directories are both the module %q. Give one of them another name: module \"NAME\" { … }; without such a block a module is called as its directory is.", m.Name)
			if m.Header != nil {
				d.Subject = syntax.Range(m.Header.Header)
			}
			other := old.Imported
			if old.Header != nil {
				other = syntax.Range(old.Header.Header)
			}
			d.Related = []diag.Related{{Message: "the other module", Range: other}}
			l.diags = append(l.diags, d)
			return
		}
		l.set.ByName[m.Name] = m
	}
	l.set.Modules = append(l.set.Modules, m)
}

// bundled loads the bundled modules that something names, until nothing names
// a further one.
func (l *loader) bundled() {
	if l.o.Bundled == nil {
		return
	}
	want := append([]string(nil), l.o.Demand...)
	for _, m := range l.set.Modules {
		for _, f := range m.Files {
			want = append(want, f.Reads...)
		}
	}
	var found []*Module
	for len(want) > 0 {
		var level []*Module
		sort.Strings(want)
		for _, ns := range want {
			if _, off := l.set.Off[ns]; off || l.set.ByName[ns] != nil || !fs.ValidPath(ns) || strings.Contains(ns, "/") || ns == "." {
				continue
			}
			if st, err := fs.Stat(l.o.Bundled, ns); err != nil || !st.IsDir() {
				continue
			}
			m := &Module{Name: ns, Dir: ns, Prefix: "unitgen:" + ns + "/", Bundled: true}
			l.set.ByName[ns] = m
			level = append(level, m)
		}
		l.parse(level)
		want = nil
		for _, m := range level {
			m.Name = path.Base(m.Dir)
			for _, f := range m.Files {
				want = append(want, f.Reads...)
			}
		}
		found = append(found, level...)
	}
	sort.Slice(found, func(i, j int) bool { return found[i].Name < found[j].Name })
	l.set.Modules = append(found, l.set.Modules...)
}
