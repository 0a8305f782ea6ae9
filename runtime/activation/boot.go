package activation

import (
	"context"
	"fmt"
	"path/filepath"
	"sort"
	"strings"

	"github.com/unitgen/unitgen/runtime/generation"
)

// BootOnly makes a generation the one that the next boot starts. Nothing that
// runs is touched: its new links are made, and lead nowhere until then. The
// caller holds the state's lock.
func BootOnly(o Options) error {
	s := o.State
	to, err := s.Get(o.To)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if err := (&Activation{o: o}).unmodified(to); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if o.Place != nil {
		from, _, err := s.Current()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrRefused, err)
		}
		var b begin
		if err := o.Place.preflight(s, from, to, o.Adopt, &b); err != nil {
			return fmt.Errorf("%w: %w", ErrRefused, err)
		}
		both := mergePlacements(b.Before, b.After)
		if err := savePlaced(s, both); err != nil {
			return fmt.Errorf("%w: %w", ErrRefused, err)
		}
		if err := o.Place.prepare(s, b.Before, both); err != nil {
			return err
		}
	}
	return s.SetBoot(o.To)
}

// mergePlacements gives what lies in the host while one generation is current
// and another boots next.
func mergePlacements(now, next *Placement) *Placement {
	out := &Placement{Root: next.Root, User: next.User, Units: next.Units, Etc: now.Etc, Tree: now.Tree, Hooks: now.Hooks}
	seen := map[string]bool{}
	for _, i := range now.Items {
		seen[i.Path] = true
		out.Items = append(out.Items, i)
	}
	for _, i := range next.Items {
		if !seen[i.Path] && i.isLink() {
			out.Items = append(out.Items, i)
		}
	}
	sort.Slice(out.Items, func(i, j int) bool { return out.Items[i].Path < out.Items[j].Path })
	dirs := map[string]bool{}
	for _, d := range append(append([]string{}, now.Dirs...), next.Dirs...) {
		dirs[d] = true
	}
	out.Dirs = sortedNames(dirs)
	return out
}

// TreesInUse gives the store trees that a manager has loaded unit files from.
func TreesInUse(ctx context.Context, s *generation.State, t Target) []string {
	units, err := t.Manager.ListUnits(ctx)
	if err != nil {
		return nil
	}
	store := s.Path("store") + "/"
	seen := map[string]bool{}
	note := func(v any) {
		p, ok := v.(string)
		if !ok || p == "" {
			return
		}
		if real, err := filepath.EvalSymlinks(p); err == nil {
			p = real
		}
		if rest, ok := strings.CutPrefix(p, store); ok {
			name, _, _ := strings.Cut(rest, "/")
			seen[store+name] = true
		}
	}
	for _, u := range units {
		if u.LoadState != "loaded" || u.ActiveState == "inactive" {
			continue
		}
		if v, err := t.Manager.GetUnitProperty(ctx, u.Name, "FragmentPath"); err == nil {
			note(v)
		}
	}
	return sortedNames(seen)
}
