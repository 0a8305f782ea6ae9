package emit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"sort"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitfile"
)

// SourcesSuffix ends the name of the file beside a store tree that says where
// everything in it was defined.
const SourcesSuffix = ".sources"

// Sources maps the paths of a tree to the source ranges that made them. It is
// no part of the tree or its hash: moving a line changes it and nothing else.
type Sources struct {
	Version int                    `json:"version"`
	Paths   map[string]*PathSource `json:"paths"`
}

// PathSource says where one path was defined, as "file:line:column".
type PathSource struct {
	Origin     string            `json:"origin,omitempty"`
	Directives []DirectiveSource `json:"directives,omitempty"` // of a unit, in its order
	Keys       map[string]string `json:"keys,omitempty"`       // of a settings file
}

// DirectiveSource is one assignment of a unit file.
type DirectiveSource struct {
	Section string `json:"section"`
	Key     string `json:"key"`
	Value   string `json:"value"`
	Source  string `json:"source"`
}

// NewSources collects the sources of a tree.
func NewSources(t *tree.Tree) *Sources {
	s := &Sources{Version: 1, Paths: map[string]*PathSource{}}
	for _, u := range t.Units {
		s.Paths[path.Join(tree.UnitDir(u.Place, u.Scope), u.Name)] = unitSource(u.File, u.Origin)
	}
	for _, d := range t.DropIns {
		s.Paths[path.Join(tree.UnitDir(d.Place, d.Scope), d.Unit+".d", d.Name+".conf")] = unitSource(d.File, d.Origin)
	}
	for _, f := range t.Files {
		ps := &PathSource{Origin: f.Origin.String()}
		for k, r := range f.Keys {
			if ps.Keys == nil {
				ps.Keys = map[string]string{}
			}
			ps.Keys[k] = r.String()
		}
		s.Paths[f.Path] = ps
	}
	for _, d := range t.Distro {
		if p := path.Join(tree.UnitDir(tree.Etc, d.Scope), d.Name); s.Paths[p] == nil {
			s.Paths[p] = &PathSource{Origin: d.Origin.String()}
		}
	}
	for _, l := range t.Links {
		s.Paths[l.Path] = &PathSource{Origin: l.Origin.String()}
	}
	return s
}

func unitSource(f *unitfile.File, origin diag.Range) *PathSource {
	ps := &PathSource{Origin: origin.String()}
	if f == nil {
		return ps
	}
	for _, l := range f.Lines {
		if l.Kind != unitfile.Assignment || l.Origin.IsZero() {
			continue
		}
		ps.Directives = append(ps.Directives, DirectiveSource{Section: l.Section, Key: l.Key, Value: l.Value, Source: l.Origin.String()})
	}
	return ps
}

// Bytes gives the file's content; encoding/json sorts the keys of maps.
func (s *Sources) Bytes() []byte {
	b, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		panic("unitgen: sources cannot be marshalled: " + err.Error())
	}
	return append(b, '\n')
}

// ReadSources reads what lies beside a store tree. A tree without it (made by
// others) has no sources, which is no error.
func ReadSources(dir string) (*Sources, error) {
	b, err := os.ReadFile(dir + SourcesSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return &Sources{Version: 1, Paths: map[string]*PathSource{}}, nil
	}
	if err != nil {
		return nil, err
	}
	s := new(Sources)
	if err := json.Unmarshal(b, s); err != nil {
		return nil, fmt.Errorf("%s%s: %w", dir, SourcesSuffix, err)
	}
	return s, nil
}

// Directive gives the source of an assignment, or of the directive's first one
// when no assignment has this value, or of the path; "" when nothing is known.
func (s *Sources) Directive(p, section, key, value string) string {
	ps := s.Paths[p]
	if ps == nil {
		return ""
	}
	found := ""
	for _, d := range ps.Directives {
		if d.Section != section || d.Key != key {
			continue
		}
		if d.Value == value {
			return d.Source
		}
		if found == "" {
			found = d.Source
		}
	}
	if found != "" {
		return found
	}
	return ps.Origin
}

// Origin gives the source of a path, "" when unknown.
func (s *Sources) Origin(p string) string {
	if ps := s.Paths[p]; ps != nil {
		return ps.Origin
	}
	return ""
}

// Files names the source files, sorted.
func (s *Sources) Files() []string {
	out := make([]string, 0, len(s.Paths))
	for p := range s.Paths {
		out = append(out, p)
	}
	sort.Strings(out)
	return out
}
