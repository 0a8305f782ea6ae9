package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/compile"
	"github.com/unitgen/unitgen/internal/plainfile"
)

func newOptions(a *app) *cobra.Command {
	var asJSON, markdown, internal bool
	var htmlDir, dir, host string
	cmd := &cobra.Command{
		Use:   "options [NAMESPACE[.OPTION]]",
		Short: "Show what modules can be told",
		Long: `Show the options of the modules: their types, defaults, examples and what they
are for. Without an argument, every module of the host in --dir and every
bundled module is listed with its options' names; with a namespace, its options
in full; with namespace and option, that option.`,
		Example: `  unitgen options
  unitgen options nginx
  unitgen options nginx.sites
  unitgen options --html ./reference`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			mods, diags := compile.Reference(cmd.Context(), compile.Options{Dir: dir, Host: host, Cache: cacheDir()}, compile.BundledModules())
			if diags.HasErrors() && len(args) == 1 {
				// Bundled modules need no host; of other names the host's
				// mistakes are told, unless a bundled one was meant.
				ns, _, _ := strings.Cut(strings.TrimPrefix(args[0], "config."), ".")
				switch bundled := compile.BundledModules(); {
				case slices.Contains(bundled, ns):
					mods, diags = compile.BundledReference(cmd.Context(), ns)
				case compile.Suggest(ns, bundled) != "":
					return &exitError{exitWrong, fmt.Errorf("there is no bundled module %q%s", ns, near(ns, bundled))}
				}
			}
			if diags.HasErrors() {
				if err := a.showDiags(diags, fileSource(dir), asJSON); err != nil {
					return err
				}
				return &exitError{code: exitWrong}
			}
			if !internal {
				dropInternal(mods)
			}
			full := len(args) == 1
			if full {
				var err error
				if mods, err = chooseOptions(mods, strings.TrimPrefix(args[0], "config.")); err != nil {
					return &exitError{exitWrong, err}
				}
			}
			switch {
			case asJSON:
				return writeJSON(a.out, map[string]any{"modules": mods})
			case htmlDir != "":
				if err := optionsHTML(htmlDir, mods); err != nil {
					return &exitError{exitRefused, err}
				}
				_, err := fmt.Fprintln(a.out, htmlDir)
				return err
			case markdown:
				return optionsMarkdown(a.out, mods)
			default:
				return optionsText(a.out, mods, full)
			}
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&markdown, "markdown", false, "print Markdown")
	cmd.Flags().StringVar(&htmlDir, "html", "", "write HTML pages into `DIR`")
	cmd.Flags().StringVar(&dir, "dir", ".", "the host's directory")
	cmd.Flags().StringVar(&host, "host", "", "the host, where the directory holds several")
	cmd.Flags().BoolVar(&internal, "internal", false, "show internal options too")
	return cmd
}

// fileSource reads the files that diagnostics name, for snippets.
func fileSource(dir string) func(string) []byte {
	return func(name string) []byte {
		if filepath.IsAbs(name) || strings.Contains(name, "://") {
			return nil
		}
		b, err := plainfile.Read(filepath.Join(dir, filepath.FromSlash(name)), maxSource)
		if err != nil {
			return nil
		}
		return b
	}
}

func dropInternal(mods []compile.ModuleReference) {
	for i := range mods {
		mods[i].Options = slices.DeleteFunc(mods[i].Options, func(o compile.OptionReference) bool { return o.Internal })
	}
}

// chooseOptions narrows the modules to a namespace, or to one of its options.
func chooseOptions(mods []compile.ModuleReference, path string) ([]compile.ModuleReference, error) {
	ns, name, one := strings.Cut(path, ".")
	for _, m := range mods {
		if m.Name != ns {
			continue
		}
		if !one {
			return []compile.ModuleReference{m}, nil
		}
		var names []string
		for _, o := range m.Options {
			if o.Name == name {
				m.Options = []compile.OptionReference{o}
				return []compile.ModuleReference{m}, nil
			}
			names = append(names, o.Name)
		}
		return nil, fmt.Errorf("the module %s has no option %q%s", ns, name, near(name, names))
	}
	var names []string
	for _, m := range mods {
		names = append(names, m.Name)
	}
	return nil, fmt.Errorf("there is no module %q%s", ns, near(ns, names))
}

