package plan

import (
	"fmt"
	"sort"

	"github.com/unitgen/unitgen/schema/tree"
)

// Inhibitor is a unit that a running machine cannot change: the plan is for
// the next boot.
type Inhibitor struct {
	Unit   string     `json:"unit"`
	Scope  tree.Scope `json:"scope"`
	Reason string     `json:"reason"`
	Source *string    `json:"source"` // "file:line:column", null when unknown
}

// critical are the units that everything that runs holds on to, so that they
// cannot be stopped beneath it, unless they say X-InhibitSwitch=false.
var critical = set("dbus.service", "dbus.socket", "dbus-broker.service")

const inhibitSwitch = "X-InhibitSwitch"

// inhibitors gives the units that the plan would stop or restart and that say,
// in either tree, that this is not to be done live.
func (s *planner) inhibitors() []Inhibitor {
	var out []Inhibitor
	for name, d := range s.doing {
		why := d.stop
		if why == nil {
			why = d.restart
		}
		if why == nil {
			continue
		}
		was := s.old.unit(s.scope, name).policy(inhibitSwitch, critical[name])
		is := s.new.unit(s.scope, name).policy(inhibitSwitch, was)
		if !is {
			continue
		}
		i := Inhibitor{Unit: name, Scope: s.scope, Reason: why.reason}
		if s.new.unit(s.scope, name).policy(inhibitSwitch, false) || s.old.unit(s.scope, name).policy(inhibitSwitch, false) {
			i.Reason += fmt.Sprintf(", and %s=true keeps it from being stopped while the machine runs", inhibitSwitch)
		} else {
			i.Reason += ", and all that runs is connected to it"
		}
		if why.source != "" {
			src := why.source
			i.Source = &src
		}
		out = append(out, i)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Unit < out[j].Unit })
	return out
}
