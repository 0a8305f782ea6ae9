package main

import (
	"bytes"
	"errors"
	"math/rand"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/unitgen/unitgen/internal/testenv"
)

// runTool runs a program and gives its streams and exit code.
func runTool(t *testing.T, env []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	testenv.Need(t, args[0])
	c := exec.Command(args[0], args[1:]...)
	c.Env = append(append(os.Environ(), "LC_ALL=C.UTF-8"), env...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	var ee *exec.ExitError
	if err != nil && !errors.As(err, &ee) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), c.ProcessState.ExitCode()
}

// runHere runs unitgen in this process.
func runHere(args ...string) (stdout, stderr string, code int) {
	var out, errs bytes.Buffer
	code = execute(args, strings.NewReader(""), &out, &errs)
	return out.String(), errs.String(), code
}

func TestEscapeLikeSystemdEscape(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewSource(11))
	alphabet := []string{"a", "b", "Z", "0", "-", "--", "/", "//", ".", "..", "@", "_", ":", "\\", `\x20`, `\x2d`, " ", "ä", "%", "~", ".service", ".mount", "\t", "é", `\xzz`, "*", "["}
	name := func() string {
		var s string
		for n := 1 + r.Intn(6); n > 0; n-- {
			s += alphabet[r.Intn(len(alphabet))]
		}
		return s
	}
	modes := [][]string{
		{}, {"-p"}, {"-m"}, {"-u"}, {"-u", "-p"}, {"--suffix=mount"}, {"-p", "--suffix=mount"}, {"--template=foo@.service"},
		{"-p", "--template=foo@.service"}, {"-u", "--instance"}, {"-u", "--template=a@.service"}, {"-p", "-u", "--instance"},
		{"--suffix=foo"}, {"--suffix="}, {"--template="}, {"-u", "--template="}, {"--template=foo.service"}, {"--template=x@.service", "--suffix=swap"}, {"-u", "-m"}, {"-m", "-u"},
		{"--instance"}, {"-p", "-m"}, {"-u", "--suffix=service"}, {"-m", "--suffix=service"}, {"-m", "--template=a@.service"},
	}
	for _, mode := range modes {
		n := 25
		if len(mode) == 0 {
			n = 40
		}
		for i := 0; i < n; i++ {
			arg := name()
			switch {
			case i%7 == 3:
				arg = "/" + arg
			case i%7 == 5:
				arg = "a@" + arg + ".service"
			}
			args := append(append([]string{}, mode...), "--", arg)
			if i == 0 {
				args = append(args, name(), "c")
			}
			want, _, code := runTool(t, nil, append([]string{"systemd-escape"}, args...)...)
			got, errs, gotCode := runHere(append([]string{"escape"}, args...)...)
			if got != want || gotCode != code {
				t.Errorf("escape %q: %q, exit %d; systemd-escape %q, exit %d (%s)", args, got, gotCode, want, code, errs)
			}
		}
	}
}

// TestEscapeBatch compares thousands of names in few calls: escaped names hold
// no blank.
func TestEscapeBatch(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewSource(12))
	for _, mode := range [][]string{{}, {"-p"}, {"--template=foo@.service"}, {"--suffix=service"}} {
		var args []string
		for range 1000 {
			b := make([]rune, 1+r.Intn(20))
			for i := range b {
				b[i] = []rune("abcXYZ019-_.:/\\ @%äß€\t")[r.Intn(22)]
			}
			args = append(args, "/"+strings.ReplaceAll(string(b), "..", "."))
		}
		all := append(append(append([]string{}, mode...), "--"), args...)
		want, _, code := runTool(t, nil, append([]string{"systemd-escape"}, all...)...)
		got, errs, gotCode := runHere(append([]string{"escape"}, all...)...)
		if gotCode != code {
			t.Errorf("%v: exit %d, systemd-escape %d (%s)", mode, gotCode, code, errs)
		}
		g, w := strings.Fields(got), strings.Fields(want)
		for i := range args {
			if i >= len(g) || i >= len(w) || g[i] != w[i] {
				t.Fatalf("%v %q: got %v, systemd-escape %v", mode, args[i], g[min(i, len(g)):min(i+1, len(g))], w[min(i, len(w)):min(i+1, len(w))])
			}
		}
	}
}
