package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/specifier"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitname"
	"github.com/unitgen/unitgen/schema/verify"
)

func newAnalyzeVerify(a *app) *cobra.Command {
	var root, sysroot string
	var user, asJSON bool
	var version int
	c := &cobra.Command{
		Use:   "verify [--root DIR] [--user] [--sysroot DIR] UNIT|FILE…",
		Short: "Check units as systemd would load them, and sets of them as a whole",
		Long: `Check units: syntax, directives, values, required units, ordering cycles,
contradictions, sockets and their services. With --sysroot programs are looked
for below it as well. Exit code 1 with an error or a warning for a unit that was
named; advice changes nothing.`,
		Example: `  unitgen analyze verify --root ./tree nginx.service
  unitgen analyze verify ./my.service`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			defer tuneMemory()()
			ds, err := verifyUnits(args, root, sysroot, user, version)
			if err != nil && asJSON {
				// A refusal has its JSON too.
				ds, err = diag.List{diag.Errorf("E1029", "Unit is refused", diag.Range{File: args[0]}, "%s", err)}, nil
			}
			if err != nil {
				return &exitError{exitWrong, err}
			}
			if asJSON {
				err = diag.WriteJSON(a.out, ds)
			} else {
				err = diag.Render(a.err, ds, diag.RenderOptions{Source: unitSource(root)})
			}
			if err != nil {
				return err
			}
			if slices.ContainsFunc(ds, func(d *diag.Diagnostic) bool { return d.Severity != diag.Advice }) {
				return &exitError{code: exitWrong}
			}
			return nil
		},
	}
	c.Flags().StringVar(&root, "root", "", "the root file system whose units are checked")
	c.Flags().StringVar(&sysroot, "sysroot", "", "look for programs below this root file system")
	c.Flags().BoolVar(&user, "user", false, "check units of user managers")
	c.Flags().IntVar(&version, "systemd", 0, "the systemd version that loads (default: the one below the root or on this machine)")
	c.Flags().BoolVar(&asJSON, "json", false, "print the diagnostics as JSON")
	return c
}

// verifyUnits checks units by name on the load path of a root, and files with
// their own directory first in the load path.
func verifyUnits(args []string, root, sysroot string, user bool, version int) (diag.List, error) {
	scope := tree.System
	if user {
		scope = tree.User
	}
	var names, dirs []string
	for _, arg := range args {
		if !filepath.IsAbs(arg) && filepath.Base(arg) == arg {
			if _, err := os.Lstat(arg); err != nil || root != "" {
				if !unitname.Valid(arg) {
					return nil, fmt.Errorf("%q is no unit name and no file; a unit name ends in .service, .socket, .timer or another unit type", arg)
				}
				names = append(names, arg)
				continue
			}
		}
		abs, err := filepath.Abs(arg)
		if err != nil {
			return nil, err
		}
		name := filepath.Base(abs)
		if !unitname.Valid(name) {
			return nil, fmt.Errorf("%s: %q is no unit name; it ends in .service, .socket, .timer or another unit type", arg, name)
		}
		if root != "" {
			// Below a root the path is the root's own.
			if !slices.Contains(dirs, filepath.Dir(abs)) {
				dirs = append(dirs, filepath.Dir(abs))
			}
			names = append(names, name)
			continue
		}
		st, err := os.Stat(abs)
		switch {
		case errors.Is(err, os.ErrNotExist):
			return nil, fmt.Errorf("%s: there is no such file", arg)
		case err != nil:
			return nil, err
		case !st.Mode().IsRegular() && st.Mode()&os.ModeCharDevice == 0:
			return nil, fmt.Errorf("%s is no regular file", arg)
		}
		if dir := filepath.Dir(abs); !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
		names = append(names, name)
	}
	for i, n := range names {
		if unitname.IsTemplate(n) {
			// systemd-analyze verify checks a template as an instance of its own.
			names[i], _ = unitname.WithInstance(n, "test-instance")
		}
	}
	o := load.Options{Scope: scope, Root: root, UseEnvironment: root == "", Version: version}
	at := root
	if at == "" {
		at = "/"
	}
	if version == 0 {
		o.Version = installedSystemd(at)
	}
	o.Facts.Host = specifier.ReadHost(at)
	if len(dirs) > 0 {
		env := os.Getenv
		if root != "" {
			env = nil
		}
		o.Path = append(dirs, load.SearchPath(scope, env)...)
	}
	return verify.Run(verify.Options{Loader: load.New(o), Units: names, Sysroot: sysroot}), nil
}

// unitSource reads unit files, each once, for the snippets of diagnostics.
func unitSource(root string) func(string) []byte {
	known := map[string][]byte{}
	return func(file string) []byte {
		data, ok := known[file]
		if !ok {
			p := filepath.Join(root, file)
			if st, err := os.Stat(p); err == nil && st.Mode().IsRegular() && st.Size() <= load.MaxFileSize {
				data, _ = os.ReadFile(p)
			}
			known[file] = data
		}
		return data
	}
}
