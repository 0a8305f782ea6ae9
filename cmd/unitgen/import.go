package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/unitimport"
)

func newImport(a *app) *cobra.Command {
	var out, host string
	cmd := &cobra.Command{
		Use:   "import PATH… [--out DIR]",
		Short: "Turn unit files, and directories of them, into HCL",
		Long: `Turn unit files, drop-ins, links and whole directories of them into HCL that
compiles back to the same meaning.

With --out DIR, DIR is new or empty and becomes a host that builds alone.
Without it the HCL goes to stdout. What is left out, kept as a comment or kept
verbatim is said on stderr.`,
		Example: `  unitgen import /etc/systemd/system --out myhost
  unitgen import /lib/systemd/system/nginx.service`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			o := unitimport.Options{Paths: args}
			if out != "" {
				o.Host = host
				if err := emptyOrNew(out); err != nil {
					return &exitError{exitWrong, err}
				}
			}
			res, ds := unitimport.Import(o)
			if len(ds) > 0 {
				if err := diag.Render(a.err, ds, diag.RenderOptions{}); err != nil {
					return err
				}
			}
			if ds.HasErrors() {
				return &exitError{code: exitWrong}
			}
			for _, n := range res.Notes {
				fmt.Fprintln(a.err, "note:", n)
			}
			sayNotEnabled(a.err, res.NotEnabled)
			if out == "" {
				for _, f := range res.Files {
					if filepath.Ext(f.Name) != ".hcl" {
						return &exitError{exitWrong, fmt.Errorf("%s can only be kept verbatim, which needs a directory: use --out DIR", filepath.Base(f.Name))}
					}
					if _, err := a.out.Write(f.Data); err != nil {
						return err
					}
				}
				return nil
			}
			if err := writeImport(out, res.Files); err != nil {
				return &exitError{exitRefused, err}
			}
			fmt.Fprintf(a.err, "note: the host says systemd = %d, the oldest that knows all of this; write there the oldest systemd that the tree shall load on\n", res.Systemd)
			linked := ""
			if res.Linked > 0 {
				linked = fmt.Sprintf(" and the links to %s elsewhere", count(res.Linked, "unit"))
			}
			fmt.Fprintf(a.out, "%s and drop-ins%s in %s below %s; build them with: unitgen build %s\n", count(res.Units, "unit"), linked, count(len(res.Files), "file"), out, out)
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "write a host into this directory, which is new or empty")
	cmd.Flags().StringVar(&host, "host", "imported", "name of the host block that --out writes")
	return cmd
}

// sayNotEnabled says which units will not start by themselves, for their links
// were not among what was imported.
func sayNotEnabled(w io.Writer, units []string) {
	if len(units) == 0 {
		return
	}
	names, more := units, ""
	if len(names) > 5 {
		names, more = names[:5], fmt.Sprintf(" and %d more", len(units)-5)
	}
	fmt.Fprintf(w, "note: not enabled, for no link to them is below the paths (install = false): %s%s; import /etc/systemd/system too, which holds the links, or remove the line from what shall start\n", strings.Join(names, ", "), more)
}

// emptyOrNew refuses a directory that holds something already.
func emptyOrNew(dir string) error {
	list, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(list) > 0:
		return fmt.Errorf("%s is not empty; name a new or empty directory", dir)
	}
	return nil
}

// writeImport writes the files of an import and takes them back when one
// cannot be written.
func writeImport(dir string, files []unitimport.File) (err error) {
	_, statErr := os.Stat(dir)
	var written []string
	defer func() {
		if err == nil {
			return
		}
		for _, w := range written {
			_ = os.Remove(w)
		}
		if statErr != nil {
			_ = os.RemoveAll(dir)
		}
	}()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		p := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			return err
		}
		written = append(written, p)
		if err := os.WriteFile(p, f.Data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
