package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/unitgen/unitgen/runtime/activation"
)

// hostPlace lays trees into the machine that unitgen runs on.
func hostPlace() *activation.Place {
	self, err := os.Executable()
	if err != nil {
		self = ""
	}
	return &activation.Place{Root: "/", Run: runProgram, Unitgen: self}
}

// userPlace lays the user units of a tree into the load path of the caller's
// own user manager.
func userPlace() *activation.Place {
	data := os.Getenv("XDG_DATA_HOME")
	if !filepath.IsAbs(data) {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil
		}
		data = filepath.Join(home, ".local", "share")
	}
	return &activation.Place{Root: "/", User: filepath.Join(data, "systemd", "user")}
}

// runProgram runs a program of the machine; one that is not installed has
// nothing to do.
func runProgram(argv ...string) error {
	p, err := exec.LookPath(argv[0])
	if err != nil {
		return nil
	}
	out, err := exec.Command(p, argv[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}
