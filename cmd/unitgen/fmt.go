package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/compile"
	"github.com/unitgen/unitgen/internal/plainfile"
	"github.com/unitgen/unitgen/schema/diag"
)

func newFmt(a *app) *cobra.Command {
	var check, showDiff, list bool
	cmd := &cobra.Command{
		Use:   "fmt [PATH…]",
		Short: "Bring source files into the canonical layout",
		Long: `Rewrite *.ug.hcl and *.ugtest.hcl files in the canonical layout: indentation,
alignment of equals signs, spaces. PATH is a file, a directory, which is gone
through with all below it, or - for stdin to stdout. The names of the files
that changed are printed. Files with syntax errors are left alone and reported.`,
		Example: `  unitgen fmt
  unitgen fmt --check --diff .
  unitgen fmt - < host.ug.hcl`,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"."}
			}
			if len(args) == 1 && args[0] == "-" {
				return a.fmtStream(check)
			}
			files, err := fmtFiles(args)
			if err != nil {
				return a.notThere(err, false)
			}
			return a.fmtAll(files, check, showDiff, list)
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "write nothing; exit code 1 when a file would change")
	cmd.Flags().BoolVar(&showDiff, "diff", false, "print what changes")
	cmd.Flags().BoolVar(&list, "list", true, "print the names of the files that change")
	return cmd
}

func (a *app) fmtStream(check bool) error {
	src, err := io.ReadAll(io.LimitReader(a.in, maxSource+1))
	if err != nil {
		return &exitError{exitWrong, err}
	}
	out, diags := compile.Format("stdin", src)
	if diags.HasErrors() {
		if err := a.showDiags(diags, func(string) []byte { return src }, false); err != nil {
			return err
		}
		return &exitError{code: exitWrong}
	}
	if check {
		if !bytes.Equal(src, out) {
			return &exitError{code: exitWrong}
		}
		return nil
	}
	_, err = a.out.Write(out)
	return err
}

// maxSource bounds a source file, in bytes.
const maxSource = 64 << 20

// fmtFiles lists the source files of the arguments, each once. Version
// control's directories and other hidden ones are passed over, symbolic links
// to directories are not followed.
func fmtFiles(args []string) ([]string, error) {
	seen := map[string]bool{}
	for _, arg := range args {
		st, err := os.Stat(arg)
		if err != nil {
			return nil, err
		}
		if !st.IsDir() {
			seen[arg] = true
			continue
		}
		err = filepath.WalkDir(arg, func(p string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() {
				if p != arg && strings.HasPrefix(d.Name(), ".") {
					return filepath.SkipDir
				}
				return nil
			}
			if d.Type().IsRegular() && (strings.HasSuffix(p, ".ug.hcl") || strings.HasSuffix(p, ".ugtest.hcl")) {
				seen[p] = true
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	out := make([]string, 0, len(seen))
	for p := range seen {
		out = append(out, p)
	}
	sort.Strings(out)
	return out, nil
}

func (a *app) fmtAll(files []string, check, showDiff, list bool) error {
	var all diag.List
	sources := map[string][]byte{}
	changed := 0
	for _, p := range files {
		st, err := os.Stat(p)
		if err != nil {
			return &exitError{exitWrong, err}
		}
		if !st.Mode().IsRegular() {
			return &exitError{exitWrong, fmt.Errorf("%s is no regular file", p)}
		}
		src, err := plainfile.Read(p, maxSource)
		if err != nil {
			return &exitError{exitWrong, fmt.Errorf("%s cannot be read: %w", p, err)}
		}
		sources[p] = src
		out, diags := compile.Format(p, src)
		all = append(all, diags...)
		if diags.HasErrors() || bytes.Equal(src, out) {
			continue
		}
		changed++
		if list && !showDiff {
			fmt.Fprintln(a.out, p)
		}
		if showDiff {
			io.WriteString(a.out, lineDiff(p, string(src), string(out)))
		}
		if !check {
			if err := replaceFile(p, out, st.Mode().Perm()); err != nil {
				return &exitError{exitRefused, err}
			}
		}
	}
	if err := a.showDiags(all, func(n string) []byte { return sources[n] }, false); err != nil {
		return err
	}
	if all.HasErrors() || check && changed > 0 {
		return &exitError{code: exitWrong}
	}
	return nil
}

// replaceFile writes a file anew by one rename, so that a cut leaves the old
// or the new text.
func replaceFile(p string, b []byte, mode fs.FileMode) error {
	real, err := filepath.EvalSymlinks(p)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(real), ".unitgen-fmt-*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(b)
	err = errors.Join(err, tmp.Chmod(mode), tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), real)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
	}
	return err
}
