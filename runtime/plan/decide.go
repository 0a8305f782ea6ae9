package plan

import (
	"fmt"
	"strings"

	"github.com/unitgen/unitgen/schema/unitname"
)

// quietTargets are the targets that a change never touches.
var quietTargets = set("sysinit.target", "basic.target", "multi-user.target", "graphical.target",
	"suspend.target", "hibernate.target", "hybrid-sleep.target", "suspend-then-hibernate.target", "sleep.target", "default.target")

// unit decides what happens to one unit, but for what other units ask of it.
func (s *planner) unit(name string) {
	if real := s.new.scopes[s.scope].real(name); real != name && s.new.unit(s.scope, real) != nil && !s.hasOwn(s.old, name) {
		return // an alias: its unit is judged under its own name
	}
	old, new := s.old.unit(s.scope, name), s.new.unit(s.scope, name)
	if s.disables(name) {
		return
	}
	switch real := s.becameAlias(name); {
	case old == nil && new == nil:
		return
	case real != "" && s.isActive(name) && s.isActive(real):
		s.decide(name).stop = &because{"is another name of " + real + " now, which runs", s.new.origin(s.scope, name)}
	case old == nil && s.renamedFrom(name):
		return // judged under its old name, which is an alias of it now
	case new == nil || new.Masked:
		s.removed(name, old, new)
	case old == nil || old.Masked || old.External && !new.External:
		s.arrived(name, old, new)
	case s.unwantedInstance(name):
		s.stopUnwanted(name)
	default:
		s.compared(name, old, new)
	}
}

// becameAlias gives the unit that a name with a unit file of its own in the old
// tree is an alias of in the new one, "" where it is none.
func (s *planner) becameAlias(name string) string {
	if real := s.new.scopes[s.scope].real(name); real != name && s.hasOwn(s.old, name) {
		return real
	}
	return ""
}

// renamedFrom reports whether a unit that is new runs already under a name that
// the new tree makes an alias of it: the manager takes the one for the other
// when it reads its files again.
func (s *planner) renamedFrom(name string) bool {
	for alias := range s.new.scopes[s.scope].aliases {
		if s.becameAlias(alias) == name && s.isActive(alias) {
			return true
		}
	}
	return false
}

func (s *planner) hasOwn(t *Tree, name string) bool {
	u := t.scopes[s.scope]
	return u.fragments[name] != nil
}

// removed handles a unit that the new tree has not, or masks.
func (s *planner) removed(name string, old, new *Unit) {
	why := &because{"removed from the configuration", s.old.origin(s.scope, name)}
	if new != nil {
		if old != nil && old.Masked {
			return
		}
		why = &because{"masked", s.new.origin(s.scope, name)}
	} else if old.Masked {
		return
	}
	if new == nil && old.External {
		// Only our drop-ins are gone; the unit itself is the distribution's.
		s.compared(name, old, &Unit{Name: name, External: true})
		return
	}
	d := s.decide(name)
	switch {
	case !s.isActive(name):
		d.skip = &because{why.reason + ", and inactive: no action needed", why.source}
	case !old.policy("X-StopOnRemoval", true):
		d.skip = &because{why.reason + ", but X-StopOnRemoval=false leaves it running", why.source}
	case old.refuses("RefuseManualStop"):
		d.skip = &because{why.reason + ", but RefuseManualStop= leaves it running", why.source}
	case s.tenant(name) != "":
		d.skip = &because{why.reason + ", but " + s.tenant(name) + " runs in it, and would stop with it", why.source}
	default:
		d.stop = why
	}
}

// tenant gives a unit that is up, that the new tree has, and that runs in a
// slice; "" for none.
func (s *planner) tenant(slice string) string {
	base, ok := strings.CutSuffix(slice, ".slice")
	if !ok {
		return ""
	}
	for _, n := range sortedKeys(s.active) {
		u := s.new.unit(s.scope, n)
		if u == nil || u.Masked || !s.isActive(n) {
			continue
		}
		in := n
		if unitname.Type(n) != "slice" {
			in = ""
			for section := range u.settings {
				in = orElse(u.last(section, "Slice"), in)
			}
		}
		if in == slice && n != slice || strings.HasPrefix(in, base+"-") && strings.HasSuffix(in, ".slice") {
			return n
		}
	}
	return ""
}

// arrived handles a unit that the old tree had not. Being wanted starts it
// (wanted.go); here it may be running already, from a file outside the tree.
func (s *planner) arrived(name string, old, new *Unit) {
	if old != nil && old.Masked {
		return
	}
	if !s.isActive(name) {
		return
	}
	why := &because{"now comes from this configuration", s.new.origin(s.scope, name)}
	if new.External {
		was := old
		if was == nil {
			was = &Unit{Name: name, External: true}
		}
		s.compared(name, was, new)
		return
	}
	s.act(name, new, wantsRestart, why)
}

// unwantedInstance reports whether a template's instance was asked for by the
// old tree and is not by the new one.
func (s *planner) unwantedInstance(name string) bool {
	if unitname.Template(name) == "" || s.hasOwn(s.new, name) {
		return false
	}
	return len(s.old.pulled(s.scope)[name]) > 0 && len(s.new.pulled(s.scope)[name]) == 0 && len(s.newIx.pullers[name]) == 0
}

