package lsp

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf16"

	"github.com/sourcegraph/jsonrpc2"

	"github.com/unitgen/unitgen/internal/plainfile"
)

// document names a file, and brings its text where the client opens it.
type document struct {
	URI  string `json:"uri"`
	Text string `json:"text"`
}

// position counts lines and UTF-16 units from 0.
type position struct {
	Line      int `json:"line"`
	Character int `json:"character"`
}

type span struct {
	Start position `json:"start"`
	End   position `json:"end"`
}

// change is what the client did to a text: a part of it is another now, or all
// of it where there is no range.
type change struct {
	Range *span  `json:"range"`
	Text  string `json:"text"`
}

// apply makes the change. What lies beyond the text is its end.
func (c change) apply(text string) string {
	if c.Range == nil {
		return c.Text
	}
	from, to := offset(text, c.Range.Start), offset(text, c.Range.End)
	if to < from {
		from, to = to, from
	}
	return text[:from] + c.Text + text[to:]
}

func (d document) path() (string, error) {
	u, err := url.Parse(d.URI)
	if err != nil || u.Scheme != "file" || !filepath.IsAbs(u.Path) {
		return "", &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidParams, Message: "only files are served, not " + d.URI}
	}
	return filepath.Clean(u.Path), nil
}

func uri(path string) string { return (&url.URL{Scheme: "file", Path: path}).String() }

// text gives what a file holds, the client's version first.
func (s *server) text(path string) string {
	s.mu.Lock()
	t, ok := s.open[path]
	s.mu.Unlock()
	if ok {
		return t
	}
	if st, err := os.Stat(path); err != nil || !st.Mode().IsRegular() || st.Size() > maxText {
		return ""
	}
	b, _ := plainfile.Read(path, maxText)
	return string(b)
}

var hostBlock = regexp.MustCompile(`(?m)^\s*host\s+"`)

// hostDir gives the directory to compile for a file: the nearest one above it
// that has a host block, or its own.
func hostDir(path string) string {
	own := filepath.Dir(path)
	for dir, depth := own, 0; depth < 8; depth++ {
		files, _ := filepath.Glob(filepath.Join(dir, "*.ug.hcl"))
		for _, f := range files {
			st, err := os.Stat(f)
			if err != nil || !st.Mode().IsRegular() || st.Size() > maxText {
				continue
			}
			if b, err := plainfile.Read(f, maxText); err == nil && hostBlock.Match(b) {
				return dir
			}
		}
		up := filepath.Dir(dir)
		if up == dir {
			break
		}
		dir = up
	}
	return own
}

// offset gives the byte at a position, the end of the text beyond it.
func offset(text string, p position) int {
	at := 0
	for range p.Line {
		i := strings.IndexByte(text[at:], '\n')
		if i < 0 {
			return len(text)
		}
		at += i + 1
	}
	units := 0
	for i, r := range text[at:] {
		if units >= p.Character || r == '\n' {
			return at + i
		}
		units += len(utf16.Encode([]rune{r}))
	}
	return len(text)
}

// positionAt gives the position of a byte.
func positionAt(text string, at int) position {
	at = min(max(at, 0), len(text))
	line := strings.Count(text[:at], "\n")
	start := strings.LastIndexByte(text[:at], '\n') + 1
	return position{line, len(utf16.Encode([]rune(text[start:at])))}
}
