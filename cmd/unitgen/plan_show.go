package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/unitgen/unitgen/internal/plainfile"
	"github.com/unitgen/unitgen/runtime/plan"
	"github.com/unitgen/unitgen/schema/tree"
)

// values are what directives and text files were and will be.
type values struct {
	Units []plan.UnitDifference `json:"units"`
	Files []fileText            `json:"files"`
}

// fileText is how the text of one file differs.
type fileText struct {
	Path string `json:"path"`           // relative to the tree's root
	Diff string `json:"diff,omitempty"` // in the form of diff -u
	Why  string `json:"why,omitempty"`  // there is none
}

// differences compares the trees of a plan.
func (p *planning) differences() *values {
	d := plan.Compare(p.old, p.new)
	v := &values{Units: d.Units, Files: fileTexts(p.old.Dir(), p.new.Dir(), d.Files)}
	for _, u := range v.Units {
		for i := range u.Directives {
			if strings.HasPrefix(u.Directives[i].Directive, "SetCredential") {
				u.Directives[i].Old, u.Directives[i].New = hidden(u.Directives[i].Old), hidden(u.Directives[i].New)
			}
		}
	}
	return v
}

// hidden keeps the names of credentials and not their content.
func hidden(list []string) []string {
	out := make([]string, 0, len(list))
	for _, s := range list {
		name, _, _ := strings.Cut(s, ":")
		out = append(out, name+":…")
	}
	return out
}

// maxDiffed is the largest file whose difference is shown, in bytes.
const maxDiffed = 1 << 20

// fileTexts shows how the changed text files of two trees differ. A file that
// not everybody may read keeps its text to itself.
func fileTexts(old, new string, files plan.Files) []fileText {
	out := []fileText{}
	for _, p := range files.Changed {
		t := fileText{Path: p}
		a, why := shownText(old, p)
		b := ""
		if why == "" {
			b, why = shownText(new, p)
		}
		if t.Why = why; why == "" {
			if t.Diff = lineDiff("/"+p, a, b); t.Diff == "" {
				t.Why = "the text is the same; mode, owner or the way it is laid differ"
			}
		}
		out = append(out, t)
	}
	return out
}

// shownText gives the text of a tree's file, or says why it is not shown.
func shownText(dir, rel string) (text, why string) {
	at := filepath.Join(dir, filepath.FromSlash(rel))
	st, err := os.Lstat(at)
	switch {
	case err != nil:
		return "", "it cannot be read"
	case st.Mode()&os.ModeSymlink != 0:
		target, err := os.Readlink(at)
		if err != nil {
			return "", "it cannot be read"
		}
		return "-> " + target + "\n", ""
	case st.Mode().Perm()&0o004 == 0:
		return "", fmt.Sprintf("not everybody may read it (mode %04o)", st.Mode().Perm())
	case st.Size() > maxDiffed:
		return "", "it is larger than 1 MiB"
	}
	b, err := plainfile.Read(at, maxDiffed)
	switch {
	case err != nil:
		return "", "it cannot be read"
	case strings.ContainsRune(string(b), 0):
		return "", "it is no text"
	}
	return string(b), ""
}

// showPlan prints a plan for people: what is in the way on stderr, the rest on
// stdout.
func (a *app) showPlan(p *planning, verbose bool) error {
	for _, n := range p.Notes {
		fmt.Fprintln(a.err, "unitgen: note: "+n)
	}
	var b strings.Builder
	if p.Empty() {
		b.WriteString("Nothing to do: the configuration is what is current.\n")
	}
	shown := map[string]bool{}
	for _, st := range p.Steps {
		word := string(st.Action)
		if st.Action == plan.Skip {
			word = "-"
		}
		fmt.Fprintf(&b, "%-8s %s%s: %s\n", word, st.Unit, scopeWord(st.Scope), reasonText(st))
		if p.Values == nil || shown[string(st.Scope)+st.Unit] {
			continue
		}
		shown[string(st.Scope)+st.Unit] = true
		for _, u := range p.Values.Units {
			if u.Unit == st.Unit && u.Scope == st.Scope {
				showDirectives(&b, u, "         ")
			}
		}
	}
	for _, i := range p.Inhibitors {
		fmt.Fprintf(&b, "a live switch is inhibited by %s%s: %s\n", i.Unit, scopeWord(i.Scope), i.Reason)
	}
	if len(p.Inhibitors) > 0 {
		b.WriteString("activate it with the next boot (switch --boot-only), or in spite of that (--force)\n")
	}
	showFiles(&b, p.Files, verbose)
	if p.Values != nil {
		showTexts(&b, p.Values.Files)
	}
	if _, err := io.WriteString(a.out, b.String()); err != nil {
		return err
	}
	for _, r := range p.Refused {
		fmt.Fprintln(a.err, "unitgen: a switch would be refused: "+r)
	}
	return nil
}

func showFiles(w io.Writer, files plan.Files, verbose bool) {
	for _, l := range []struct {
		word  string
		paths []string
	}{{"added", files.Added}, {"removed", files.Removed}, {"changed", files.Changed}, {"put back, for they are not as they were laid", files.Repaired}} {
		if len(l.paths) == 0 {
			continue
		}
		const few = 12
		show := l.paths
		if !verbose && len(show) > few {
			show = show[:few]
		}
		fmt.Fprintf(w, "files %s:\n", l.word)
		for _, f := range show {
			fmt.Fprintf(w, "         /%s\n", f)
		}
		if n := len(l.paths) - len(show); n > 0 {
			fmt.Fprintf(w, "         and %d more (--verbose names them)\n", n)
		}
	}
}

func showDirectives(w io.Writer, u plan.UnitDifference, indent string) {
	for _, c := range u.Directives {
		for _, v := range c.Old {
			fmt.Fprintf(w, "%s- [%s] %s=%s\n", indent, c.Section, c.Directive, v)
		}
		for _, v := range c.New {
			fmt.Fprintf(w, "%s+ [%s] %s=%s\n", indent, c.Section, c.Directive, v)
		}
	}
}

func showTexts(w io.Writer, files []fileText) {
	for _, t := range files {
		if t.Diff != "" {
			fmt.Fprint(w, t.Diff)
			continue
		}
		fmt.Fprintf(w, "/%s: %s\n", t.Path, t.Why)
	}
}

func scopeWord(s tree.Scope) string {
	if s == tree.User {
		return " (user)"
	}
	return ""
}

// reasonText is a step's reason with its source.
func reasonText(s plan.Step) string {
	if s.Source == nil {
		return s.Reason
	}
	return s.Reason + " at " + *s.Source
}
