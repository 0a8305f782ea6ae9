package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// named are the flags of unitgen's own that name a place or one of several
// things. Given empty, as by "$VARIABLE" that nobody set, they would silently
// mean the default.
var named = []string{
	"state", "runtime-dir", "out", "format", "host", "variant", "sysroot", "from", "to", "states",
	"units", "etc", "on-failure", "example", "html", "dir", "target", "run",
}

// refuseEmpty refuses a flag of named that was given an empty value.
func refuseEmpty(cmd *cobra.Command) error {
	var err error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if err == nil && f.Value.String() == "" && slices.Contains(named, f.Name) {
			err = &exitError{code: exitWrong, err: fmt.Errorf("--%s is empty: give it a value, or leave it out for the default", f.Name)}
		}
	})
	return err
}
