package manager

import (
	"os"
	"slices"
	"strings"

	us "github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/condition"
	"github.com/unitgen/unitgen/schema/value"
)

// testConditions evaluates Condition…= and Assert…= (systemd.unit(5),
// "Conditions and Asserts") on the machine; asserts count only where the
// conditions hold.
func (u *unit) testConditions() bool {
	sys := u.m.system()
	var conds, asserts []us.Condition
	u.condStamp = u.m.now()
	u.condOK, conds = u.evaluate(sys, "Condition")
	if u.condOK {
		u.assertStamp = u.m.now()
		u.assertOK, asserts = u.evaluate(sys, "Assert")
	} else {
		u.assertOK = false
		asserts = untested(u.conditions("Assert"))
		for _, c := range conds {
			if c.Result < 0 && u.name() != decrypter {
				u.notice("%s was skipped: %s is not met.", u.name(), conditionText(c))
				break
			}
		}
	}
	u.conds = append(conds, asserts...)
	return u.condOK
}

// decrypter does its work where nobody did it before it: here the manager has,
// before any unit started, and at each boot there is nothing to say.
const decrypter = "unitgen-credentials.service"

func conditionText(c us.Condition) string {
	neg := ""
	if c.Negate {
		neg = "!"
	}
	return c.Type + "=" + neg + c.Param
}

// system is what conditions are evaluated on: the machine, with what is the
// manager's own.
func (m *Manager) system() *condition.System {
	s := &condition.System{Env: m.env, Credentials: []string{m.credentialStore()}}
	if s.Env == nil {
		s.Env = []string{}
	}
	if m.fsRoot.ok() {
		s.Controllers = append([]string{}, m.fsRoot.controllers...)
	}
	return s
}

// conditions gives those of a kind as the files have them; systemd looks at
// the last first.
func (u *unit) conditions(prefix string) []value.Condition {
	var list []value.Condition
	for _, a := range u.file.Assigned {
		if a.Section != "Unit" || !strings.HasPrefix(a.Key, prefix) || a.Key == prefix || a.Value == "" {
			continue
		}
		if c, err := value.ParseCondition(a.Key, a.Value); err == nil {
			list = append(list, c)
		}
	}
	slices.Reverse(list)
	return list
}

func (u *unit) evaluate(sys *condition.System, prefix string) (bool, []us.Condition) {
	list := u.conditions(prefix)
	ok, results := sys.All(list)
	out := untested(list)
	for i, r := range results {
		out[i].Result = -1
		if r.Holds {
			out[i].Result = 1
		}
		if r.Err != nil {
			u.notice("%s cannot be evaluated and counts as not met: %v", conditionText(out[i]), r.Err)
		}
	}
	return ok, out
}

func untested(list []value.Condition) []us.Condition {
	out := make([]us.Condition, len(list))
	for i, c := range list {
		prefix := "Condition"
		if c.Assert {
			prefix = "Assert"
		}
		out[i] = us.Condition{Type: prefix + c.Name, Trigger: c.Trigger, Negate: c.Negate, Param: c.Param, IsAssert: c.Assert}
	}
	return out
}

// holdsNow answers one question about the machine.
func holdsNow(name, param string) bool {
	ok, err := (&condition.System{}).Evaluate(value.Condition{Name: name, Param: param})
	return ok && err == nil
}

func isMountPoint(p string) bool { return holdsNow("PathIsMountPoint", p) }
func isUser(p string) bool       { return holdsNow("User", p) }
func isGroup(p string) bool      { return holdsNow("Group", p) }

func exists(p string) bool { _, err := os.Stat(p); return err == nil }
