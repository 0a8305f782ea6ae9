package load

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"sort"
	"strings"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/unitname"
)

// Codes of the diagnostics of this package.
const (
	CodeUnreadable  = "E1021" // a file or directory cannot be read
	CodeLinkLoop    = "E1022" // links without end
	CodeAlias       = "E1023" // an alias that is not allowed
	CodeName        = "E1024" // not a unit name
	CodeUnknownKey  = "E1025" // unknown directive
	CodeUnknownSect = "E1026" // unknown section
	CodeValue       = "E1027" // a value that systemd ignores
	CodeSpecifier   = "E1028" // a specifier that cannot be expanded
	CodeBadSetting  = "E1029" // the unit is refused
	CodeDependency  = "E1030" // a dependency that is ignored
	CodeAdmonished  = "E1031" // a setting that systemd takes, or passes over, with a warning
)

// entry is what a unit name leads to: a file, a mask, or another name.
type entry struct {
	path   string // the file or link that was found, "" for a built-in
	file   string // what to read: path, or where a link outside the load path ends
	alias  string // the other name
	masked bool
	text   []byte // of a built-in
}

// index is what one look at every directory of the load path gives.
type index struct {
	dirs    []string
	ids     map[string]*entry
	aliases map[string][]string // name → the names that stand for it directly
	// extra maps the name of a drop-in or .wants directory to where it is, in
	// the order of the load path.
	extra map[string][]string
	// extraFiles caches what such directories hold.
	extraFiles map[string][]string
}

// extraSuffixes end the names of the directories that belong to units.
var extraSuffixes = []string{".d", ".wants", ".requires", ".upholds"}

func isExtra(name string) bool {
	for _, s := range extraSuffixes {
		if b, ok := strings.CutSuffix(name, s); ok {
			return unitname.Valid(b) || s == ".d" && isUnitType(b)
		}
	}
	return false
}

func isUnitType(s string) bool {
	for _, t := range unitname.Types {
		if s == t {
			return true
		}
	}
	return false
}

func (l *Loader) ix() *index {
	if l.index != nil {
		return l.index
	}
	ix := &index{ids: map[string]*entry{}, aliases: map[string][]string{}, extra: map[string][]string{}, extraFiles: map[string][]string{}}
	l.index = ix
	ix.dirs = l.opt.Path
	if ix.dirs == nil {
		var env func(string) string
		if l.opt.UseEnvironment {
			env = os.Getenv
		}
		ix.dirs = SearchPath(l.opt.Scope, env)
	}
	real := map[string]string{} // search directory → where it really is
	seen := map[string]bool{}
	for _, d := range ix.dirs {
		r, err := l.src.chase(d, false)
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errNotDir) {
				l.issue(d, err)
			}
			continue
		}
		real[d] = r
	}
	for _, d := range ix.dirs {
		if r := real[d]; r != "" && !seen[r] {
			seen[r] = true
			l.indexDir(d, r, real)
		}
	}
	for n, text := range l.opt.Builtin {
		if ix.ids[n] == nil && unitname.Valid(n) {
			ix.ids[n] = &entry{text: text}
		}
	}
	for n, e := range ix.ids {
		if e.alias != "" {
			ix.aliases[e.alias] = append(ix.aliases[e.alias], n)
		}
	}
	for _, names := range ix.aliases {
		sort.Strings(names)
	}
	return ix
}

var errNotDir = errors.New("not a directory")

func (l *Loader) issue(p string, err error) {
	code, summary := CodeUnreadable, "Unreadable unit directory or file"
	if errors.Is(err, errLoop) {
		code, summary = CodeLinkLoop, "Link loop"
	}
	l.issues = append(l.issues, diag.Warnf(code, summary, diag.Range{File: p}, "%v; it is left out.", unwrapPath(err)))
}

