package activation

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"

	"github.com/unitgen/unitgen/runtime/plan"
)

// searchPath is where systemd looks for programs without a path
// (systemd.exec(5), $PATH).
var searchPath = []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}

// verify refuses new and changed services whose programs or users the host has
// not: they would fail at once.
func (a *Activation) verify() error {
	programs, users := plan.Needs(a.old, a.new)
	var missing []string
	say := func(n plan.Need, why string) {
		s := fmt.Sprintf("%s: %s=%s: %s", n.Unit, n.Directive, n.Value, why)
		if n.Source != "" {
			s += " (" + n.Source + ")"
		}
		missing = append(missing, s)
	}
	root := "/"
	if a.o.Place != nil {
		root = a.o.Place.under("/")
	}
	for _, n := range programs {
		if why := missingProgram(root, n.Value); why != "" {
			say(n, why)
		}
	}
	if a.o.Place != nil && a.o.Place.User == "" {
		for _, n := range users {
			if !a.new.Declares(n.Value) && missingUser(n) {
				say(n, "there is no such "+strings.ToLower(n.Directive)+", and the configuration makes none")
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return errors.New("services would fail on this host:\n  " + strings.Join(missing, "\n  ") + "\ninstall what is missing, or correct the configuration")
}

func missingProgram(root, p string) string {
	candidates := []string{p}
	if !filepath.IsAbs(p) {
		candidates = nil
		for _, d := range searchPath {
			candidates = append(candidates, filepath.Join(d, p))
		}
	}
	why := "there is no such program"
	for _, c := range candidates {
		st, err := os.Stat(filepath.Join(root, c))
		switch {
		case errors.Is(err, os.ErrPermission):
			return ""
		case err != nil:
		case st.IsDir():
			why = "is a directory, not a program"
		case st.Mode().Perm()&0o111 == 0:
			why = "is not executable"
		default:
			return ""
		}
	}
	return why
}

func missingUser(n plan.Need) bool {
	if n.Directive == "Group" {
		_, err := user.LookupGroup(n.Value)
		var unknown user.UnknownGroupError
		return errors.As(err, &unknown)
	}
	_, err := user.Lookup(n.Value)
	var unknown user.UnknownUserError
	return errors.As(err, &unknown)
}
