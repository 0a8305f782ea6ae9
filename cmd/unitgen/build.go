package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/emit"
)

func newBuild(a *app) *cobra.Command {
	var f hostFlags
	var state, out, format string
	cmd := &cobra.Command{
		Use:   "build [DIR]",
		Short: "Compile a host into the store and print the tree's path",
		Long: `Compile the host in DIR into the store of the state directory and print the path
of the tree. A tree that is there already is not written again. No generation
is made and nothing that runs is touched.

With --out PATH a copy goes to PATH instead, which is new or an empty
directory, and PATH is printed. Formats: dir (plain files and links), tar,
erofs, oci (an OCI image layout), confext (a systemd-confext image directory).`,
		Example: `  unitgen build
  unitgen build ./web1 --out ./rootfs
  unitgen build ./web1 --format oci --out web1.oci`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" && format != "dir" {
				return &exitError{exitWrong, fmt.Errorf("--format %s needs --out PATH", format)}
			}
			write, ok := emit.Formats[format]
			if !ok {
				return &exitError{exitWrong, fmt.Errorf("--format %q is none of dir, tar, erofs, oci, confext", format)}
			}
			if out != "" {
				if err := emit.EmptyOrNew(out); err != nil {
					return &exitError{exitWrong, err}
				}
				if st, err := os.Stat(out); err == nil && st.IsDir() && (format == "tar" || format == "erofs") {
					return &exitError{exitWrong, fmt.Errorf("%s is a directory, and --format %s makes a file; name a new path", out, format)}
				}
			}
			img, err := a.render(cmd.Context(), dirArg(args), f)
			if err != nil {
				return err
			}
			if out != "" {
				if err := write(img, out); err != nil {
					return &exitError{exitRefused, fmt.Errorf("%s cannot be written: %w", out, err)}
				}
				_, err := fmt.Fprintln(a.out, out)
				return err
			}
			s, err := openState(state)
			if err != nil {
				return err
			}
			stored, err := putTree(s, img)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.out, stored.Path)
			return err
		},
	}
	f.add(cmd)
	stateFlag(cmd, &state)
	cmd.Flags().StringVar(&out, "out", "", "write a copy to `PATH` instead of into the store")
	cmd.Flags().StringVar(&format, "format", "dir", "format of the copy: dir, tar, erofs, oci or confext")
	cmd.Flags().BoolVar(&f.json, "json", false, "give the diagnostics of a refusal as JSON on stdout")
	return cmd
}
