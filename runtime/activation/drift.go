package activation

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/unitgen/unitgen/emit/store"
	"github.com/unitgen/unitgen/runtime/plan"
)

// Drift is one thing that is not as the current generation says.
type Drift struct {
	Kind    string `json:"kind"`    // "tree", "file" or "unit"
	Subject string `json:"subject"` // a path or a unit
	Why     string `json:"why"`
	Repair  string `json:"repair"` // what to do about it
}

// FindDrift compares the host with its current generation: the tree in the
// store, the managed files, and what the managers have loaded. It also names
// the generation's units that have failed.
func FindDrift(ctx context.Context, o Options) ([]Drift, []string, error) {
	drift, failed := []Drift{}, []string{}
	if o.State.Astray() {
		return drift, failed, nil // there is nothing to compare with
	}
	cur, ok, err := o.State.Current()
	if err != nil || !ok {
		return drift, failed, err
	}
	faults, err := store.Verify(cur.Tree)
	if err != nil {
		return append(drift, Drift{"tree", cur.Tree, "is no tree any more: " + err.Error(), `"unitgen switch" writes it anew`}), failed, nil
	}
	for _, f := range faults {
		drift = append(drift, Drift{"tree", cur.Tree, f, `"unitgen switch" writes it anew`})
	}
	if o.Place != nil {
		d, err := o.Place.drift(o)
		if err != nil {
			return drift, failed, err
		}
		drift = append(drift, d...)
	}
	t, err := plan.Read(cur.Tree)
	if err != nil {
		return append(drift, Drift{"tree", cur.Tree, "cannot be read: " + err.Error(), `"unitgen switch" writes it anew`}), failed, nil
	}
	for _, target := range o.Targets {
		d, f, err := unitDrift(ctx, o, target, t)
		if err != nil {
			return drift, failed, err
		}
		drift, failed = append(drift, d...), append(failed, f...)
	}
	return drift, failed, nil
}

func (p *Place) drift(o Options) ([]Drift, error) {
	placed, err := Placed(o.State)
	if err != nil {
		return nil, err
	}
	p.reach()
	var out []Drift
	if placed.Etc == EtcOverlay && p.base == "" {
		out = append(out, Drift{"file", "/etc", "has no overlay over it", `"unitgen recover" mounts it`})
	}
	for _, i := range placed.Items {
		if i.Absent == "" {
			if why := p.inTheWay(o.State, i.Path, placed); why != "" {
				out = append(out, Drift{"file", i.Path, "has no directory of its own: " + why, `move that away, then "unitgen recover"`})
				continue
			}
		}
		if p.asLaid(i) {
			continue
		}
		why, repair := "was replaced", `"unitgen switch --adopt" takes it over again, and keeps a backup of what is there`
		if i.Absent != "" {
			why, repair = "enables "+i.Absent+", which the generation disables", `"unitgen recover" takes it away again`
		} else if _, err := os.Lstat(p.host(i.Path)); err != nil {
			why, repair = "is gone", `"unitgen recover" puts it back`
		} else if p.isOurs(i) {
			why, repair = "has another owner or mode", `"unitgen recover" puts it back`
		}
		out = append(out, Drift{"file", i.Path, why, repair})
	}
	return out, nil
}

// unitDrift asks a manager where its units come from.
func unitDrift(ctx context.Context, o Options, target Target, t *plan.Tree) ([]Drift, []string, error) {
	list, err := target.Manager.ListUnits(ctx)
	if err != nil {
		return nil, nil, err
	}
	var out []Drift
	var failed []string
	for _, u := range list {
		if !t.Has(target.Scope, u.Name) || u.Followed != "" {
			continue
		}
		if u.ActiveState == "failed" {
			failed = append(failed, u.Name)
		}
		subject := u.Name
		if target.User != "" {
			subject += " (" + target.name() + ")"
		}
		say := func(repair, format string, args ...any) {
			out = append(out, Drift{"unit", subject, fmt.Sprintf(format, args...), repair})
		}
		p, err := target.Manager.GetUnitProperty(ctx, u.Name, "FragmentPath")
		if path, ok := p.(string); err == nil && ok && path != "" && t.Fragment(target.Scope, u.Name) && !fromGeneration(o, path) {
			say("remove that file, then daemon-reload and restart the unit", "is loaded from %s, which stands before the generation's file", path)
		}
		if v, err := target.Manager.GetUnitProperty(ctx, u.Name, "DropInPaths"); err == nil {
			for _, d := range stringsOf(v) {
				if !fromGeneration(o, d) && !distribution(d) {
					say("remove the drop-in, or write it into the configuration", "has the drop-in %s on top", d)
				}
			}
		}
		if v, err := target.Manager.GetUnitProperty(ctx, u.Name, "NeedDaemonReload"); err == nil && v == true {
			say("daemon-reload", "changed on disk since the manager read it (daemon-reload)")
		}
	}
	sort.Strings(failed)
	return out, failed, nil
}

// fromGeneration reports whether a path leads into the state directory, or is
// a copy that our generator made.
func fromGeneration(o Options, path string) bool {
	if strings.HasPrefix(path, "/run/systemd/generator") || strings.Contains(path, "/systemd/generator") {
		return true
	}
	if o.Place != nil && o.Place.base != "" && strings.HasPrefix(path, "/etc/") {
		_, err := os.Lstat(filepath.Join(o.State.CurrentPath(), path))
		return err == nil
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return false
	}
	state := o.State.Dir()
	if s, err := filepath.EvalSymlinks(state); err == nil {
		state = s
	}
	return strings.HasPrefix(real, state+"/")
}

// distribution reports whether a path is where packages put unit files.
func distribution(path string) bool {
	return strings.HasPrefix(path, "/usr/lib/") || strings.HasPrefix(path, "/lib/")
}

func stringsOf(v any) []string {
	if s, ok := v.([]string); ok {
		return s
	}
	var out []string
	if l, ok := v.([]any); ok {
		for _, e := range l {
			if s, ok := e.(string); ok {
				out = append(out, s)
			}
		}
	}
	return out
}
