package activation

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/unitgen/unitgen/runtime/generation"
)

// FuzzJournal reads journals of any content: there is no panic, and one without
// a beginning is an error.
func FuzzJournal(f *testing.F) {
	for _, s := range []string{
		"", "{", `{"phase":"begin","begin":{"from":1,"to":2}}` + "\n" + `{"phase":"pivot"}` + "\n" + `{"pha`,
		`{"phase":"commit"}`, "\x00\n\n", `{"phase":"begin","begin":{"before":{"items":null},"after":{}}}`,
	} {
		f.Add([]byte(s))
	}
	s := generation.Open(f.TempDir())
	p := journalPath(s)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(p, data, 0o600); err != nil {
			t.Fatal(err)
		}
		j, b, err := readJournal(s)
		if err == nil && (j == nil || b == nil) {
			t.Errorf("%q is read as no journal", data)
		}
	})
}