func (s *planner) stopUnwanted(name string) {
	d := s.decide(name)
	why := "the configuration asks for this instance no more"
	src := s.old.sources.Origin(s.old.pulled(s.scope)[name][0].path)
	if src == "" {
		src = s.old.origin(s.scope, name)
	}
	switch {
	case !s.isActive(name):
		d.skip = &because{why + ", and it is inactive: no action needed", src}
	case !s.old.unit(s.scope, name).policy("X-StopOnRemoval", true):
		d.skip = &because{why + ", but X-StopOnRemoval=false leaves it running", src}
	default:
		d.stop = &because{why, src}
	}
}

// compared handles a unit that both trees have.
func (s *planner) compared(name string, old, new *Unit) {
	v, changes := s.compare(old, new)
	if len(changes) == 0 {
		return
	}
	if v == equal {
		s.sayEqual(name, changes)
		return
	}
	why := summary(v, changes)
	if s.isFailed(name) {
		s.failed(name, new, why)
		return
	}
	if !s.isActive(name) {
		s.decide(name).skip = &because{why.reason + ", but the unit is inactive: takes effect at its next start", why.source}
		return
	}
	s.act(name, new, v, why)
}

// failed handles a changed unit that had failed: the change may be the cure,
// so it is tried, unless something else decides when it runs.
func (s *planner) failed(name string, new *Unit, why *because) {
	d := s.decide(name)
	switch t := s.newIx.trigger[name]; {
	case s.connection(name):
		d.skip = &because{why.reason + ", but it served a connection: the next one gets the new file", why.source}
	case t != "":
		d.skip = &because{why.reason + ", but the unit had failed: " + t + " starts it when its time comes", why.source}
	case !new.policy("X-RestartIfChanged", true), new.policy("X-OnlyManualStart", false), new.refuses("RefuseManualStart"):
		d.skip = &because{why.reason + ", but the unit had failed and is started by hand alone", why.source}
	default:
		d.start = &because{why.reason + ", and the unit had failed", why.source}
	}
}

// sayEqual names changes that need no action but that somebody may wonder
// about.
func (s *planner) sayEqual(name string, changes []change) {
	var parts []string
	src := ""
	for _, c := range changes {
		if c.said {
			parts = append(parts, c.text())
			if src == "" {
				src = c.source
			}
		}
	}
	if len(parts) == 0 {
		for _, c := range changes {
			if c.section == "Install" {
				continue
			}
			parts = append(parts, c.text())
			if src == "" {
				src = c.source
			}
		}
	}
	if len(parts) > 0 {
		s.decide(name).skip = &because{strings.Join(parts, ", ") + ": no action needed", src}
	}
}

// act is the table of what a verdict leads to for an active unit; the first
// case that fits counts.
func (s *planner) act(name string, new *Unit, v verdict, why *because) {
	d := s.decide(name)
	typ := unitname.Type(name)
	note := func(format string, args ...any) {
		d.skip = &because{why.reason + ", but " + fmt.Sprintf(format, args...), why.source}
	}
	switch {
	case typ == "target":
		s.target(name, new, why)
	case typ == "slice":
		note("a slice takes its new limits with the daemon-reload")
	case typ == "device" || typ == "scope":
		note("a %s is not restarted", typ)
	case s.connection(name):
		note("it serves a connection: the next one gets the new file")
	case name == "-.mount":
		d.reload = why
	case typ == "mount" && v == wantsReload:
		d.reload = why
	case new.policy("X-ReloadIfChanged", false), v == wantsReload:
		d.reload = why
		switch {
		case new.canReload():
		case !new.policy("X-RestartIfChanged", true):
			d.reload = nil
			note("the unit has no ExecReload=, and X-RestartIfChanged=false leaves it running")
		default:
			d.reload = &because{why.reason + "; the unit has no ExecReload=, so it restarts", why.source}
		}
	case !new.policy("X-RestartIfChanged", true):
		note("X-RestartIfChanged=false leaves it running")
	case new.refuses("RefuseManualStop"):
		note("RefuseManualStop= leaves it running")
	case new.policy("X-OnlyManualStart", false):
		note("X-OnlyManualStart= leaves it to be restarted by hand")
	case typ != "service" || !new.policy("X-StopIfChanged", true):
		d.restart = why
	default:
		d.stop, d.start = why, why
	}
}

// connection reports whether a unit is an instance that a socket with
// Accept=yes made for one connection; nobody else can start such a one.
func (s *planner) connection(name string) bool {
	tmpl := unitname.Template(name)
	if tmpl == "" || unitname.Type(name) != "service" || len(s.newIx.pullers[name]) > 0 {
		return false
	}
	sock := strings.TrimSuffix(tmpl, "@.service") + ".socket"
	for _, t := range []*Tree{s.old, s.new} {
		if u := t.unit(s.scope, sock); u != nil && truth(u.last("Socket", "Accept"), false) {
			return true
		}
	}
	return false
}

// target handles a changed target: what it newly wants has steps of its own.
func (s *planner) target(name string, new *Unit, why *because) {
	d := s.decide(name)
	if new.policy("X-StopOnReconfiguration", false) && !quietTargets[name] {
		d.stop = &because{why.reason + "; X-StopOnReconfiguration= stops it first", why.source}
		d.start = why
		return
	}
	d.skip = &because{why.reason + "; what the target newly wants has its own step", why.source}
}
