package value

import (
	"strings"

	"github.com/unitgen/unitgen/schema/directive"
)

var _ = register(map[directive.Kind]checker{
	"bind-paths": func(c *Context, s string) (string, error) {
		_, err := ParseBindPaths(s, c)
		return s, err
	},
	"temporary-file-system": func(c *Context, s string) (string, error) {
		_, err := ParseTemporaryFileSystems(s, c)
		return s, err
	},
	"mount-images":     images(true),
	"extension-images": images(false),
	"image-options": func(c *Context, s string) (string, error) {
		ws, err := Split(s, "", Unquote|CUnescape)
		if err != nil {
			return s, err
		}
		return s, imageOptions(c, ws)
	},
	"image-policy": imagePolicy,
})

// BindPath is one bind mount of BindPaths= or BindReadOnlyPaths=.
type BindPath struct {
	Source, Target string
	Optional       bool // "-": it may be missing
	Flat           bool // "norbind": without the mounts below
}

// ParseBindPaths reads SOURCE[:TARGET[:OPTIONS]] words. c expands specifiers;
// nil keeps them.
func ParseBindPaths(s string, c *Context) ([]BindPath, error) {
	const want = "SOURCE[:TARGET[:OPTIONS]], absolute paths, with the options rbind or norbind"
	if c == nil {
		c = &Context{}
	}
	var out []BindPath
	ws, err := Split(s, "", Unquote|RetainEscape|KeepQuotes)
	if err != nil {
		return nil, err
	}
	for _, w := range ws {
		parts, err := Split(w, ":", Unquote|DontCoalesce)
		if err != nil {
			return out, err
		}
		if len(parts) > 3 {
			return out, wrong(w, "has too many parts between colons", want)
		}
		var b BindPath
		src, optional := strings.CutPrefix(parts[0], "-")
		b.Optional = optional
		if b.Source, err = c.expand(src); err == nil {
			b.Source, err = ParsePath(b.Source)
		}
		if err != nil {
			return out, err
		}
		b.Target = b.Source
		if len(parts) > 1 {
			if b.Target, err = c.expand(parts[1]); err == nil {
				b.Target, err = ParsePath(b.Target)
			}
			if err != nil {
				return out, err
			}
		}
		if len(parts) > 2 {
			switch parts[2] {
			case "", "rbind":
			case "norbind":
				b.Flat = true
			default:
				return out, wrong(parts[2], "is no option of a bind mount", want)
			}
		}
		out = append(out, b)
	}
	return out, nil
}

// TemporaryFileSystem is one mount of TemporaryFileSystem=.
type TemporaryFileSystem struct{ Path, Options string }

// ParseTemporaryFileSystems reads PATH[:OPTIONS] words. c expands specifiers;
// nil keeps them.
func ParseTemporaryFileSystems(s string, c *Context) ([]TemporaryFileSystem, error) {
	if c == nil {
		c = &Context{}
	}
	ws, err := Split(s, "", Unquote)
	if err != nil {
		return nil, err
	}
	var out []TemporaryFileSystem
	for _, w := range ws {
		p, opts, _ := strings.Cut(w, ":")
		var t TemporaryFileSystem
		if t.Path, err = c.expand(p); err == nil {
			t.Path, err = ParsePath(t.Path)
		}
		if err != nil {
			return out, err
		}
		if t.Options, err = c.expand(opts); err != nil {
			return out, err
		}
		out = append(out, t)
	}
	return out, nil
}

// partitions are the designators of partitions in an image.
var partitions = []string{"root", "usr", "home", "srv", "esp", "xbootldr", "tmp", "var", "swap", "root-verity", "usr-verity", "root-verity-sig", "usr-verity-sig"}

// imageOptions checks PARTITION:OPTIONS words.
func imageOptions(c *Context, parts []string) error {
	for _, p := range parts {
		name, opts, ok := strings.Cut(p, ":")
		if !ok || name == "" || opts == "" {
			if _, err := c.expand(p); err != nil {
				return err
			}
			continue // options of the root partition, or none
		}
		if !contains(partitions, name) {
			return wrong(name, "is no partition of an image", strings.Join(partitions[:8], ", "))
		}
		if _, err := c.expand(opts); err != nil {
			return err
		}
	}
	return nil
}

// images makes the checker of MountImages= (with a target) and ExtensionImages=.
func images(target bool) checker {
	return func(c *Context, s string) (string, error) {
		want := "SOURCE[:PARTITION:OPTIONS…], an absolute path"
		if target {
			want = "SOURCE:TARGET[:PARTITION:OPTIONS…], absolute paths"
		}
		ws, err := Split(s, "", Unquote|RetainEscape|KeepQuotes)
		if err != nil {
			return s, err
		}
		for _, w := range ws {
			if w = strings.TrimLeft(w, ":"); w == "" {
				continue // systemd leaves it out without a word
			}
			parts, err := Split(strings.TrimPrefix(w, "-"), ":", Unquote|CUnescape|UnescapeSeparators|DontCoalesce)
			if err != nil {
				return s, err
			}
			if len(parts) == 0 {
				parts = []string{""}
			}
			paths := 1
			if target {
				paths = 2
			}
			if len(parts) < paths {
				return s, wrong(w, "has no target", want)
			}
			for _, p := range parts[:paths] {
				x, err := c.expand(p)
				if err == nil {
					_, err = ParsePath(x)
				}
				if err != nil {
					return s, err
				}
			}
			opts := parts[paths:]
			if len(opts) == 1 {
				continue // options of the only partition
			}
			for i := 0; i < len(opts); i += 2 {
				if opts[i] != "" && !contains(partitions, opts[i]) {
					return s, wrong(opts[i], "is no partition of an image", strings.Join(partitions[:8], ", "))
				}
			}
		}
		return s, nil
	}
}

// imagePolicy checks a value of RootImagePolicy= and its kin
// (systemd.image-policy(7)).
func imagePolicy(_ *Context, s string) (string, error) {
	const want = "*, -, ~, or PARTITION=FLAG+FLAG… rules with colons between them (systemd.image-policy(7))"
	if s == "*" || s == "-" || s == "~" {
		return s, nil
	}
	flags := []string{"verity", "signed", "encrypted", "encryptedwithintegrity", "unprotected", "unused", "absent", "open", "ignore",
		"read-only-off", "read-only-on", "growfs-off", "growfs-on", "btrfs", "erofs", "ext4", "f2fs", "squashfs", "vfat", "xfs"}
	seen := map[string]bool{}
	for _, rule := range strings.Split(s, ":") {
		name, use, ok := strings.Cut(rule, "=")
		name = strings.TrimSpace(name)
		if !ok || (name != "" && !contains(partitions, name)) || seen[name] {
			return s, wrong(rule, "is no rule of an image policy", want)
		}
		seen[name] = true
		if strings.TrimSpace(use) == "" {
			continue
		}
		for _, f := range strings.Split(use, "+") {
			if f = strings.TrimSpace(f); f != "" && f != "-" && !contains(flags, f) {
				return s, wrong(f, "is no flag of an image policy", strings.Join(flags, ", "))
			}
		}
	}
	return s, nil
}
