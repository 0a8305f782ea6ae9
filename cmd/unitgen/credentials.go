package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/runtime/credential"
	"github.com/unitgen/unitgen/schema/tree"
)

func newCredentials(a *app) *cobra.Command {
	var state, runtimeDir string
	var user bool
	cmd := &cobra.Command{
		Use:   "credentials",
		Short: "Decrypt the current generation's credentials for the running manager",
		Long: `Decrypt the age-encrypted credentials of the current generation into files below
the runtime directory that only their owner can read. A switch, a rollback and
run do this themselves; after a boot of a machine with systemd, the unit
unitgen-credentials.service of the tree does it with this command.

The machine's keys are STATE/age.key and the SSH host keys. With none of the
credentials' recipients among them, the exit code is 2.`,
		Example: `  unitgen credentials
  age -r "$(ssh-keyscan -t ed25519 web1 | cut -d' ' -f2-)" -o db.age db.txt`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			s, err := openState(state)
			if err != nil {
				return err
			}
			g, ok, err := s.Current()
			if err != nil {
				return refusedBy(err)
			}
			if !ok {
				return &exitError{exitRefused, fmt.Errorf("no generation is current")}
			}
			scope := tree.System
			if user {
				scope = tree.User
			}
			if runtimeDir == "" {
				if runtimeDir = "/run"; os.Geteuid() != 0 || user {
					runtimeDir = os.Getenv("XDG_RUNTIME_DIR")
				}
			}
			if runtimeDir == "" {
				return &exitError{exitWrong, fmt.Errorf("XDG_RUNTIME_DIR is not set; name the runtime directory with --runtime-dir")}
			}
			if err := layCredentials(g.Tree, scope, s.Dir(), runtimeDir); err != nil {
				return &exitError{exitRefused, err}
			}
			return nil
		},
	}
	stateFlag(cmd, &state)
	cmd.Flags().StringVar(&runtimeDir, "runtime-dir", "", "the manager's runtime `DIR`")
	cmd.Flags().BoolVar(&user, "user", false, "for the user scope")
	return cmd
}

// layCredentials decrypts the credentials of a tree into a runtime directory.
func layCredentials(treeDir string, scope tree.Scope, state, runtimeDir string) error {
	set, err := credential.Decrypt(treeDir, scope, credential.IdentityFiles(state))
	if err != nil {
		return err
	}
	return set.Install(runtimeDir)
}
