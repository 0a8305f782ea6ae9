package lower

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/unitgen/unitgen/compile/internal/eval"
	"github.com/unitgen/unitgen/compile/internal/types"
)

// switches are the attributes that become directives of the planner, which
// bear the names NixOS gave them.
var switches = []struct{ attr, directive string }{
	{"restart_if_changed", "X-RestartIfChanged"},
	{"stop_if_changed", "X-StopIfChanged"},
	{"reload_if_changed", "X-ReloadIfChanged"},
	{"stop_on_removal", "X-StopOnRemoval"},
	{"only_manual_start", "X-OnlyManualStart"},
	{"stop_on_reconfiguration", "X-StopOnReconfiguration"},
	{"not_socket_activated", "X-NotSocketActivated"},
	{"inhibit_switch", "X-InhibitSwitch"},
}

var triggers = []struct{ attr, directive string }{
	{"restart_triggers", "X-Restart-Triggers"},
	{"reload_triggers", "X-Reload-Triggers"},
}

var anyList = eval.Type("list(any)")

// policy evaluates the attributes of ours on a unit or drop-in; false means
// that it is not in the tree.
func (l *lowering) policy(name string, contribs []eval.Contrib, d *draft) bool {
	on, _, ok := l.e.Bool(name, "enable", contribs, true)
	if !ok || !on {
		return false
	}
	if d.dropIn == "" {
		d.mask, _, _ = l.e.Bool(name, "mask", contribs, false)
		install, _, _ := l.e.Bool(name, "install", contribs, true)
		d.noInstall = !install
	}
	for _, s := range switches {
		v, at, set, ok := l.e.Attr(name, s.attr, types.Named("bool"), contribs)
		if !ok || !set {
			continue
		}
		text := "false"
		raw, _ := v.Unmark()
		if raw.True() {
			text = "true"
		}
		d.lines = append(d.lines, line{fact: l.e.SectionFact(d.kind, "Unit", s.directive), value: text, at: at, name: at, ours: true})
	}
	for _, s := range triggers {
		v, at, set, ok := l.e.MarkedAttr(name, s.attr, anyList, contribs)
		if !ok || !set {
			continue
		}
		if marks := types.Secrets(v); len(marks) > 0 {
			l.e.Secret(marks, at, s.directive+"= of a unit file, which everybody can read")
			continue
		}
		v, _ = v.UnmarkDeep()
		for it := v.ElementIterator(); it.Next(); {
			_, x := it.Element()
			d.lines = append(d.lines, line{fact: l.e.SectionFact(d.kind, "Unit", s.directive), value: l.trigger(x, at), at: at, name: at, ours: true})
		}
	}
	return true
}

// trigger spells one trigger: a managed file as its path and the hash of its
// content, another value as itself, or as a hash where it is no short text.
func (l *lowering) trigger(v cty.Value, at hcl.Range) string {
	if !v.IsNull() && v.IsKnown() && v.Type() == cty.String {
		s := v.AsString()
		if f := l.files["etc/"+strings.TrimPrefix(s, "/etc/")]; strings.HasPrefix(s, "/etc/") && f != nil {
			return s + " " + short(f.Content)
		}
		if len(s) <= 200 && !strings.ContainsAny(s, "\n\r\x00") && !trailing(s) {
			return s
		}
		return short([]byte(s))
	}
	b, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		l.err("E0503", "Directive has a value of the wrong type", at, "A trigger must be a text, a file of an etc block or a value without functions: %s.", err)
		return ""
	}
	return short(b)
}

func short(b []byte) string {
	h := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(h[:8])
}
