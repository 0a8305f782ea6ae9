package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/emit"
	"github.com/unitgen/unitgen/examples"
	"github.com/unitgen/unitgen/schema/unitname"
)

// skeleton is the host that `unitgen new` writes; NAME in it is the host's.
//
//go:embed skeleton
var skeleton embed.FS

func newNew(a *app) *cobra.Command {
	var example string
	cmd := &cobra.Command{
		Use:   "new DIR",
		Short: "Write a small working host to start from",
		Long: `Write a small host to DIR, which is new or empty: a module with options, a
service, a timer and a file. It builds, checks and runs as it is. With
--example, write one of the complete hosts that come with unitgen instead: ` + strings.Join(exampleNames(), ", ") + `.`,
		Example: `  unitgen new ./web1
  unitgen new --example hello ./hello
  unitgen run ./hello`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir := args[0]
			if err := emit.EmptyOrNew(dir); err != nil {
				return &exitError{exitWrong, err}
			}
			name, err := hostName(dir)
			if err != nil {
				return &exitError{exitWrong, err}
			}
			if example == "" {
				err = writeHost(skeleton, "skeleton", dir, strings.NewReplacer("NAME", name))
			} else if names := exampleNames(); slices.Contains(names, example) {
				err = writeHost(examples.FS, example, dir, strings.NewReplacer())
			} else {
				return &exitError{exitWrong, fmt.Errorf("there is no example %q; there are %s", example, strings.Join(names, ", "))}
			}
			if err != nil {
				return &exitError{exitRefused, err}
			}
			_, err = fmt.Fprintf(a.out, `%s is ready. Next:
  unitgen check %[1]s     say what is wrong with it
  unitgen run %[1]s       run it here, without systemd
  unitgen switch %[1]s    make it this machine's configuration
`, dir)
			return err
		},
	}
	cmd.Flags().StringVar(&example, "example", "", "the example to write")
	return cmd
}

// exampleNames are the hosts that are embedded.
func exampleNames() []string {
	entries, _ := fs.ReadDir(examples.FS, ".")
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// hostName makes a host name of a directory's name.
func hostName(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, filepath.Base(abs))
	name = strings.Trim(name, "-")
	if len(name) > 63 {
		name = strings.Trim(name[:63], "-")
	}
	if name == "" || !unitname.Valid(name+".service") {
		return "", errors.New("no host name can be made of the directory's name; use letters and digits")
	}
	return name, nil
}

// writeHost writes an embedded directory.
func writeHost(from fs.FS, root, dir string, words *strings.Replacer) error {
	return fs.WalkDir(from, root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.FromSlash(p))
		if err != nil {
			return err
		}
		to := filepath.Join(dir, rel)
		if d.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		b, err := fs.ReadFile(from, p)
		if err != nil {
			return err
		}
		return os.WriteFile(to, []byte(words.Replace(string(b))), 0o644)
	})
}