// near words a suggestion, or lists the choices where none is near.
func near(word string, names []string) string {
	if s := compile.Suggest(word, names); s != "" {
		return fmt.Sprintf("; did you mean %q?", s)
	}
	sort.Strings(names)
	names = slices.DeleteFunc(names, func(s string) bool { return s == "" })
	if len(names) == 0 {
		return ""
	}
	return "; there are " + strings.Join(names, ", ")
}

func optionsText(w io.Writer, mods []compile.ModuleReference, full bool) error {
	var b strings.Builder
	for i, m := range mods {
		if !full && m.Name == "" && len(m.Options) == 0 {
			continue
		}
		if i > 0 && b.Len() > 0 && full {
			b.WriteByte('\n')
		}
		title := m.Name
		if title == "" {
			title = "(the host's own options)"
		}
		b.WriteString(title)
		if m.Description != "" {
			b.WriteString(": " + m.Description)
		}
		b.WriteByte('\n')
		if !full {
			var names []string
			for _, o := range m.Options {
				names = append(names, o.Name)
			}
			b.WriteString(wrapText(strings.Join(names, " "), "    ", 78))
			continue
		}
		for _, o := range m.Options {
			b.WriteByte('\n')
			optionText(&b, o)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func optionText(b *strings.Builder, o compile.OptionReference) {
	b.WriteString(o.Path + "\n")
	line := func(key, text string) {
		if text == "" {
			return
		}
		lines := strings.Split(text, "\n")
		fmt.Fprintf(b, "    %-9s %s\n", key, lines[0])
		for _, l := range lines[1:] {
			fmt.Fprintf(b, "    %-9s %s\n", "", l)
		}
	}
	for _, f := range optionFacts(o) {
		line(f[0], f[1])
	}
	if o.Description != "" {
		b.WriteString(wrapText(o.Description, "    ", 78))
	}
}

// optionFacts gives what is to be said of an option besides its description,
// as pairs of a word and a text.
func optionFacts(o compile.OptionReference) [][2]string {
	def := o.Default
	if def == "" {
		def = "none"
		if o.Required {
			def = "none; it must be set"
		}
	}
	facts := [][2]string{{"type", o.Type}, {"default", def}, {"example", o.Example}, {"check", o.Check}, {"merge", o.Merge}, {"declared", o.Where}}
	if o.Deprecated != "" {
		facts = append(facts, [2]string{"deprecated", o.Deprecated})
	}
	if o.RenamedTo != "" {
		facts = append(facts, [2]string{"renamed", "to " + o.RenamedTo})
	}
	if o.Removed != "" {
		facts = append(facts, [2]string{"removed", o.Removed})
	}
	if o.ReadOnly {
		facts = append(facts, [2]string{"read only", "the module sets it; others may read it"})
	}
	return slices.DeleteFunc(facts, func(f [2]string) bool { return f[1] == "" })
}

// wrapText breaks a text into lines of at most width characters.
func wrapText(s, indent string, width int) string {
	var b strings.Builder
	col := 0
	for _, word := range strings.Fields(s) {
		n := len([]rune(word))
		switch {
		case col == 0:
			b.WriteString(indent + word)
			col = len(indent) + n
		case col+1+n > width:
			b.WriteString("\n" + indent + word)
			col = len(indent) + n
		default:
			b.WriteString(" " + word)
			col += 1 + n
		}
	}
	if col > 0 {
		b.WriteByte('\n')
	}
	return b.String()
}
