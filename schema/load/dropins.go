package load

import (
	"errors"
	"io/fs"
	"path"
	"sort"
	"strings"

	"github.com/unitgen/unitgen/schema/unitname"
)

// extraDirs gives the directories of a suffix (".d", ".wants" …) that belong
// to a unit, strongest first: those of its own name and its template, of each
// prefix that ends in a dash, of its aliases, and for drop-ins of its type;
// within each name the load path decides (systemd.unit(5), "Description").
func (l *Loader) extraDirs(names []string, suffix string) []string {
	ix := l.index
	if len(ix.extra) == 0 {
		return nil
	}
	var out []string
	add := func(chain []string) {
		for _, d := range ix.dirs {
			for _, n := range chain {
				for _, p := range ix.extra[n+suffix] {
					if path.Dir(p) == d {
						out = append(out, p)
					}
				}
			}
		}
	}
	for _, n := range names {
		add(nameChain(n))
	}
	if len(names) > 0 {
		add([]string{unitname.Type(names[0])})
	}
	return unique(out)
}

// nameChain gives the names whose drop-in directories count for a unit: for
// "a-b@c.service" these are a-b@c.service, a-b@.service, a-@c.service and
// a-@.service.
func nameChain(name string) []string {
	var out []string
	for {
		out = append(out, name)
		if t := unitname.Template(name); t != "" {
			out = append(out, t)
		}
		prefix, instance, typ, at := unitname.Split(name)
		prefix = strings.TrimSuffix(prefix, "-")
		i := strings.LastIndexByte(prefix, '-')
		if i < 0 {
			return out
		}
		name = prefix[:i+1]
		if at {
			name += "@" + instance
		}
		name += "." + typ
		if !unitname.Valid(name) {
			return out
		}
	}
}

// extraFiles lists what such a directory holds: regular files and links,
// hidden ones left out.
func (l *Loader) extraFiles(dir string) []string {
	ix := l.index
	if f, ok := ix.extraFiles[dir]; ok {
		return f
	}
	var out []string
	real, err := l.src.chase(dir, false)
	if err == nil {
		var list []fs.DirEntry
		if list, err = l.src.readDir(real); err == nil {
			for _, e := range list {
				t := e.Type()
				if strings.HasPrefix(e.Name(), ".") || !t.IsRegular() && t&fs.ModeSymlink == 0 {
					continue
				}
				out = append(out, e.Name())
			}
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.issue(dir, err)
	}
	ix.extraFiles[dir] = out
	return out
}

// dropIns gives the drop-in files of a unit in the order in which they apply:
// by file name, where the strongest directory that has the name decides. One
// that is masked is among them and has no effect.
func (l *Loader) dropIns(names []string) []string {
	return l.extra(names, ".d", ".conf")
}

// extra gives the files of the directories of a suffix, each name once, sorted
// by name.
func (l *Loader) extra(names []string, suffix, ending string) []string {
	found := map[string]string{}
	for _, d := range l.extraDirs(names, suffix) {
		for _, n := range l.extraFiles(d) {
			if strings.HasSuffix(n, ending) && found[n] == "" {
				found[n] = path.Join(d, n)
			}
		}
	}
	keys := make([]string, 0, len(found))
	for n := range found {
		keys = append(keys, n)
	}
	sort.Strings(keys)
	out := keys
	for i, n := range keys {
		out[i] = found[n]
	}
	return out
}
