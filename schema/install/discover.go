package install

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"
	"syscall"

	"github.com/unitgen/unitgen/schema/specifier"
	"github.com/unitgen/unitgen/schema/unitfile"
	"github.com/unitgen/unitgen/schema/unitname"
	"github.com/unitgen/unitgen/schema/value"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/directive"
)

// fileType is what stands at a unit's path.
type fileType int

const (
	unknown fileType = iota
	regular
	linked  // a link to a file outside of the load path
	symlink // a link to another name of the load path
	masked
)

// unit is one unit that a verb works on, with what its [Install] section says.
type unit struct {
	name      string
	path      string // root in front
	typ       fileType
	target    string // of a link, root in front
	auxiliary bool   // named by an Also= only

	aliases, wantedBy, requiredBy, upheldBy, also []string
	defaultInstance                               string
}

// set holds the units of one command in the order in which they came up.
type set struct {
	todo  []*unit
	done  []*unit
	names map[string]*unit
}

func newSet() *set { return &set{names: map[string]*unit{}} }

// add notes a unit by name or, where name is empty, by path.
func (s *set) add(name, p string, auxiliary bool) (*unit, error) {
	if name == "" {
		name = path.Base(p)
	}
	if !unitname.Valid(name) {
		return nil, errInvalid
	}
	if u := s.names[name]; u != nil {
		u.auxiliary = u.auxiliary && auxiliary
		return u, nil
	}
	u := &unit{name: name, path: p, auxiliary: auxiliary}
	s.names[name] = u
	s.todo = append(s.todo, u)
	return u, nil
}

// next takes the next unit to work on.
func (s *set) next() *unit {
	if len(s.todo) == 0 {
		return nil
	}
	u := s.todo[0]
	s.todo = s.todo[1:]
	s.done = append(s.done, u)
	return u
}

// search finds the unit's file and, with loading, reads its [Install] section
// and those of its drop-ins.
func (e *Engine) search(s *set, u *unit, loading bool) error {
	if u.typ != unknown {
		return nil
	}
	if u.path != "" {
		return e.read(s, u, u.path, loading)
	}
	candidates := []string{u.name}
	template := unitname.Template(u.name)
	if template != "" {
		candidates = append(candidates, template)
	}
	found := false
search:
	for _, n := range candidates {
		for _, d := range e.dirs {
			p := d + "/" + n
			err := e.read(s, u, p, loading)
			if err == nil {
				u.path, found = p, true
				break search
			}
			if !missing(err) {
				return err
			}
		}
	}
	if !found {
		return fail(NotFound)
	}
	if u.typ == masked || !loading {
		return nil
	}
	var dirs []string
	for _, n := range candidates {
		for _, d := range e.dirs {
			dirs = append(dirs, d+"/"+n+".d")
		}
	}
	for _, p := range e.confFiles(dirs, ".conf") {
		data, err := e.fs.ReadFile(p)
		if err != nil {
			return err
		}
		if err := e.parse(s, u, p, data); err != nil {
			return err
		}
	}
	return nil
}

// missing reports whether an error only says that nothing is there.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || isNotDir(err) || kindOf(err) == NotFound
}

// confFiles gives the files with an ending of several directories by name; of
// the same name the one in the first directory.
func (e *Engine) confFiles(dirs []string, ending string) []string {
	found := map[string]string{}
	for _, d := range dirs {
		real, err := e.chase(d, false)
		if err != nil {
			continue
		}
		list, err := e.fs.ReadDir(real)
		if err != nil {
			continue
		}
		for _, f := range list {
			n := f.Name()
			t := f.Type()
			if strings.HasPrefix(n, ".") || !strings.HasSuffix(n, ending) || found[n] != "" || !t.IsRegular() && t&fs.ModeSymlink == 0 {
				continue
			}
			found[n] = real + "/" + n
		}
	}
	names := make([]string, 0, len(found))
	for n := range found {
		names = append(names, n)
	}
	sort.Strings(names)
	var out []string
	for _, n := range names {
		at, err := e.chase(found[n], false)
		if err != nil || at == e.root+devNull {
			continue
		}
		out = append(out, at)
	}
	return out
}

// read looks at one path: a file is read, a link is resolved by one step.
func (e *Engine) read(s *set, u *unit, p string, loading bool) error {
	fi, err := e.fs.Lstat(p)
	if err != nil {
		return err
	}
	if fi.Mode()&fs.ModeSymlink != 0 {
		return e.readLink(u, p)
	}
	if fi.Mode().IsRegular() && fi.Size() == 0 || fi.Mode()&fs.ModeDevice != 0 {
		u.typ = masked
		return nil
	}
	if fi.IsDir() {
		return &failure{kind: Failed, err: errIsDir}
	}
	if !fi.Mode().IsRegular() {
		return &failure{kind: Failed, err: errBadFd}
	}
	u.typ = regular
	if !loading {
		return nil
	}
	if m, ok := e.fs.(*memory); ok {
		// It is taken apart already: writing and reading it again would be most of
		// the work of a large tree.
		if err := e.take(s, u, m.file(p)); err != nil {
			return err
		}
		return nil
	}
	data, err := e.fs.ReadFile(p)
	if err != nil {
		u.typ = unknown
		return err
	}
	if err := e.parse(s, u, p, data); err != nil {
		u.typ = unknown
		return err
	}
	return nil
}

