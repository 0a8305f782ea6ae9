package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestEmptyFlags(t *testing.T) {
	t.Parallel()
	for _, args := range []string{
		"build --out=", "build --host=", "check --sysroot=", "plan --from=", "plan --state=", "switch --state=",
		"switch --units=", "status --state=", "generations list --state=", "run --runtime-dir=", "new --example= x",
		"import --out= x", "graph --format=", "options --html=", "test --run=", "get --host=",
	} {
		var out, errw bytes.Buffer
		code := execute(strings.Fields(args), strings.NewReader(""), &out, &errw)
		if code != exitWrong || !strings.Contains(errw.String(), "is empty: give it a value") || out.Len() > 0 {
			t.Errorf("%s: exit code %d, %q and %q", args, code, out.String(), errw.String())
		}
	}
}
