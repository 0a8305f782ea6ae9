package plan

import (
	"path"
	"slices"
	"strings"

	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitname"
)

// Need is something of the host that a new or changed service asks for.
type Need struct {
	Unit      string
	Directive string
	Value     string // the program, or the name of the user or group
	Source    string // "file:line:column", "" when unknown
}

// Needs gives the programs and the users that services ask for which the new
// tree has and the old one has not, or not like this. Services that test for
// files by themselves (Condition…=, Assert…=), that have a root of their own,
// or that begin a line with "-" may do without; values with specifiers are not
// known here.
func Needs(old, new *Tree) (programs, users []Need) {
	for _, scope := range []tree.Scope{tree.System, tree.User} {
		for _, name := range new.UnitNames(scope) {
			u := new.unit(scope, name)
			if u == nil || u.Masked || u.External || unitname.Type(name) != "service" || u.helpsItself() {
				continue
			}
			if was := old.unit(scope, name); was != nil && len(directiveDifferences(was, u)) == 0 {
				continue
			}
			for _, key := range []string{"ExecStartPre", "ExecStart", "ExecStartPost"} {
				for _, v := range u.settings["Service"][key] {
					if p, ok := program(v.text); ok && !new.provides(p) {
						programs = append(programs, Need{name, key, p, new.sources.Directive(v.path, "Service", key, v.text)})
					}
				}
			}
			if scope != tree.System || truth(u.last("Service", "DynamicUser"), false) {
				continue
			}
			for _, key := range []string{"User", "Group"} {
				for _, v := range u.settings["Service"][key] {
					if v.text != "" && !strings.ContainsAny(v.text, "%$") && strings.Trim(v.text, "0123456789") != "" {
						users = append(users, Need{name, key, v.text, new.sources.Directive(v.path, "Service", key, v.text)})
					}
				}
			}
		}
	}
	return programs, users
}

// helpsItself reports whether a service copes with what is missing.
func (u *Unit) helpsItself() bool {
	for key := range u.settings["Unit"] {
		if strings.HasPrefix(key, "Condition") || strings.HasPrefix(key, "Assert") {
			return true
		}
	}
	for _, key := range []string{"RootDirectory", "RootImage", "BindPaths", "BindReadOnlyPaths", "MountImages", "ExtensionImages", "ExtensionDirectories"} {
		if len(u.settings["Service"][key]) > 0 {
			return true
		}
	}
	return false
}

// program gives the program of a command line (systemd.service(5), "COMMAND
// LINES"); false where it is not known or may be missing.
func program(line string) (string, bool) {
	line = strings.TrimSpace(line)
	for line != "" && strings.ContainsRune("-@:+!|", rune(line[0])) {
		if line[0] == '-' {
			return "", false
		}
		line = line[1:]
	}
	end := strings.IndexAny(line, " \t")
	if end >= 0 {
		line = line[:end]
	}
	if line == "" || strings.ContainsAny(line, `%$"'\`) {
		return "", false
	}
	return line, true
}

// provides reports whether the tree itself has a program.
func (t *Tree) provides(p string) bool {
	_, ok := t.files[strings.TrimPrefix(path.Clean(p), "/")]
	return ok
}

// Declares reports whether a sysusers.d file of the tree makes a user or group.
func (t *Tree) Declares(name string) bool {
	return slices.Contains(t.declared(), name)
}
