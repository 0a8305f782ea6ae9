// Command gen writes interfaces.txt, the list of methods, signals and
// properties of org.freedesktop.systemd1 with their signatures, from the
// installed man page org.freedesktop.systemd1(5).
//
// Usage: man -P cat org.freedesktop.systemd1 | go run ./gen > interfaces.txt
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

var (
	iface = regexp.MustCompile(`^\s*interface (org\.freedesktop\.systemd1\.\w+) \{$`)
	emits = regexp.MustCompile(`EmitsChangedSignal\("(\w+)"\)`)
	prop  = regexp.MustCompile(`^(readonly|readwrite)\s+(\S+)\s+(\w+) =`)
	call  = regexp.MustCompile(`(?s)^(\w+)\((.*)\)$`)
)

// run turns the page into one line for each member:
//
//	interface NAME
//	method NAME in:name… > out:name…   [privileged] [noreply]
//	signal NAME sig:name…
//	property NAME SIG readonly|readwrite const|true|false|invalidates [privileged]
func run(in io.Reader, out io.Writer) error {
	w := bufio.NewWriter(out)
	sc := bufio.NewScanner(in)
	open, section, pending := false, "", ""
	seen := map[string]bool{}
	var notes []string
	change := "true"
	for sc.Scan() {
		line := strings.TrimSpace(sc.Text())
		if m := iface.FindStringSubmatch(sc.Text()); m != nil {
			open, section, pending, notes, change = !seen[m[1]], "", "", nil, "true"
			if open {
				fmt.Fprintf(w, "interface %s\n", m[1])
			}
			seen[m[1]] = true
			continue
		}
		if !open {
			continue
		}
		switch {
		case line == "};":
			open = false
			continue
		case line == "methods:" || line == "signals:" || line == "properties:":
			section = line
			continue
		case strings.HasPrefix(line, "@"):
			if m := emits.FindStringSubmatch(line); m != nil {
				change = m[1]
			}
			if strings.Contains(line, `Privileged("true")`) {
				notes = append(notes, "privileged")
			}
			if strings.Contains(line, `NoReply("true")`) {
				notes = append(notes, "noreply")
			}
			continue
		case line == "":
			continue
		}
		if section == "properties:" {
			m := prop.FindStringSubmatch(line)
			if m == nil {
				return fmt.Errorf("cannot read the property %q", line)
			}
			fmt.Fprintln(w, strings.Join(append([]string{"property", m[3], m[2], m[1], change}, notes...), " "))
			notes, change = nil, "true"
			continue
		}
		pending += line
		if !strings.HasSuffix(pending, ";") {
			pending += " "
			continue
		}
		m := call.FindStringSubmatch(strings.TrimSuffix(pending, ";"))
		if m == nil {
			return fmt.Errorf("cannot read the member %q", pending)
		}
		pending = ""
		var ins, outs []string
		for _, arg := range strings.Split(m[2], ",") {
			f := strings.Fields(arg)
			switch {
			case len(f) == 0:
			case len(f) == 3 && f[0] == "in":
				ins = append(ins, f[1]+":"+f[2])
			case len(f) == 3 && f[0] == "out":
				outs = append(outs, f[1]+":"+f[2])
			case len(f) == 2:
				ins = append(ins, f[0]+":"+f[1])
			default:
				return fmt.Errorf("cannot read the argument %q of %s", arg, m[1])
			}
		}
		words := append([]string{strings.TrimSuffix(section, "s:"), m[1]}, ins...)
		if section == "methods:" {
			words = append(append(words, ">"), outs...)
		}
		fmt.Fprintln(w, strings.Join(append(words, notes...), " "))
		notes, change = nil, "true"
	}
	if err := sc.Err(); err != nil {
		return err
	}
	if len(seen) == 0 {
		return fmt.Errorf("the input is not the page org.freedesktop.systemd1(5)")
	}
	return w.Flush()
}
