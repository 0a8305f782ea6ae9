package unitfile

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/unitgen/unitgen/schema/diag"
)

func show(f *File) string {
	var b strings.Builder
	for _, l := range f.Lines {
		switch l.Kind {
		case Section:
			b.WriteString("[" + l.Section + "] ")
		case Assignment:
			b.WriteString(l.Section + "." + l.Key + "=" + l.Value + "| ")
		case Comment:
			b.WriteString("# ")
		case Invalid:
			b.WriteString("! ")
		}
	}
	return strings.TrimSpace(b.String())
}

func TestParse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want, codes string }{
		"plain":                    {"[Unit]\nA=b\n", "[Unit] Unit.A=b|", ""},
		"spaces":                   {"  [Unit]  \n\tA \t=  b c \t\n", "[Unit] Unit.A=b c|", ""},
		"no newline at the end":    {"[Unit]\nA=b", "[Unit] Unit.A=b|", ""},
		"CRLF":                     {"[Unit]\r\nA=b\r\n\r\nC=d\r\n", "[Unit] Unit.A=b| Unit.C=d|", ""},
		"CR":                       {"[Unit]\rA=b\rC=d", "[Unit] Unit.A=b| Unit.C=d|", ""},
		"NUL ends a line":          {"[Unit]\nA=b\x00C=d\n", "[Unit] Unit.A=b| Unit.C=d|", ""},
		"BOM":                      {"\xef\xbb\xbf[Unit]\nA=b\n", "[Unit] Unit.A=b|", ""},
		"continuation":             {"[S]\nA=b\\\n c\n", "[S] S.A=b  c|", ""},
		"continuation, comments":   {"[S]\nA=b \\\n# no\n  ;no\\\n c \\\nd\nE=f\n", "[S] S.A=b   c  d| S.E=f|", ""},
		"continuation, blank":      {"[S]\nA=b \\\n\nC=d\n", "[S] S.A=b| S.C=d|", ""},
		"escaped backslash":        {"[S]\nA=b\\\\\nC=d\n", "[S] S.A=b\\\\| S.C=d|", ""},
		"three backslashes":        {"[S]\nA=b\\\\\\\nC=d\n", "[S] S.A=b\\\\ C=d|", ""},
		"continuation at the end":  {"[S]\nA=b \\", "[S] S.A=b|", ""},
		"comment is not continued": {"[S]\n# a \\\nA=b\n", "[S] # S.A=b|", ""},
		"joined header":            {"[S\\\n]\nA=b\n", "[S ] S .A=b|", ""},
		"no section":               {"A=b\n[S]\n", "! [S]", CodeNoSection},
		"no equals":                {"[S]\nfoo\nA=b\n", "[S] ! S.A=b|", CodeNoEquals},
		"no key":                   {"[S]\n=foo\n", "[S] !", CodeNoKey},
		"bad header":               {"[S\nA=b\n", "! !", CodeHeader},
		"not UTF-8":                {"[S]\nA=\xff\nB=c\n", "[S] ! S.B=c|", CodeEncoding},
		"empty value":              {"[S]\nA=\n", "[S] S.A=|", ""},
		"equals in the value":      {"[S]\nA=b=c\n", "[S] S.A=b=c|", ""},
		"long line":                {"[S]\nA=" + strings.Repeat("x", MaxLine) + "\nB=c\n", "[S] !", CodeLongLine},
		"long continuation":        {"[S]\nA=" + strings.Repeat(strings.Repeat("x", 1000)+"\\\n", 1100) + "\nB=c\n", "[S] !", CodeLongLine},
	} {
		f, diags := Parse(name, []byte(c.in))
		if got := show(f); got != c.want {
			t.Errorf("%s: got %.200s, want %s", name, got, c.want)
		}
		var codes []string
		for _, d := range diags {
			codes = append(codes, d.Code)
		}
		if got := strings.Join(codes, " "); got != c.codes {
			t.Errorf("%s: diagnostics %q, want %q", name, got, c.codes)
		}
		if got := string(f.Bytes()); got != c.in {
			t.Errorf("%s: written back as %.200q", name, got)
		}
	}
}

func TestPositions(t *testing.T) {
	t.Parallel()
	f, _ := Parse("x", []byte("\n\n[S]\n  Ä=1\nA=b \\\n# c\n  d  \n"))
	want := []string{"x:1:1", "x:3:1", "x:4:3", "x:5:1"}
	for i, l := range f.Lines {
		if l.Pos.String() != want[i] {
			t.Errorf("line %d stands at %s, want %s", i, l.Pos, want[i])
		}
	}
	if e := f.Lines[3].Pos.End; e.Line != 7 || e.Column != 4 {
		t.Errorf("the continued line ends at %+v", e)
	}
}

func TestAdd(t *testing.T) {
	t.Parallel()
	f, _ := Parse("x", []byte("[Unit]\nA=b"))
	for _, a := range [][3]string{{"Unit", "C", "d"}, {"Service", "E", "f"}} {
		if err := f.Add(a[0], a[1], a[2], diag.Range{}); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := string(f.Bytes()), "[Unit]\nA=b\nC=d\n\n[Service]\nE=f\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if f.Add("Unit", "A", "b\n[Service]", diag.Range{}) == nil {
		t.Error("a newline in a value is accepted")
	}
}

// TestLargeInputs holds the promise that 10 MB of anything ends in bounded
// time.
func TestLargeInputs(t *testing.T) {
	t.Parallel()
	const size = 10 << 20
	for _, unit := range []string{"\n", "\\\n", "a=b\n", "[a]\n", "#\n", "\x00", "\xff", "a", "\r\n", "[", "\\", "=\n"} {
		data := bytes.Repeat([]byte(unit), size/len(unit))
		data = append([]byte("[S]\n"), data...)
		start := time.Now()
		f, _ := Parse("x", data)
		if !bytes.Equal(f.Bytes(), data) {
			t.Errorf("%q repeated is not written back", unit)
		}
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("%q repeated took %s", unit, d)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"[Unit]\nA=b\n", "\xef\xbb\xbf[Unit]\r\nA=b\\\r\n#c\r\n d\r\n", "[\nA", "\x00\n\r\x00", "[S]\nA=\\\n\n", "A=b\\", "[S]\\\n]\n", "; \\\n[A]\n=\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, _ := Parse("x", data)
		if got := file.Bytes(); !bytes.Equal(got, data) {
			t.Fatalf("%q is written back as %q", data, got)
		}
		for _, l := range file.Lines {
			if l.Kind == Assignment && strings.ContainsAny(l.Value, "\n\x00") {
				t.Fatalf("%q: value %q holds a line end", data, l.Value)
			}
		}
		// What was understood can be written anew with the same meaning.
		made := &File{}
		for _, l := range file.Lines {
			if l.Kind == Assignment && !strings.ContainsAny(l.Value+l.Key, "\r") && !strings.HasSuffix(l.Value, "\\") {
				if err := made.Add(l.Section, l.Key, l.Value, diag.Range{}); err != nil {
					t.Fatal(err)
				}
			}
		}
		Parse("y", made.Bytes())
	})
}
