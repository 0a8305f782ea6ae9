package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/unitgen/unitgen/internal/plainfile"
	"github.com/unitgen/unitgen/runtime/activation"
	"github.com/unitgen/unitgen/runtime/generation"
	"github.com/unitgen/unitgen/schema/directive"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitfile"
	"github.com/unitgen/unitgen/schema/unitname"
)

// tooNew says of every unit that differs between two trees which of its
// directives the managers that run do not know: they pass over them.
func tooNew(ctx context.Context, targets []activation.Target, oldDir, newDir string) []string {
	var out []string
	for _, scope := range []tree.Scope{tree.System, tree.User} {
		v := managersVersion(ctx, targets, scope)
		if v == 0 || v >= directive.Newest {
			continue
		}
		out = append(out, tooNewFor(oldDir, newDir, scope, v)...)
	}
	return out
}

// managersVersion gives the oldest systemd among the managers of a scope, 0
// where none says. The bundled manager is none of them: the version that it
// names is that of the interface it speaks; it takes newer directives, and says
// by itself what it does not apply.
func managersVersion(ctx context.Context, targets []activation.Target, scope tree.Scope) int {
	oldest := 0
	for _, t := range targets {
		m, ok := t.Manager.(interface {
			GetManagerProperty(ctx context.Context, property string) (any, error)
		})
		if !ok || t.Scope != scope {
			continue
		}
		p, err := m.GetManagerProperty(ctx, "Version")
		text, _ := p.(string)
		if v := leadingNumber(text); err == nil && v > 0 && !strings.Contains(text, "(unitgen") && (oldest == 0 || v < oldest) {
			oldest = v
		}
	}
	return oldest
}

// leadingNumber reads the version of "252.39-1~deb12u1" and "v257".
func leadingNumber(s string) int {
	s = strings.TrimPrefix(strings.TrimSpace(s), "v")
	i := 0
	for i < len(s) && i < 6 && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	n, _ := strconv.Atoi(s[:i])
	return n
}

func tooNewFor(oldDir, newDir string, scope tree.Scope, version int) []string {
	found := map[string][]string{}
	for _, place := range []tree.Place{tree.Etc, tree.Generator, tree.GeneratorEarly, tree.GeneratorLate} {
		dir := tree.UnitDir(place, scope)
		root := filepath.Join(newDir, filepath.FromSlash(dir))
		_ = filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return nil
			}
			rel, err := filepath.Rel(root, p)
			if err != nil {
				return nil
			}
			unit := filepath.ToSlash(rel)
			if d := path.Dir(unit); d != "." {
				unit = strings.TrimSuffix(d, ".d")
			}
			typ := unitname.Type(unit)
			if typ == "" {
				typ = unit // service.d: for all of the type
			}
			text, err := plainfile.Read(p, maxSource)
			if err != nil {
				return nil
			}
			if was, err := os.ReadFile(filepath.Join(oldDir, filepath.FromSlash(dir), rel)); oldDir != "" && err == nil && bytes.Equal(was, text) {
				return nil
			}
			file, _ := unitfile.Parse(rel, text)
			for _, l := range file.Lines {
				if l.Kind != unitfile.Assignment {
					continue
				}
				if d, ok := directive.Lookup(typ, l.Section, l.Key); ok && d.Since > version {
					if w := fmt.Sprintf("%s= (systemd %d)", l.Key, d.Since); !slices.Contains(found[unit], w) {
						found[unit] = append(found[unit], w)
					}
				}
			}
			return nil
		})
	}
	units := make([]string, 0, len(found))
	for u := range found {
		units = append(units, u)
	}
	sort.Strings(units)
	var out []string
	for _, u := range units {
		out = append(out, fmt.Sprintf("%s: the running systemd %d does not know %s and passes over it; write systemd = %d in the host, and check says where", u, version, strings.Join(found[u], ", "), version))
	}
	return out
}

// note warns of something during a switch, on stderr and in its JSON.
func (a *app) note(text string) {
	a.notes = append(a.notes, text)
	fmt.Fprintln(a.err, "unitgen: warning: "+text)
}

// noteTooNew warns of directives that a switch brings and the managers do not
// know.
func (a *app) noteTooNew(ctx context.Context, s *generation.State, targets []activation.Target, treeDir string) {
	was := ""
	if g, ok, err := s.Current(); err == nil && ok {
		was = g.Tree
	}
	for _, n := range tooNew(ctx, targets, was, treeDir) {
		a.note(n)
	}
}
