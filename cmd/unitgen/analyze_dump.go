package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/specifier"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitname"
)

// dumpedUnit is one unit of `analyze dump`.
type dumpedUnit struct {
	LoadState    string                         `json:"load_state"`
	Fragment     string                         `json:"fragment"`
	DropIns      []string                       `json:"drop_ins"`
	Settings     map[string]map[string][]string `json:"settings"`
	Dependencies []dumpedDep                    `json:"dependencies"`
	Commands     map[string][][]string          `json:"commands"`
}

type dumpedDep struct {
	Type   string   `json:"type"`
	Unit   string   `json:"unit"`
	Origin []string `json:"origin"`
}

func newAnalyzeDump(a *app) *cobra.Command {
	var root string
	var user bool
	var version int
	c := &cobra.Command{
		Use:     "dump [--root DIR] [UNIT…]",
		Short:   "Show units as they are after loading: settings with defaults, dependencies, commands",
		Example: "  unitgen analyze dump --root ./tree nginx.service",
		RunE: func(_ *cobra.Command, args []string) error {
			l, err := dumpLoader(root, user, version)
			if err != nil {
				return &exitError{exitWrong, err}
			}
			return dumpUnits(a, l, args)
		},
	}
	c.Flags().StringVar(&root, "root", "", "directory that stands for the root of the machine")
	c.Flags().BoolVar(&user, "user", false, "load the units of the user manager")
	c.Flags().Bool("system", true, "load the units of the system manager")
	c.Flags().IntVar(&version, "systemd", 0, "the systemd version that loads (default: the one below the root or on this machine)")
	c.Flags().Bool("json", true, "JSON is printed always")
	return c
}

// dumpLoader makes the loader of a root, with the facts of its machine.
func dumpLoader(root string, user bool, version int) (*load.Loader, error) {
	if root != "" {
		fi, err := os.Stat(root)
		if err != nil {
			return nil, err
		}
		if !fi.IsDir() {
			return nil, fmt.Errorf("%s is not a directory", root)
		}
		if root, err = filepath.Abs(root); err != nil {
			return nil, err
		}
		if root == "/" {
			root = ""
		}
	}
	o := load.Options{Scope: tree.System, Root: root, Version: version, UseEnvironment: true}
	at := root
	if at == "" {
		at = "/"
	}
	if o.Version == 0 {
		o.Version = installedSystemd(at)
	}
	o.Facts = specifier.System()
	if user {
		o.Scope = tree.User
		o.Facts = specifier.User(specifier.CurrentUser(), specifier.Environ(os.Environ()), o.Version)
	}
	o.Facts.Host = specifier.ReadHost(at)
	_, err := os.Stat("/sys/fs/cgroup/cgroup.controllers")
	o.NoUnifiedCgroups = err != nil
	o.Container = inContainer()
	return load.New(o), nil
}

// inContainer reports whether systemd would find itself in a container here.
func inContainer() bool {
	for _, p := range []string{"/run/systemd/container", "/.dockerenv", "/run/.containerenv"} {
		if _, err := os.Stat(p); err == nil {
			return true
		}
	}
	return os.Getenv("container") != ""
}

var sharedLibrary = regexp.MustCompile(`^libsystemd-shared-(\d+)`)

// installedSystemd gives the version of the systemd below a root, else of the
// machine's, else 0 for the newest known.
func installedSystemd(root string) int {
	for _, r := range []string{root, "/"} {
		for _, glob := range []string{"usr/lib/systemd", "usr/lib/*/systemd", "usr/lib64/systemd", "lib/systemd"} {
			list, _ := filepath.Glob(filepath.Join(r, glob, "libsystemd-shared-*.so"))
			for _, p := range list {
				if m := sharedLibrary.FindStringSubmatch(filepath.Base(p)); m != nil {
					v, _ := strconv.Atoi(m[1])
					return v
				}
			}
		}
	}
	return 0
}

func dumpUnits(a *app, l *load.Loader, args []string) error {
	names := make([]string, 0, len(args))
	for _, n := range args {
		m, _, err := unitname.Mangle(n, "service")
		if err != nil {
			return &exitError{exitWrong, fmt.Errorf("%q cannot be a unit name: %w", n, err)}
		}
		names = append(names, m)
	}
	if len(args) == 0 {
		for _, n := range l.Names() {
			if !unitname.IsTemplate(n) {
				names = append(names, n)
			}
		}
	}
	l.Closure(names...)
	out := map[string]dumpedUnit{}
	for _, n := range names {
		u := l.Load(n)
		key := u.Name
		if len(args) > 0 {
			key = n // asked for by an alias, answered under it
		}
		out[key] = dumpUnit(u)
	}
	enc := json.NewEncoder(a.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		return &exitError{exitWrong, err}
	}
	return nil
}

func dumpUnit(u *load.Unit) dumpedUnit {
	d := dumpedUnit{
		LoadState: string(u.State), Fragment: u.Fragment, DropIns: append([]string{}, u.DropIns...),
		Settings: map[string]map[string][]string{}, Dependencies: []dumpedDep{}, Commands: map[string][][]string{},
	}
	for s, keys := range u.Sections() {
		if strings.HasPrefix(s, "X-") || s == "Install" && len(keys) == 0 {
			continue
		}
		m := map[string][]string{}
		for k, v := range keys {
			if !strings.HasPrefix(k, "X-") {
				m[k] = v
			}
		}
		d.Settings[s] = m
	}
	for _, dep := range u.Deps {
		d.Dependencies = append(d.Dependencies, dumpedDep{dep.Type, dep.Unit, dep.Origins})
	}
	for k, list := range u.Commands {
		for _, c := range list {
			d.Commands[k] = append(d.Commands[k], c.Argv)
		}
	}
	return d
}

func newAnalyzeUnitPaths(a *app) *cobra.Command {
	var root string
	var user, global bool
	c := &cobra.Command{
		Use:     "unit-paths",
		Short:   "List the directories that unit files are loaded from, strongest first",
		Example: "  unitgen analyze unit-paths --user",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			list := load.SearchPath(tree.System, os.Getenv)
			if user {
				list = load.SearchPath(tree.User, os.Getenv)
			}
			if global {
				list = load.SearchPath(tree.User, func(k string) string {
					if k == "SYSTEMD_UNIT_PATH" {
						return os.Getenv(k)
					}
					return ""
				})
			}
			root = strings.TrimRight(root, "/")
			for i := range list {
				list[i] = root + list[i]
			}
			if asJSON, _ := c.Flags().GetBool("json"); asJSON {
				return json.NewEncoder(a.out).Encode(list)
			}
			for _, p := range list {
				fmt.Fprintln(a.out, p)
			}
			return nil
		},
	}
	c.Flags().StringVar(&root, "root", "", "directory that stands for the root of the machine")
	c.Flags().BoolVar(&user, "user", false, "of the user manager")
	c.Flags().BoolVar(&global, "global", false, "of all user managers together")
	c.Flags().Bool("system", true, "of the system manager")
	c.Flags().Bool("json", false, "a JSON array")
	return c
}
