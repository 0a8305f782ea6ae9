package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/spf13/cobra"
)

// resultStream is the standard output of a command. It remembers whether anything
// was written and the first error, so that no command has to look after each
// line: a result that nobody could read is no success.
type resultStream struct {
	w     io.Writer
	wrote bool
	err   error
}

func (o *resultStream) Write(p []byte) (int, error) {
	if len(p) > 0 {
		o.wrote = true
	}
	n, err := o.w.Write(p)
	if err != nil && o.err == nil {
		o.err = err
	}
	return n, err
}

// fileOf gives the open file behind a stream.
func fileOf(w io.Writer) (*os.File, bool) {
	if o, ok := w.(*resultStream); ok {
		w = o.w
	}
	f, ok := w.(*os.File)
	return f, ok
}

// outlasts are the commands that do their work whether or not somebody is
// there to read of it.
var outlasts = map[string]bool{"unitgen switch": true, "unitgen rollback": true, "unitgen recover": true, "unitgen run": true}

// unread ends a command that went well but could not say its result.
func (o *resultStream) unread(cmd *cobra.Command, errw io.Writer) int {
	if o.err == nil || errors.Is(o.err, syscall.EPIPE) {
		return exitDone
	}
	fmt.Fprintf(errw, "unitgen: the output cannot be written: %v\n", o.err)
	if cmd != nil && outlasts[cmd.CommandPath()] {
		return exitDone
	}
	return exitWrong
}