func (e *Engine) readLink(u *unit, p string) error {
	target, err := e.fs.Readlink(p)
	if err != nil {
		return err
	}
	at := target
	if strings.HasPrefix(target, "/") {
		at = e.root + path.Clean(target)
	} else {
		at = path.Join(path.Dir(p), target)
	}
	if r, ok := e.inRoot(at); !ok || at == e.root+devNull || r == devNull {
		u.typ, u.target = masked, e.root+devNull
		return nil
	}
	if at, err = e.chaseParent(at); err != nil {
		return err
	}
	outside := !e.inRealSearchPath(at)
	if !outside {
		// The name in the first directory of the load path that is the same
		// place is kept.
		at = e.searchName(at)
		if !aliasAllowed(path.Base(p), path.Base(at)) {
			return fail(BadAlias)
		}
	}
	u.target = at
	null, err := e.empty(at)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case null:
		u.typ = masked
	case outside:
		u.typ = linked
	default:
		u.typ = symlink
	}
	return nil
}

// inRealSearchPath is inSearchPath for a path whose directories are real.
func (e *Engine) inRealSearchPath(p string) bool {
	dir := path.Dir(p)
	for _, d := range e.dirs {
		if real, err := e.chase(d, true); err == nil && real == dir {
			return true
		}
	}
	return false
}

func (e *Engine) searchName(p string) string {
	dir := path.Dir(p)
	for _, d := range e.dirs {
		if real, err := e.chase(d, true); err == nil && real == dir {
			return d + "/" + path.Base(p)
		}
	}
	return p
}

// parse takes what the [Install] section of a file says.
func (e *Engine) parse(s *set, u *unit, p string, data []byte) error {
	f, diags := unitfile.Parse(p, data)
	if diags.HasErrors() {
		err := errBadMessage
		if slices.ContainsFunc(diags, func(d *diag.Diagnostic) bool { return d.Code == unitfile.CodeLongLine }) {
			err = syscall.ENOBUFS
		}
		return &failure{kind: Failed, err: err}
	}
	return e.take(s, u, f)
}

func (e *Engine) take(s *set, u *unit, f *unitfile.File) error {
	for _, l := range f.Assignments("Install") {
		switch l.Key {
		case "Alias":
			if mayAlias(unitname.Type(u.name)) {
				u.aliases = words(u.aliases, l.Value)
			}
		case "WantedBy":
			u.wantedBy = words(u.wantedBy, l.Value)
		case "RequiredBy":
			u.requiredBy = words(u.requiredBy, l.Value)
		case "UpheldBy":
			if e.version(254) {
				u.upheldBy = words(u.upheldBy, l.Value)
			}
		case "DefaultInstance":
			if err := e.parseDefaultInstance(u, l.Value); err != nil {
				return err
			}
		case "Also":
			for _, w := range strings.Fields(l.Value) {
				n, err := e.expand(u, w)
				if err != nil {
					return err
				}
				u.also = append(u.also, n)
				if s != nil {
					_, _ = s.add(n, "", true)
				}
			}
		}
	}
	return nil
}

func (e *Engine) parseDefaultInstance(u *unit, v string) error {
	if !unitname.IsTemplate(u.name) {
		return nil
	}
	if v == "" {
		u.defaultInstance = ""
		return nil
	}
	n, err := e.expand(u, v)
	if err == nil && unitname.ValidInstance(n) {
		u.defaultInstance = n
	}
	return err
}

// words appends the words of a value; an empty value empties the list.
func words(list []string, v string) []string {
	if v == "" {
		return nil
	}
	w, err := value.Split(v, "", value.Unquote|value.RetainEscape)
	if err != nil {
		return list
	}
	return append(list, w...)
}

// mayAlias reports whether units of a type may have aliases.
func mayAlias(typ string) bool {
	switch typ {
	case "service", "socket", "target", "device", "timer", "path":
		return true
	}
	return false
}

// expand expands the specifiers of an [Install] value. In a template %i is the
// default instance.
func (e *Engine) expand(u *unit, s string) (string, error) {
	if strings.IndexByte(s, '%') < 0 {
		return s, nil
	}
	c := e.facts()
	c.Unit = u.name
	if unitname.IsTemplate(u.name) && u.defaultInstance != "" {
		if n, err := unitname.WithInstance(u.name, u.defaultInstance); err == nil {
			c.Unit = n
		}
	}
	x, err := specifier.Expand(s, directive.SpecifiersInstall, &c)
	switch {
	case errors.As(err, new(*specifier.UnknownError)):
		return "", fail(BadSpecifier)
	case err != nil || lacks(s, &c.Host):
		return "", fail(Unresolvable)
	}
	return x, nil
}

// lacks reports whether a string names a fact that the machine below the root
// does not have: its ID, or what os-release(5) says.
func lacks(s string, h *specifier.Host) bool {
	for i := 0; i+1 < len(s); i++ {
		if s[i] != '%' {
			continue
		}
		i++
		if s[i] == 'm' && h.MachineID == "" || strings.IndexByte("ABMowW", s[i]) >= 0 && h.OSRelease == nil {
			return true
		}
	}
	return false
}
