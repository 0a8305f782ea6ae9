package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/emit"
	"github.com/unitgen/unitgen/runtime/generation"
)

// runFlags are the flags of run; they travel to the fresh process that becomes
// the manager.
type runFlags struct {
	State      string `json:"state"`
	RuntimeDir string `json:"runtime_dir"`
	User       bool   `json:"user"`
	Target     string `json:"target"`
	Etc        string `json:"etc"`
	NoCgroups  bool   `json:"no_cgroups"`
	Stop       bool   `json:"stop_on_failure"`
	Stage      int    `json:"stage"`
	KeeperFD   int    `json:"keeper_fd,omitempty"`
	OutsideFD  int    `json:"outside_fd,omitempty"`
	Booted     string `json:"booted,omitempty"` // what was booted, in words
}

func newRun(a *app) *cobra.Command {
	var h hostFlags
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run [DIR|TREE]",
		Short: "Boot a tree under the bundled manager",
		Long: `Compile the host in DIR (or take a tree that was built) and boot it under the
bundled manager: as PID 1 of a container or a small VM, as root, or as an
ordinary user, without systemd. A generation is made where the tree differs
from the newest one.

The manager serves org.freedesktop.systemd1 on <runtime dir>/systemd/private,
so that the stock systemctl reaches it; "unitgen ctl", "unitgen logs", "plan",
"switch" and "rollback" find it by its state directory.

SIGTERM and Ctrl-C stop all units in reverse order; a second one kills what is
left. SIGHUP reads the units again. Services that a killed manager left are
taken over, or ended, by the next one.

Exit codes: 0 everything was stopped; 1 the configuration is wrong, or nothing
could be booted, or with --stop-on-failure a unit failed for good; 2 refused:
another manager runs there, or the state directory cannot be used. A unit's
SuccessAction=exit and "unitgen ctl exit N" choose their own.`,
		Example: `  unitgen run ./examples/hello
  unitgen run ./web1 --state ./state --runtime-dir /run/web1
  XDG_RUNTIME_DIR=/run/web1 systemctl --user list-units`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch f.Etc {
			case "auto", "private", "links", "none":
			default:
				return &exitError{exitWrong, fmt.Errorf("--etc %q is none of auto, private, links, none", f.Etc)}
			}
			return a.run(cmd, dirArg(args), h, f)
		},
	}
	h.add(cmd)
	stateFlag(cmd, &f.State)
	cmd.Flags().StringVar(&f.RuntimeDir, "runtime-dir", "", "runtime directory: %t, and systemd/private below it (default /run or /run/unitgen for root, $XDG_RUNTIME_DIR/unitgen or /tmp/unitgen-UID otherwise)")
	cmd.Flags().BoolVar(&f.User, "user", false, "boot the user scope of the tree, as its user's manager")
	cmd.Flags().StringVar(&f.Target, "target", "", "the unit to start (default: the tree's default.target, else multi-user.target)")
	cmd.Flags().StringVar(&f.Etc, "etc", "auto", "where managed /etc files show: private (in a mount namespace of the manager), links (in /etc itself), none (only below %E); auto is links for PID 1 and private otherwise")
	cmd.Flags().BoolVar(&f.NoCgroups, "no-cgroups", false, "leave control groups alone and track processes as descendants")
	cmd.Flags().BoolVar(&f.Stop, "stop-on-failure", false, "stop everything and exit with 1 when a unit fails for good")
	return cmd
}

// bootable makes the tree of DIR or TREE the current generation. The state's
// lock is held for so long.
func (a *app) bootable(cmd *cobra.Command, dir string, h hostFlags, s *generation.State) (generation.Generation, error) {
	none := generation.Generation{}
	var img *emit.Image
	isTree := treeAt(dir)
	if !isTree {
		var err error
		if img, err = a.render(cmd.Context(), dir, h); err != nil {
			return none, err
		}
	}
	lock, err := lockState(s, "run")
	if err != nil {
		return none, err
	}
	defer lock.Release()
	if err := a.recoverFirst(cmd.Context(), s, nil, nil); err != nil {
		return none, err
	}
	var path string
	if isTree {
		if path, err = filepath.EvalSymlinks(dir); err == nil {
			path, err = filepath.Abs(path)
		}
		if err != nil {
			return none, &exitError{exitWrong, err}
		}
	} else {
		stored, err := putTree(s, img)
		if err != nil {
			return none, err
		}
		path = stored.Path
	}
	g, created, err := generationOf(s, path)
	if err != nil {
		return none, refusedBy(err)
	}
	if err := s.SetCurrent(g.Number); err != nil {
		if created {
			err = errors.Join(err, s.Discard(g.Number))
		}
		return none, refusedBy(err)
	}
	if err := s.SetBoot(g.Number); err != nil {
		return none, refusedBy(err)
	}
	return g, nil
}

// treeAt reports whether a directory is a built tree.
func treeAt(dir string) bool {
	for _, p := range []string{"manifest.json", "etc/systemd/system", "etc/systemd/user"} {
		if _, err := os.Stat(filepath.Join(dir, p)); err == nil {
			return true
		}
	}
	return false
}
