package activation

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
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
		if err := o.Place.preflight(o, from, to, &b); err != nil {
			return fmt.Errorf("%w: %w", ErrRefused, err)
		}
		both := o.Place.mergePlacements(b.Before, b.After)
		both.Boot = o.Place.consent(o, b.Before, b.After)
		if err := savePlaced(s, both); err != nil {
			return fmt.Errorf("%w: %w", ErrRefused, err)
		}
		if err := o.Place.prepare(s, b.Before, both); err != nil {
			return err
		}
		// What enables a unit counts when systemd reads its units, which is before
		// anything of ours runs at the boot.
		for _, i := range both.Items {
			if i.Absent == "" {
				continue
			}
			if err := o.Place.ensure(s, i); err != nil {
				return err
			}
		}
	}
	return s.SetBoot(o.To)
}

// consent gives the paths of others that the boot of a generation may take
// over: what --adopt named, and what unitgen had put back itself.
func (p *Place) consent(o Options, before, after *Placement) *Consent {
	c := &Consent{Generation: o.To}
	for _, i := range after.Items {
		if i.Adopt && !p.isOurs(i) {
			if old, ok := before.item(i.Path); !ok || !p.isOurs(old) {
				c.Adopt = append(c.Adopt, i.Path)
			}
		}
	}
	if len(c.Adopt) == 0 {
		return nil
	}
	return c
}

// mergePlacements gives what lies in the host while one generation is current
// and another boots next. What the boot takes over is somebody else's until
// then.
func (p *Place) mergePlacements(now, next *Placement) *Placement {
	out := &Placement{Root: next.Root, User: next.User, Units: next.Units, Etc: now.Etc, Tree: now.Tree, Hooks: now.Hooks, Released: now.Released}
	seen := map[string]bool{}
	for _, i := range now.Items {
		seen[i.Path] = true
		out.Items = append(out.Items, i)
	}
	for _, i := range next.Items {
		if leaving(now, i.Path) != "" || slices.Contains(now.Dirs, i.Path) {
			continue // a file where a directory is now, or the reverse
		}
		if !seen[i.Path] && i.Absent != "" {
			out.Items = append(out.Items, i)
			continue
		}
		if !seen[i.Path] && i.isLink() && !(i.Adopt && !p.isOurs(i)) {
			out.Items = append(out.Items, i)
		}
	}
	sort.Slice(out.Items, func(i, j int) bool { return out.Items[i].Path < out.Items[j].Path })
	dirs := map[string]bool{}
	for _, d := range now.Dirs {
		dirs[d] = true
	}
	for _, d := range next.Dirs {
		if _, is := now.item(d); !is && leaving(now, d) == "" {
			dirs[d] = true
		}
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
