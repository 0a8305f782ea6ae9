package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/unitgen/unitgen/schema/install"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitname"
)

func (c *offline) presetAll() int {
	e, code := c.engine("preset")
	if e == nil {
		return code
	}
	return c.dump(e, "preset", e.PresetAll(c.presetMode))
}

// enabledStates are the answers of is-enabled that make it succeed.
var enabledStates = map[string]bool{"enabled": true, "enabled-runtime": true, "static": true, "alias": true, "indirect": true, "generated": true}

func (c *offline) isEnabled() int {
	names, ok := c.mangle("to check", ".service", true)
	if !ok {
		return exitWrong
	}
	e, err := install.New(install.Options{Root: c.root, Scope: c.scope})
	if err != nil && c.scope != install.User {
		c.refuse("is-enabled", err)
		return exitWrong
	}
	if err == nil && !c.lookUp(e, names) {
		return exitWrong
	}
	enabled := false
	for _, n := range names {
		e, err := install.New(install.Options{Root: c.root, Scope: c.scope})
		var state string
		if err == nil {
			state, err = e.State(n)
		}
		if err != nil {
			c.say("Failed to get unit file state for %s: %s", n, install.Words(err))
			return exitWrong
		}
		enabled = enabled || enabledStates[state]
		if c.quiet {
			continue
		}
		fmt.Fprintln(c.out, state)
		if c.full {
			c.showTargets(n)
		}
	}
	if enabled {
		return exitDone
	}
	return exitWrong
}

// showTargets lists the links of a unit for is-enabled --full. systemctl 252
// looks at the machine's own links here, whatever --root= says.
func (c *offline) showTargets(name string) {
	e, err := install.New(install.Options{Scope: c.scope, Runtime: c.runtime, DryRun: true})
	if err != nil {
		return
	}
	if err := e.Disable([]string{name}); err != nil {
		return
	}
	for _, ch := range e.Changes() {
		if ch.Kind == install.Removed {
			fmt.Fprintf(c.out, "  %s\n", ch.Path)
		}
	}
}

func (c *offline) listUnitFiles() int {
	e, err := install.New(install.Options{Root: c.root, Scope: c.scope})
	var list []install.Listed
	if err == nil {
		list, err = e.List(c.args, c.states)
	}
	if err != nil {
		c.say("Failed to get unit file list: %s", install.Words(err))
		return exitWrong
	}
	rows := [][]string{{"UNIT FILE", "STATE", "PRESET"}}
	for _, l := range list {
		if len(c.types) > 0 && !hasType(c.types, l.Name) {
			continue
		}
		preset := l.Preset
		if preset == "" {
			preset = "-"
		}
		rows = append(rows, []string{l.Name, l.State, preset})
	}
	n := len(rows) - 1
	if c.noLegend {
		rows = rows[1:]
	}
	c.table(rows)
	if !c.noLegend {
		fmt.Fprintf(c.out, "\n%d unit files listed.\n", n)
	}
	if n == 0 {
		return exitWrong
	}
	return exitDone
}

func hasType(types []string, name string) bool {
	for _, t := range types {
		if unitname.Type(name) == t {
			return true
		}
	}
	return false
}

// table prints rows in columns that are as wide as their widest cell.
func (c *offline) table(rows [][]string) {
	var width []int
	for _, r := range rows {
		for i, cell := range r {
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, r := range rows {
		for i, cell := range r {
			b.WriteString(cell)
			if i < len(r)-1 {
				b.WriteString(strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell)+1))
			}
		}
		b.WriteByte('\n')
	}
	fmt.Fprint(c.out, b.String())
}

func (c *offline) getDefault() int {
	e, err := install.New(install.Options{Root: c.root, Scope: c.scope})
	var name string
	if err == nil {
		name, err = e.Default()
	}
	if err != nil {
		c.say("Failed to get default target: %s", install.Words(err))
		return exitWrong
	}
	fmt.Fprintln(c.out, name)
	return exitDone
}

func (c *offline) setDefault() int {
	names, ok := c.mangle("set-default", ".target", false)
	if !ok {
		return exitWrong
	}
	e, code := c.engine("set default")
	if e == nil {
		return code
	}
	return c.dump(e, "set default", e.SetDefault(names[0]))
}

func (c *offline) addDependency() int {
	target, ok := c.mangleList(c.args[:1], "as target", ".target", false)
	if !ok {
		return exitWrong
	}
	units, ok := c.mangleList(c.args[1:], "as dependency", ".service", true)
	if !ok {
		return exitWrong
	}
	e, code := c.engine("add dependency on")
	if e == nil {
		return code
	}
	return c.dump(e, "add dependency on", e.AddDependency(units, target[0], c.verb == "add-requires"))
}

// cat prints unit files and their drop-ins as systemctl cat does.
func (c *offline) cat() int {
	names, ok := c.mangle("", ".service", false)
	if !ok {
		return exitWrong
	}
	scope := tree.System
	if c.scope != install.System {
		scope = tree.User
	}
	root, err := filepath.Abs(c.root)
	if err != nil {
		c.say("Failed to cat: %s", install.Words(err))
		return exitWrong
	}
	if root == "/" {
		root = ""
	}
	l := load.New(load.Options{Root: root, Scope: scope, UseEnvironment: c.scope == install.User})
	code := exitDone
	for i, n := range names {
		u := l.Load(n)
		files := append([]string{u.Fragment}, u.DropIns...)
		if u.Fragment == "" {
			files = files[1:]
		}
		if len(files) == 0 {
			c.say("No files found for %s.", n)
			code = exitWrong
			continue
		}
		if i > 0 {
			fmt.Fprintln(c.out)
		}
		for j, p := range files {
			if j > 0 {
				fmt.Fprintln(c.out)
			}
			shown := root + p
			data, err := l.ReadFile(p)
			if err != nil {
				c.say("Failed to cat %s: %s", shown, install.Words(err))
				return exitWrong
			}
			fmt.Fprintf(c.out, "# %s\n", shown)
			if _, err := c.out.Write(data); err != nil {
				return exitWrong
			}
			if len(data) > 0 && data[len(data)-1] != '\n' {
				fmt.Fprintln(c.out)
			}
		}
	}
	return code
}
