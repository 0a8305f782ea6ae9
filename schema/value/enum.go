package value

import (
	"sort"
	"strconv"
	"strings"
)

// enum is a fixed set of words.
type enum struct {
	words   []string          // in the order of the man page
	unsafe  map[string]string // words that systemd warns of, and what to use
	since   map[string]int    // words that came later than the directive
	bools   bool              // yes and no, in all their spellings, are words too
	legacy  [2]string         // what yes and no stand for where only words are documented
	numbers uint64            // numbers below this are accepted too
	aliases map[string]string
	userMay []string // the only words of user managers, nil: all
}

// Enum gives the words of an enumeration that a version of systemd knows
// (0: the newest), in the order of the man page; nil for an unknown name. Where
// booleans are accepted, "yes" and "no" come first.
func Enum(name string, version int) []string {
	e := enums[name]
	if e == nil {
		return nil
	}
	return e.list(&Context{Systemd: version})
}

// Enums gives the names of all enumerations.
func Enums() []string {
	var out []string
	for n := range enums {
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}

func (e *enum) list(c *Context) []string {
	var out []string
	if e.bools {
		out = append(out, "yes", "no")
	}
	for _, w := range e.words {
		if c.knows(e.since[w]) && e.allowed(c, w) {
			out = append(out, w)
		}
	}
	return out
}

func (e *enum) allowed(c *Context, w string) bool {
	if !c.User || e.userMay == nil {
		return true
	}
	for _, u := range e.userMay {
		if u == w {
			return true
		}
	}
	return false
}

func (e *enum) want(c *Context) string {
	w := e.list(c)
	if len(w) == 1 {
		return w[0]
	}
	return strings.Join(w[:len(w)-1], ", ") + " or " + w[len(w)-1]
}

func (e *enum) check(c *Context, s string) (string, error) {
	if e.bools {
		if b, err := ParseBool(s); err == nil {
			return FormatBool(b), nil
		}
	}
	if b, err := ParseBool(s); err == nil && e.legacy[0] != "" {
		if b {
			return e.legacy[0], nil
		}
		return e.legacy[1], nil
	}
	for _, w := range e.words {
		if w != s {
			continue
		}
		if use := e.unsafe[w]; use != "" {
			return s, &Error{Value: s, Wrong: "is deprecated and unsafe", Want: use, Tolerated: true}
		}
		if n := e.since[w]; !c.knows(n) {
			return s, wrongf(s, e.want(c), "is known only from systemd %d on", n)
		}
		if !e.allowed(c, w) {
			return s, wrong(s, "is not for units of a user manager", e.want(c))
		}
		return w, nil
	}
	if w, ok := e.aliases[s]; ok {
		return w, nil
	}
	if e.numbers > 0 {
		if n, err := unsignedBits(s, 32); err == nil && n < e.numbers {
			if n < uint64(len(e.words)) && e.numbers <= 128 {
				return e.words[n], nil // the words stand in the kernel's order
			}
			return strconv.FormatUint(n, 10), nil
		}
	}
	for _, w := range e.words {
		if strings.EqualFold(w, s) {
			return s, wrong(s, "is none of the words that are accepted (case matters)", e.want(c))
		}
	}
	return s, wrong(s, "is none of the words that are accepted", e.want(c))
}
