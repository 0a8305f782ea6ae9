package load

import (
	"sort"
	"strings"

	"github.com/unitgen/unitgen/schema/value"
)

// callFilter adds the assignments of SystemCallFilter= up as systemd does: the
// first says whether the list allows or denies; later ones of the same kind
// add, those of the other kind take away. Groups become their system calls. A
// list that denies has "~" before each element.
func callFilter(list []string) []string {
	var deny bool
	set := map[string]string{}
	for i, v := range list {
		rules, inverted, err := value.ParseSyscallFilter(v)
		if err != nil {
			continue
		}
		if i == 0 {
			deny = inverted
			if !deny {
				// A list that allows always lets a program start and end.
				for _, n := range value.SyscallGroup("@default") {
					addCall(set, n, "", true)
				}
			}
		}
		for _, r := range rules {
			addCall(set, r.Name, r.Errno, inverted == deny)
		}
	}
	out := make([]string, 0, len(set))
	for n, errno := range set {
		s := n
		if errno != "" {
			s += ":" + errno
		}
		if deny {
			s = "~" + s
		}
		out = append(out, s)
	}
	sort.Strings(out)
	return out
}

func addCall(set map[string]string, name, errno string, add bool) {
	if strings.HasPrefix(name, "@") {
		for _, n := range value.SyscallGroup(name) {
			addCall(set, n, errno, add)
		}
		return
	}
	if add {
		set[name] = errno
	} else {
		delete(set, name)
	}
}
