//go:build !linux

package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func (a *app) run(*cobra.Command, string, hostFlags, runFlags) error {
	return &exitError{exitWrong, errors.New("the bundled manager runs on Linux only; build here and run the tree there")}
}
