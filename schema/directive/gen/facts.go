package main

import (
	"bufio"
	"embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/unitgen/unitgen/schema/directive"
)

//go:embed facts/*.txt
var factFiles embed.FS

// sectionOrder is the order of the table.
var sectionOrder = []string{"Unit", "Service", "Socket", "Mount", "Automount", "Swap", "Timer", "Path", "Slice", "Scope", "Install"}

// lines gives the lines of a facts file that say something, with their numbers.
func lines(name string, each func(n int, line string) error) error {
	f, err := factFiles.Open("facts/" + name)
	if err != nil {
		return err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for n := 1; s.Scan(); n++ {
		l := strings.TrimSpace(s.Text())
		if l == "" || l[0] == '#' {
			continue
		}
		if err := each(n, l); err != nil {
			return fmt.Errorf("facts/%s:%d: %w", name, n, err)
		}
	}
	return s.Err()
}

// readFacts joins the facts files into rows, in table order.
func readFacts() ([]directive.Directive, error) {
	type key struct{ section, name string }
	rows := map[string][]*directive.Directive{}
	byKey := map[key]*directive.Directive{}
	byName := map[string][]*directive.Directive{}
	byGroup := map[string][]*directive.Directive{}

	var group string
	var sections []string
	err := lines("directives.txt", func(_ int, l string) error {
		if l[0] == '[' {
			f := strings.Fields(strings.Trim(l, "[]"))
			if len(f) < 2 {
				return fmt.Errorf("a group needs a name and its sections")
			}
			group, sections = f[0], f[1:]
			return nil
		}
		f := strings.Fields(l)
		if len(f) < 2 || group == "" {
			return fmt.Errorf("want a name and a kind inside a group, got %q", l)
		}
		for _, sec := range sections {
			d := &directive.Directive{Section: sec, Name: f[0], Kind: directive.Kind(f[1]), Group: group}
			if err := flags(d, f[2:]); err != nil {
				return err
			}
			if byKey[key{sec, f[0]}] != nil {
				return fmt.Errorf("%s= stands twice in [%s]", f[0], sec)
			}
			byKey[key{sec, f[0]}] = d
			byName[f[0]] = append(byName[f[0]], d)
			byGroup[group] = append(byGroup[group], d)
			rows[sec] = append(rows[sec], d)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}

	// about finds the rows that "Name" or "Section.Name" speaks of.
	about := func(what string) ([]*directive.Directive, error) {
		if sec, name, ok := strings.Cut(what, "."); ok {
			if d := byKey[key{sec, name}]; d != nil {
				return []*directive.Directive{d}, nil
			}
		} else if ds := byName[what]; ds != nil {
			return ds, nil
		}
		return nil, fmt.Errorf("%s is not in directives.txt", what)
	}

	err = lines("pages.txt", func(_ int, l string) error {
		what, page, _ := strings.Cut(l, " ")
		ds := byGroup[what]
		if ds == nil {
			var err error
			if ds, err = about(what); err != nil {
				return err
			}
		}
		for _, d := range ds {
			if d.Man = page; page == "-" {
				d.Man = ""
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = lines("versions.txt", func(_ int, l string) error {
		f := strings.Fields(l)
		ds, err := about(f[0])
		if err != nil {
			return err
		}
		for _, d := range ds {
			if err := versions(d, f[1:]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, file := range []string{"defaults.txt", "docs.txt"} {
		err = lines(file, func(_ int, l string) error {
			what, text, _ := strings.Cut(l, " ")
			ds, err := about(what)
			if err != nil {
				return err
			}
			for _, d := range ds {
				if file == "docs.txt" {
					d.Doc = text
				} else {
					d.Default = text
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}

	var out []directive.Directive
	for _, sec := range sectionOrder {
		for _, d := range rows[sec] {
			out = append(out, *d)
		}
	}
	return out, nil
}

func flags(d *directive.Directive, words []string) error {
	for _, w := range words {
		switch w {
		case "%u":
			d.Specifiers = directive.SpecifiersUnit
			continue
		case "%n":
			d.Specifiers = directive.SpecifiersName
			continue
		case "%i":
			d.Specifiers = directive.SpecifiersInstall
			continue
		}
		for _, c := range w {
			switch c {
			case 'L':
				d.List = true
			case 'W':
				d.Words = true
			case 'n':
				d.Reset = directive.ResetNothing
			case 'r':
				d.Reset = directive.ResetRefused
			default:
				return fmt.Errorf("unknown flag %q", c)
			}
		}
	}
	return nil
}

func versions(d *directive.Directive, words []string) error {
	for _, w := range words {
		k, v, _ := strings.Cut(w, "=")
		if k == "use" {
			d.Replaced = v
			continue
		}
		n, err := strconv.Atoi(v)
		if err != nil {
			return err
		}
		switch k {
		case "since":
			d.Since = n
		case "until":
			d.Until = n
		case "deprecated":
			d.Deprecated = n
		default:
			return fmt.Errorf("unknown fact %q", w)
		}
	}
	return nil
}
