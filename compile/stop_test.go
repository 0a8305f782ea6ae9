package compile

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestGivenUp wants an evaluation that was given up to end, not to go on
// beside what comes next: editors compile again and again.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"local":     "locals {\n  l = split(\"\", \"0123456789012345678901234567890123456789\")\n  x = [for a in local.l : [for b in local.l : [for c in local.l : [for d in local.l : [for e in local.l : [for f in local.l : a if false]]]]]]\n}\n",
		"directive": "locals {\n  l = split(\"\", \"0123456789012345678901234567890123456789\")\n}\nservice \"x\" {\n  ExecStart = join(\" \", [for a in local.l : join(\"\", [for b in local.l : join(\"\", [for c in local.l : join(\"\", [for d in local.l : join(\"\", [for e in local.l : join(\"\", [for f in local.l : local.l[0] if f == \"\"])])])])])])\n}\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			put(t, dir, "host.ug.hcl", text)
			_, diags := Compile(context.Background(), Options{Dir: dir})
			if len(diags) != 1 || diags[0].Code != "E0110" {
				t.Fatal(diags)
			}
		})
	}
	t.Cleanup(func() {
		stacks := make([]byte, 1<<20)
		for until := time.Now().Add(90 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			all := string(stacks[:runtime.Stack(stacks, true)])
			if !strings.Contains(all, "hclsyntax.(*ForExpr).Value") {
				return
			}
			if time.Now().After(until) {
				t.Fatalf("an evaluation goes on:\n%s", all)
			}
		}
	})
}
