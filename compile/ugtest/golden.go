package ugtest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"

	"github.com/unitgen/unitgen/internal/plainfile"
)

// Golden spells a rendered tree as one text, in the form of txtar: a line
// "-- PATH --" for each file with its content, "-- PATH -> TARGET --" for each
// link. Modes other than 0644 and owners stand behind the path.
func Golden(entries []Entry) []byte {
	var b bytes.Buffer
	for _, e := range entries {
		if e.Target != "" {
			fmt.Fprintf(&b, "-- %s -> %s --\n", e.Path, e.Target)
			continue
		}
		b.WriteString("-- " + e.Path)
		if e.Mode != 0o644 {
			fmt.Fprintf(&b, " %04o", e.Mode)
		}
		if e.Owner != "" || e.Group != "" {
			fmt.Fprintf(&b, " %s:%s", e.Owner, e.Group)
		}
		b.WriteString(" --\n")
		if !utf8.Valid(e.Content) || bytes.Contains(e.Content, []byte("\n-- ")) {
			fmt.Fprintf(&b, "sha256 %x\n", sha256.Sum256(e.Content))
			continue
		}
		b.Write(e.Content)
		if n := len(e.Content); n > 0 && e.Content[n-1] != '\n' {
			b.WriteString("\n(no newline at the end)\n")
		}
	}
	return b.Bytes()
}

func (r *run) compareGolden(entries []Entry, update bool, res *Result, fail func(hcl.Range, string, ...any)) {
	got := Golden(entries)
	want, err := plainfile.Read(r.golden, 1<<30)
	if err == nil && bytes.Equal(got, want) {
		return
	}
	if update {
		err := os.MkdirAll(filepath.Dir(r.golden), 0o755)
		if err == nil {
			err = os.WriteFile(r.golden, got, 0o644)
		}
		if err != nil {
			fail(r.header, "the golden file cannot be written: %s", err)
			return
		}
		res.Updated = r.golden
		return
	}
	if errors.Is(err, fs.ErrNotExist) {
		fail(r.header, "there is no golden file %s yet; make it with unitgen test --update", filepath.ToSlash(r.golden))
		return
	}
	if err != nil {
		fail(r.header, "the golden file cannot be read: %s", err)
		return
	}
	line, was, is := firstDifference(string(want), string(got))
	fail(r.header, "the tree is not as in %s, first at line %d:\n  - %s\n  + %s\nIf the change is wanted, run unitgen test --update", filepath.ToSlash(r.golden), line, was, is)
}

func firstDifference(a, b string) (line int, was, is string) {
	la, lb := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := 0; ; i++ {
		switch {
		case i >= len(la):
			return i + 1, "(the end)", lb[i]
		case i >= len(lb):
			return i + 1, la[i], "(the end)"
		case la[i] != lb[i]:
			return i + 1, la[i], lb[i]
		}
	}
}
