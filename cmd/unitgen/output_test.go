package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/unitgen/unitgen/internal/testenv"
)

// TestRefusalJSON has every command that knows --json refused: the JSON stands
// on standard output, and the exit code is the same as without.
func TestRefusalJSON(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := dir + "/file"
	if code := execute([]string{"new", dir + "/host"}, nil, io.Discard, io.Discard); code != 0 {
		t.Fatal("new: exit code", code)
	}
	if code := execute([]string{"build", dir + "/host", "--format", "tar", "--out", file}, nil, io.Discard, io.Discard); code != 0 {
		t.Fatal("build: exit code", code)
	}
	if err := errors.Join(os.Symlink("nowhere", dir+"/link"), os.Mkdir(dir+"/empty", 0o755)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		code int
	}{
		{"generations --state FILE", exitRefused},
		{"generations list --state FILE", exitRefused},
		{"generations diff 1 2 --state FILE", exitRefused},
		{"generations diff a b --state FILE", exitWrong},
		{"generations pin 1 --state FILE", exitRefused},
		{"generations delete x --state FILE", exitWrong},
		{"build HOST --state FILE", exitRefused},
		{"build HOST --format cpio", exitWrong},
		{"build HOST --out FILE", exitWrong},
		{"build HOST --out LINK", exitWrong},
		{"build HOST --out LINK --format tar", exitWrong},
		{"build HOST --out EMPTY --format tar", exitWrong},
		{"plan HOST --to HOST", exitWrong},
		{"plan --from FILE --to FILE", exitWrong},
		{"switch HOST --state FILE", exitRefused},
		{"switch HOST --on-failure never", exitWrong},
		{"switch HOST/nowhere", exitWrong},
		{"rollback --state FILE", exitRefused},
		{"rollback x", exitWrong},
		{"check HOST/nowhere", exitWrong},
		{"explain a.b HOST/nowhere", exitWrong},
	} {
		t.Run(c.args, func(t *testing.T) {
			t.Parallel()
			args := strings.Fields(strings.NewReplacer("FILE", file, "HOST", dir+"/host", "LINK", dir+"/link", "EMPTY", dir+"/empty").Replace(c.args))
			var out, errw bytes.Buffer
			if code := execute(append(args, "--json"), nil, &out, &errw); code != c.code {
				t.Errorf("exit code %d, want %d: %s", code, c.code, errw.String())
			}
			var got struct{ Diagnostics []struct{ Detail string } }
			if err := json.Unmarshal(out.Bytes(), &got); err != nil || len(got.Diagnostics) == 0 {
				t.Errorf("no refusal in JSON (%v): %q\n%s", err, out.String(), errw.String())
			}
		})
	}
}

// full is a stream that nothing can be written to.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestOutputLost wants no command to succeed whose result was lost.
func TestOutputLost(t *testing.T) {
	t.Parallel()
	host := t.TempDir() + "/host"
	if code := execute([]string{"new", host}, nil, io.Discard, io.Discard); code != 0 {
		t.Fatal("new: exit code", code)
	}
	for _, args := range []string{
		"explain service.clock HOST", "options", "options --json", "plan HOST", "plan HOST --json", "build HOST", "generations list --help",
		"analyze timespan 1h", "escape a/b", "graph HOST", "--version", "help codes", "check HOST --json",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			words := strings.Fields(strings.ReplaceAll(args, "HOST", host))
			if strings.Contains(args, "plan") || strings.HasPrefix(args, "build") {
				words = append(words, "--state", testenv.TempDir(t))
			}
			var out, errw bytes.Buffer
			if code := execute(words, nil, &out, &errw); code != 0 || out.Len() == 0 {
				t.Fatalf("says nothing or fails by itself: %d %s", code, errw.String())
			}
			errw.Reset()
			if code := execute(words, nil, full{}, &errw); code == 0 || !strings.Contains(errw.String(), "no space left") {
				t.Errorf("exit code %d: %s", code, errw.String())
			}
		})
	}
}
