package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/schema/unitname"
	"github.com/unitgen/unitgen/schema/value"
)

// escapeOptions is systemd-escape's command line.
type escapeOptions struct {
	action   string // "escape", "unescape" or "mangle"; the last option wins
	suffix   string
	template string
	given    func(flag string) bool // an empty suffix or template is refused, not ignored
	path     bool
	instance bool
}

func newEscape(a *app) *cobra.Command {
	o := &escapeOptions{action: "escape"}
	c := &cobra.Command{
		Use:   "escape [OPTIONS...] NAME...",
		Short: "Escape strings for unit names, as systemd-escape does",
		Long: `Escape strings for use in unit names, or undo that. The results stand on one
line, with blanks between them.`,
		Example: `  unitgen escape 'my data'                       # my\x20data
  unitgen escape --path --suffix=mount /mnt/data  # mnt-data.mount
  unitgen escape --template=app@.service 'a b'    # app@a\x20b.service
  unitgen escape --unescape 'my\x20data'          # my data`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("not enough arguments: name at least one string")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			o.given = c.Flags().Changed
			if err := o.check(); err != nil {
				return err
			}
			return o.run(args, a.out, a.err)
		},
	}
	f := c.Flags()
	f.StringVar(&o.suffix, "suffix", "", "unit suffix to append to escaped strings")
	f.StringVar(&o.template, "template", "", "insert strings as instance into this template")
	f.BoolVar(&o.instance, "instance", false, "with --unescape, show just the instance part")
	f.BoolFuncP("unescape", "u", "unescape strings", func(string) error { o.action = "unescape"; return nil })
	f.BoolFuncP("mangle", "m", "mangle strings: make a unit name of what was typed", func(string) error { o.action = "mangle"; return nil })
	f.BoolVarP(&o.path, "path", "p", false, "take the strings for file system paths")
	return c
}

// check refuses options that exclude one another.
func (o *escapeOptions) check() error {
	if o.given("suffix") && !isUnitType(o.suffix) {
		return fmt.Errorf("invalid unit suffix type %q; use one of %s", o.suffix, strings.Join(unitname.Types, ", "))
	}
	if o.given("template") && (!unitname.Valid(o.template) || !unitname.IsTemplate(o.template)) {
		return fmt.Errorf("%q is no template; use a name such as app@.service", o.template)
	}
	switch {
	case o.template != "" && o.suffix != "":
		return errors.New("--suffix and --template may not be combined")
	case (o.template != "" || o.suffix != "") && o.action == "mangle":
		return errors.New("--suffix and --template are not compatible with --mangle")
	case o.suffix != "" && o.action == "unescape":
		return errors.New("--suffix is not compatible with --unescape")
	case o.path && o.action == "mangle":
		return errors.New("--path may not be combined with --mangle")
	case o.instance && o.action != "unescape":
		return errors.New("--instance must be used in conjunction with --unescape")
	case o.instance && o.template != "":
		return errors.New("--instance may not be combined with --template")
	}
	return nil
}

func isUnitType(s string) bool {
	for _, t := range unitname.Types {
		if t == s {
			return true
		}
	}
	return false
}

// run writes the results with blanks between them; those before a refused
// string are written too.
func (o *escapeOptions) run(args []string, out, warn io.Writer) error {
	for i, s := range args {
		r, err := o.one(s, warn)
		if err != nil {
			return err
		}
		if i > 0 {
			r = " " + r
		}
		if _, err := io.WriteString(out, r); err != nil {
			return err
		}
	}
	_, err := io.WriteString(out, "\n")
	return err
}

func (o *escapeOptions) one(s string, warn io.Writer) (string, error) {
	switch o.action {
	case "mangle":
		m, _, err := unitname.Mangle(s, "service")
		if err != nil {
			return "", fmt.Errorf("cannot make a unit name of %q: %w", s, err)
		}
		return m, nil
	case "unescape":
		return o.unescape(s)
	}
	e := unitname.Escape(s)
	if o.path {
		if s != "" && value.SimplifyPath(s) == "." {
			return "", fmt.Errorf("cannot escape %q as a path: it is not absolute", s)
		}
		if !strings.HasPrefix(s, "/") {
			fmt.Fprintf(warn, "unitgen: %q is not an absolute path, escaping is likely not going to be reversible\n", s)
		}
		var err error
		if e, err = unitname.EscapePath(s); err != nil {
			return "", fmt.Errorf("cannot escape %q as a path: %w", s, err)
		}
	}
	switch {
	case o.template != "":
		n, err := unitname.WithInstance(o.template, e)
		if err == nil && e == "" {
			err = unitname.ErrEmpty
		}
		if err != nil {
			return "", fmt.Errorf("cannot put %q into %s: %w", s, o.template, err)
		}
		return n, nil
	case o.suffix != "":
		return e + "." + o.suffix, nil
	}
	return e, nil
}

func (o *escapeOptions) unescape(s string) (string, error) {
	name := s
	if o.template != "" || o.instance {
		_, instance, _, at := unitname.Split(s)
		switch {
		case !unitname.Valid(s):
			return "", fmt.Errorf("%q is no unit name, cannot take its instance", s)
		case !at || instance == "":
			return "", fmt.Errorf("unit %s is missing the instance name", s)
		case o.template != "" && unitname.Template(s) != o.template:
			return "", fmt.Errorf("the template of unit %s is %s, not %s", s, unitname.Template(s), o.template)
		}
		name = instance
	}
	u, err := unitname.Unescape(name)
	if o.path {
		u, err = unitname.UnescapePath(name)
	}
	if err != nil {
		return "", fmt.Errorf("cannot unescape %q: %w", s, err)
	}
	return u, nil
}
