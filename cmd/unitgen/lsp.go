package main

import (
	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/cmd/unitgen/internal/lsp"
)

func newLSP(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "lsp",
		Short: "Language server for editors, on stdin and stdout",
		Long: `Speak the Language Server Protocol on stdin and stdout: the diagnostics of
unitgen check for unsaved text, what a directive means, completion of directives
and blocks, formatting. Editors start it; it ends when they say so.`,
		Example: `  unitgen lsp        # as the command of an editor's language client`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := lsp.Serve(cmd.Context(), a.in, a.out); err != nil {
				return &exitError{exitWrong, err}
			}
			return nil
		},
	}
}
