package value

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/unitgen/unitgen/internal/testenv"
)

// oracle asks systemd-analyze for many arguments in few calls. label is that of
// the line which repeats the argument. Some verbs stop at the first argument
// that they refuse; then the rest is asked anew. The result has one answer for
// each argument, "" where it was refused.
func oracle(t *testing.T, env []string, verb []string, label string, stops bool, args []string) []string {
	t.Helper()
	testenv.Need(t, "systemd-analyze")
	out := make([]string, len(args))
	const batch = 500
	for i := 0; i < len(args); {
		end := min(i+batch, len(args))
		c := exec.Command("systemd-analyze", append(append(append([]string{"-q"}, verb...), "--"), args[i:end]...)...)
		c.Env = append(append(os.Environ(), "LC_ALL=C.UTF-8"), env...)
		var stdout bytes.Buffer
		c.Stdout = &stdout
		err := c.Run()
		// An answer names its argument, unless that is in normalised form.
		at := i
		for _, a := range strings.Split(stdout.String(), "\n\n") {
			if a = strings.Trim(a, "\n"); a == "" {
				continue
			}
			of := field(a, label)
			if of == "" {
				of = field(a, "Normalized form")
			}
			for at < end && strings.TrimSpace(args[at]) != strings.TrimSpace(of) {
				at++ // blanks at the end are not shown
			}
			if at == end {
				t.Fatalf("systemd-analyze %v answers for %q out of order", verb, of)
			}
			out[at] = a
			at++
		}
		if stops && err != nil {
			i = at + 1
		} else {
			i = end
		}
	}
	return out
}

// field gives the text behind a label of an answer, or "".
func field(answer, label string) string {
	for _, l := range strings.Split(answer, "\n") {
		if k, v, ok := strings.Cut(l, ": "); ok && strings.TrimSpace(k) == label {
			return v
		}
	}
	return ""
}

// fields gives the texts behind every occurrence of a label.
func fields(answer, label string) []string {
	var out []string
	for _, l := range strings.Split(answer, "\n") {
		if k, v, ok := strings.Cut(l, ": "); ok && strings.TrimSpace(k) == label {
			out = append(out, v)
		}
	}
	return out
}
