package main

import (
	"os"

	"github.com/unitgen/unitgen/runtime/manager/stage"
)

// A service that asks for more than the kernel's spawn call can express starts
// as this program once more, which takes on what the unit asks for and then
// becomes the service. It must not do anything else first.
func init() {
	if stage.Is() {
		os.Exit(stage.Main())
	}
	if raw := os.Getenv(bootVar); raw != "" && len(os.Args) > 1 && os.Args[1] == bootArg {
		os.Unsetenv(bootVar)
		os.Exit(bootManager(raw))
	}
}
