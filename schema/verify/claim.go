package verify

import (
	"slices"
	"sort"
	"strings"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/load"
)

// claim is one thing that only one unit can have.
type claim struct {
	u         *load.Unit
	directive string
	pos       diag.Range
}

// claims complains of two units that claim one listen address, PID file, bus
// name or alias. Units that exclude each other may, and so may units that no
// start brings together (alternatives of a distribution): those are advice.
func (c *checker) claims() {
	by := map[string][]claim{}
	for _, u := range c.named {
		if u.State != load.Loaded || u.Instance() == "i" {
			continue
		}
		for _, a := range u.Assigned {
			if thing := claimed(u, a); thing != "" {
				by[thing] = append(by[thing], claim{u, a.Key, a.Pos})
			}
		}
	}
	things := make([]string, 0, len(by))
	for t := range by {
		things = append(things, t)
	}
	sort.Strings(things)
	for _, t := range things {
		cl := by[t]
		for i := 1; i < len(cl); i++ {
			a, b := cl[0], cl[i]
			if a.u == b.u || a.u.Has("Conflicts", b.u.Name) || b.u.Has("Conflicts", a.u.Name) {
				continue
			}
			_, value, _ := strings.Cut(t, " ")
			d := diag.Warnf(CodeClaim, "Two units claim one thing", b.pos,
				"%s= of %s and of %s are both %s, which only one of them can have. Change one, or give them Conflicts=.", b.directive, a.u.Name, b.u.Name, value)
			d.Related = []diag.Related{{Message: a.u.Name + " claims it here", Range: a.pos}}
			if !c.bothWanted(a.u, b.u) {
				d.Severity = diag.Advice
			}
			c.add(d)
		}
	}
}

// claimed gives what an assignment claims: a kind and a value, "" for nothing.
func claimed(u *load.Unit, a load.Assignment) string {
	thing := claimable(a)
	if thing == "" || !slices.Contains(u.Settings[a.Section][a.Key], a.Value) {
		return ""
	}
	return thing
}

// claimable gives what an assignment would claim.
func claimable(a load.Assignment) string {
	if a.Value == "" {
		return ""
	}
	switch a.Section + "." + a.Key {
	case "Socket.ListenStream":
		return "stream " + a.Value
	case "Socket.ListenDatagram":
		return "datagram " + a.Value
	case "Socket.ListenSequentialPacket":
		return "seqpacket " + a.Value
	case "Socket.ListenFIFO":
		return "fifo " + a.Value
	case "Service.BusName":
		return "bus " + a.Value
	case "Service.PIDFile":
		return "pidfile " + a.Value
	case "Mount.Where":
		return "mount " + a.Value
	}
	return ""
}

// bothWanted reports whether each of the two is pulled in by something: then
// both are meant to run.
func (c *checker) bothWanted(a, b *load.Unit) bool {
	wants := func(u *load.Unit) map[string]bool {
		m := map[string]bool{}
		for _, d := range u.Deps {
			switch d.Type {
			case "WantedBy", "RequiredBy", "BoundBy", "UpheldBy", "TriggeredBy":
				m[d.Unit] = true
			}
		}
		return m
	}
	wa, wb := wants(a), wants(b)
	return len(wa) > 0 && len(wb) > 0
}
