package activation

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// generatorScript gives the generator that copies a scope's units, or only the
// generator output of the tree, after systemd.generator(7). It is shell, so
// that a host never needs unitgen to boot.
func generatorScript(pivot, scope, suffix string, units bool) string {
	var b strings.Builder
	b.WriteString("#!/bin/sh\n# Written by unitgen: gives systemd what the current generation generates.\n")
	b.WriteString("copy() {\n\t[ -d \"$1\" ] || return 0\n\tcp -R -P \"$1/.\" \"$2/\" && chmod -R u+w \"$2\"\n}\n")
	fmt.Fprintf(&b, "tree=%s\n", shellQuote(pivot))
	if units {
		fmt.Fprintf(&b, "copy \"$tree/etc/systemd/%s\" \"$1\"\n", scope)
	}
	for i, place := range []string{"generator", "generator.early", "generator.late"} {
		fmt.Fprintf(&b, "copy \"$tree/%s%s\" \"$%d\"\n", place, suffix, i+1)
	}
	return b.String()
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func sumOf(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

// filesOf gives the tree's files in one directory, as the host sees them.
func (p *Place) filesOf(after *Placement, dir string) []string {
	if after.Etc == EtcOverlay {
		files, _ := filepath.Glob(filepath.Join(after.Tree, dir, "*.conf")) // the pattern is well-formed
		return files
	}
	var out []string
	for _, i := range after.Items {
		if strings.HasPrefix(i.Path, dir) && strings.HasSuffix(i.Path, ".conf") {
			out = append(out, p.host(i.Path))
		}
	}
	return out
}

// inBase has a program see the host's own, writable /etc where an overlay lies
// over it.
func inBase(argv []string, base string) []string {
	return append([]string{"unshare", "-m", "sh", "-c", `mount --bind "$0" /etc && exec "$@"`, base}, argv...)
}

// hooks runs what has to follow new files before services start: users are
// made, temporary files and kernel settings are applied.
func (p *Place) hooks(before, after *Placement) error {
	if p.Run == nil {
		return nil
	}
	for _, h := range []struct {
		name, dir string
		argv      []string
	}{
		{"sysusers", "/etc/sysusers.d/", []string{"systemd-sysusers"}},
		{"tmpfiles", "/etc/tmpfiles.d/", []string{"systemd-tmpfiles", "--create"}},
		{"sysctl", "/etc/sysctl.d/", []string{"/lib/systemd/systemd-sysctl"}},
	} {
		if !slices.Contains(after.Hooks, h.name) {
			continue
		}
		argv := append(slices.Clone(h.argv), p.filesOf(after, h.dir)...)
		if after.Etc == EtcOverlay && p.base != "" {
			argv = inBase(argv, p.base)
		}
		if err := p.Run(argv...); err != nil {
			return fmt.Errorf("%s: %w", strings.Join(h.argv, " "), err)
		}
	}
	return nil
}
