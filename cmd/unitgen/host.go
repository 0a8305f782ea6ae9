package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/unitgen/unitgen/compile"
	"github.com/unitgen/unitgen/emit"
	"github.com/unitgen/unitgen/schema/diag"
)

// hostFlags choose what is compiled.
type hostFlags struct {
	host, variant, sysroot string
	json                   bool // diagnostics go to stdout as JSON
}

func (f *hostFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.host, "host", "", "the host to build, where the directory holds several")
	cmd.Flags().StringVar(&f.variant, "variant", "", "the variant to build")
	cmd.Flags().StringVar(&f.sysroot, "sysroot", "", "where the distribution's units, programs and users are looked for")
}

// dirArg gives the DIR argument, the current directory by default.
func dirArg(args []string) string {
	if len(args) == 0 {
		return "."
	}
	return args[0]
}

// cacheDir gives the directory of unitgen's caches, "" where there is none.
func cacheDir() string {
	d, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(d, "unitgen")
}

// isTerminal reports whether a stream is one.
func isTerminal(w io.Writer) bool {
	f, ok := fileOf(w)
	return ok && term.IsTerminal(int(f.Fd()))
}

// useColor reports whether a stream is a terminal that shows colours, and whose
// user wants them.
func useColor(w io.Writer) bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(w)
}

// compileHost compiles a directory and reports what it finds. With errors the
// command ends with exitWrong.
func (a *app) compileHost(ctx context.Context, dir string, f hostFlags) (*compile.Result, error) {
	defer tuneMemory()()
	res, diags := compile.Compile(ctx, compile.Options{
		Dir: dir, Host: f.host, Variant: f.variant, Sysroot: f.sysroot, Cache: cacheDir(),
	})
	if err := a.showDiags(diags, res.SourceBytes, f.json && diags.HasErrors()); err != nil {
		return nil, err
	}
	if diags.HasErrors() {
		return nil, &exitError{code: exitWrong}
	}
	return res, nil
}

// notThere reports a file or directory of the command line that cannot be read,
// as the compiler reports a host's.
func (a *app) notThere(err error, asJSON bool) error {
	var pe *os.PathError
	if !errors.As(err, &pe) {
		return &exitError{exitWrong, err}
	}
	why := pe.Err.Error()
	if errors.Is(err, os.ErrNotExist) {
		why = "there is no such file or directory"
	}
	d := diag.Errorf("E0106", "Directory cannot be read", diag.Range{File: filepath.ToSlash(pe.Path)}, "%s. Name a directory or file that is there.", why)
	if err := a.showDiags(diag.List{d}, nil, asJSON); err != nil {
		return err
	}
	return &exitError{code: exitWrong}
}

// showDiags reports diagnostics: on stderr for people, as JSON on stdout for
// programs.
func (a *app) showDiags(diags diag.List, source func(string) []byte, asJSON bool) error {
	if asJSON {
		return diag.WriteJSON(a.out, diags)
	}
	if len(diags) == 0 {
		return nil
	}
	return diag.Render(a.err, diags, diag.RenderOptions{Source: source, Color: useColor(a.err)})
}

// render compiles a directory and renders its tree.
func (a *app) render(ctx context.Context, dir string, f hostFlags) (*emit.Image, error) {
	res, err := a.compileHost(ctx, dir, f)
	if err != nil {
		return nil, err
	}
	img, diags := emit.Render(res.Tree, emit.Options{})
	if err := a.showDiags(diags, res.SourceBytes, f.json && diags.HasErrors()); err != nil {
		return nil, err
	}
	if diags.HasErrors() {
		return nil, &exitError{code: exitWrong}
	}
	return img, nil
}