func unwrapPath(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// indexDir notes the units and unit directories of one directory. What a
// directory of higher priority has already named is left alone.
func (l *Loader) indexDir(d, real string, search map[string]string) {
	ix := l.index
	list, err := l.src.readDir(real)
	if err != nil {
		if fi, e := l.src.lstat(real); e != nil || fi.IsDir() {
			l.issue(d, err)
		}
		return
	}
	for _, e := range list {
		name := e.Name()
		p := path.Join(d, name)
		switch {
		case e.IsDir():
			if isExtra(name) {
				ix.extra[name] = append(ix.extra[name], p)
			}
		case e.Type()&fs.ModeSymlink != 0:
			if isExtra(name) {
				if r, err := l.src.chase(p, false); err != nil {
					l.issue(p, err)
				} else if fi, err := l.src.lstat(r); err == nil && fi.IsDir() {
					ix.extra[name] = append(ix.extra[name], p)
				}
				continue
			}
			if unitname.Valid(name) && ix.ids[name] == nil {
				if en := l.link(p, path.Join(real, name), search); en != nil {
					ix.ids[name] = en
				}
			}
		case e.Type().IsRegular():
			if unitname.Valid(name) && ix.ids[name] == nil {
				ix.ids[name] = &entry{path: p, file: p}
			}
		case unitname.Valid(name) && ix.ids[name] == nil:
			l.issue(p, &fs.PathError{Op: "read", Path: p, Err: errSpecial})
		}
	}
}

// link says what a symbolic link on the load path means: a mask, an alias of
// another unit of the load path, or a unit that is linked in from elsewhere.
// nil: the link counts for nothing.
func (l *Loader) link(p, real string, search map[string]string) *entry {
	target, err := l.src.readLink(real)
	if err != nil {
		l.issue(p, err)
		return nil
	}
	if target == devNull {
		return &entry{path: p, masked: true}
	}
	if !strings.HasPrefix(target, "/") {
		target = path.Join(path.Dir(real), target)
	}
	end, err := l.src.chase(p, true)
	if err != nil {
		l.issue(p, err)
		return nil
	}
	if end == devNull {
		return &entry{path: p, masked: true}
	}
	at, err := l.src.chaseParent(target)
	if err != nil {
		l.issue(p, err)
		return nil
	}
	dir, base := path.Dir(at), path.Base(at)
	inPath := false
	for _, r := range search {
		if r == dir {
			inPath = true
			break
		}
	}
	if !inPath {
		if _, err := l.src.lstat(end); err != nil {
			l.issue(p, err) // it dangles
			return nil
		}
		return &entry{path: p, file: p}
	}
	name := path.Base(p)
	if base == name {
		// The same name in another directory of the load path: whatever is there
		// is found by itself.
		return &entry{path: p, file: p}
	}
	if why := aliasError(name, base); why != "" {
		l.issues = append(l.issues, diag.Warnf(CodeAlias, "Alias that is not allowed", diag.Range{File: p}, "%s is linked to %s: %s. systemd ignores the link.", name, base, why))
		return nil
	}
	return &entry{path: p, alias: base}
}

// aliasError says why one unit name may not be an alias of another, "" when it
// may (systemd.unit(5), "Unit File Load Path" and Alias=).
func aliasError(name, target string) string {
	if !unitname.Valid(target) {
		return "the target is no unit name"
	}
	_, si, st, sat := unitname.Split(name)
	_, di, dt, dat := unitname.Split(target)
	switch {
	case st != dt:
		return "the unit types differ"
	case !sat && dat:
		return "a plain name cannot stand for a template or an instance"
	case sat && !dat:
		return "a template or an instance cannot stand for a plain name"
	case sat && si == "" && di != "":
		return "a template cannot stand for an instance"
	case sat && si != "" && di != "" && si != di:
		return "the instances differ"
	}
	return ""
}

// follow finds what a name leads to: its file or mask, the name that the file
// goes by, and all names that stand for the same unit. e is nil where nothing
// is found.
func (ix *index) follow(name string) (e *entry, id string, names []string) {
	_, instance, _, at := unitname.Split(name)
	id = name
	seen := map[string]bool{}
	cur := name
	for hops := 0; hops < 16; hops++ {
		e = ix.ids[cur]
		if e == nil && at && instance != "" {
			if t := unitname.Template(cur); t != "" {
				e = ix.ids[t]
			}
		}
		if e == nil || e.alias == "" || seen[cur] {
			break
		}
		seen[cur] = true
		next := e.alias
		if unitname.IsTemplate(next) && instance != "" {
			if n, err := unitname.WithInstance(next, instance); err == nil {
				next = n
			}
		}
		cur = next
	}
	if e != nil && e.alias != "" {
		e = nil // links in a circle
	}
	if e != nil {
		id = cur
	}
	return e, id, ix.namesOf(id, instance)
}

// namesOf gives a name and everything that is an alias of it, directly or not.
func (ix *index) namesOf(id, instance string) []string {
	names := []string{id}
	seen := map[string]bool{id: true}
	add := func(n string) {
		if unitname.IsTemplate(n) && instance != "" {
			m, err := unitname.WithInstance(n, instance)
			if err != nil {
				return
			}
			n = m
		}
		if !seen[n] && len(names) < 1000 {
			if e := ix.ids[n]; e != nil && e.alias == "" {
				return // the instance has a file of its own
			}
			seen[n] = true
			names = append(names, n)
		}
	}
	for i := 0; i < len(names); i++ {
		for _, a := range ix.aliases[names[i]] {
			if _, ai, _, at := unitname.Split(a); at && ai != "" && ai != instance {
				continue
			}
			add(a)
		}
		if t := unitname.Template(names[i]); t != "" {
			for _, a := range ix.aliases[t] {
				if _, ai, _, at := unitname.Split(a); at && ai != "" && ai != instance {
					continue
				}
				add(a)
			}
		}
	}
	return names
}
