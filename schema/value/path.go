package value

import (
	"strings"

	"github.com/unitgen/unitgen/schema/directive"
)

const wantPath = `an absolute path without "..", such as "/var/lib/app"`

// maxPath is the longest path in bytes that Linux takes (PATH_MAX less NUL).
const maxPath = 4095

var _ = register(map[directive.Kind]checker{
	directive.Path: func(c *Context, s string) (string, error) {
		x, err := c.expand(s)
		if err != nil {
			return s, err
		}
		if _, err := ParsePath(x); err != nil {
			return s, err
		}
		return SimplifyPath(s), nil
	},
	directive.PathList: words(Unquote, func(_ *Context, w string) error {
		_, err := ParsePath(w)
		return err
	}),
	"pid-file": func(c *Context, s string) (string, error) {
		x, err := c.expand(s)
		if err != nil {
			return s, err
		}
		if !strings.HasPrefix(x, "/") {
			x = "/run/" + x
		}
		p, err := ParsePath(x)
		if err != nil {
			return s, err
		}
		if rest, ok := strings.CutPrefix(p, "/var/run/"); ok {
			return s, &Error{Value: p, Wrong: "lies below the legacy directory /var/run/", Want: "/run/" + rest, Tolerated: true}
		}
		return s, nil
	},
	"path-spec": whole(func(_ *Context, s string) error {
		_, err := ParsePath(s)
		return err
	}),
	"mount-node": whole(func(c *Context, s string) error {
		if len(s) > maxPath {
			return wrong(s, "is too long", wantPath)
		}
		if c.UnitType == "mount" {
			return nil
		}
		for _, tag := range []string{"UUID=", "LABEL=", "PARTUUID=", "PARTLABEL="} {
			if v, ok := strings.CutPrefix(s, tag); ok && v != "" && c.knows(254) {
				return nil
			}
		}
		_, err := ParsePath(s)
		return err
	}),
	"working-directory": func(c *Context, s string) (string, error) {
		t := strings.TrimPrefix(s, "-")
		if t == "~" {
			return s, nil
		}
		x, err := c.expand(t)
		if err != nil {
			return s, err
		}
		if _, err := ParsePath(x); err != nil {
			return s, wrong(s, "is no working directory", `an absolute path or "~", with "-" before it where it may be missing`)
		}
		return s, nil
	},
	"search-path": func(c *Context, s string) (string, error) {
		ws, err := Split(s, ":", DontCoalesce)
		if err != nil {
			return s, err
		}
		for _, w := range ws {
			x, err := c.expand(w)
			if err != nil {
				return s, err
			}
			if _, err := ParsePath(x); err != nil {
				return s, err
			}
		}
		return s, nil
	},
	"namespace-paths": words(Unquote, func(_ *Context, w string) error {
		t := strings.TrimPrefix(w, "-")
		t = strings.TrimPrefix(t, "+")
		_, err := ParsePath(t)
		return err
	}),
	"environment-file": func(c *Context, s string) (string, error) {
		x, err := c.expand(s)
		if err != nil {
			return s, err
		}
		_, err = ParsePath(strings.TrimPrefix(x, "-"))
		return s, err
	},
	"exec-directory": execDirectory,
	"configuration-directory": func(c *Context, s string) (string, error) {
		ws, err := Split(s, "", Unquote|RetainEscape)
		if err != nil {
			return s, err
		}
		for _, w := range ws {
			// A colon may stand at an end, with nothing on its other side.
			if strings.Contains(strings.Trim(w, ":"), ":") && c.knows(250) {
				return s, wrong(w, "names a link behind the colon, which a configuration directory cannot have", "paths relative to /etc")
			}
		}
		return execDirectory(c, s)
	},
	"bpf-path": func(c *Context, s string) (string, error) {
		x, err := c.expand(s)
		if err == nil {
			_, err = ParsePath(x)
		}
		return s, err
	},
	"bpf-program": func(c *Context, s string) (string, error) {
		typ, p, ok := strings.Cut(s, ":")
		if !ok || !contains(bpfAttach, typ) {
			return s, wrong(s, "names no type of BPF program", "TYPE:PATH, with one of the types "+strings.Join(bpfAttach, " "))
		}
		x, err := c.expand(p)
		if err == nil {
			_, err = ParsePath(x)
		}
		return s, err
	},
	"open-file": func(c *Context, s string) (string, error) {
		x, err := c.expand(s)
		if err != nil {
			return s, err
		}
		_, err = ParseOpenFile(x)
		return s, err
	},
})

// bpfAttach are the attach types of BPFProgram= (systemd.resource-control(5)).
var bpfAttach = []string{"egress", "ingress", "sock_create", "sock_ops", "device", "bind4", "bind6", "connect4", "connect6", "post_bind4", "post_bind6", "sendmsg4", "sendmsg6", "sysctl", "recvmsg4", "recvmsg6", "getsockopt", "setsockopt"}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// ParsePath reads an absolute path and tidies it: doubled and trailing slashes
// and "." go. A path with ".." is refused.
func ParsePath(s string) (string, error) {
	if !strings.HasPrefix(s, "/") {
		return "", wrong(s, "is no absolute path", wantPath)
	}
	p := SimplifyPath(s)
	if len(p) > maxPath {
		return "", wrong(s, "is longer than a path may be", wantPath)
	}
	for _, part := range strings.Split(p, "/") {
		if part == ".." {
			return "", wrong(s, `climbs with ".."`, wantPath)
		}
		if len(part) > 255 {
			return "", wrong(s, "has a part longer than 255 bytes", wantPath)
		}
	}
	return p, nil
}

// execDirectory checks RuntimeDirectory= and its kin: relative paths, with
// ":link" behind them from systemd 250 on and a third part of flags from 258.
func execDirectory(c *Context, s string) (string, error) {
	const want = `paths relative to the directory that the setting is for, without "..", such as "app" or "app/cache"`
	ws, err := Split(s, "", Unquote|RetainEscape)
	if err != nil {
		return s, err
	}
	for _, w := range ws {
		// Colons in front count for nothing.
		parts, err := Split(strings.TrimLeft(w, ":"), ":", Unquote|CUnescape|DontCoalesce)
		if err == nil && len(parts) == 0 {
			parts = []string{""}
		}
		if err != nil {
			return s, err
		}
		most := 2
		if c.knows(257) {
			most = 3
		}
		if !c.knows(250) {
			most = 1
		}
		if len(parts) > most {
			if x, err := c.expand(parts[0]); err == nil {
				if err := relativeDirectory(x, want); err != nil {
					return s, err
				}
			}
			return s, &Error{Value: w, Wrong: "has too many parts between colons", Want: "DIRECTORY or DIRECTORY:LINK", Tolerated: true}
		}
		for i, p := range parts {
			if i == 2 {
				if p != "ro" && p != "" {
					return s, wrong(p, "is no flag of a directory", `"ro"`)
				}
				continue
			}
			x, err := c.expand(p)
			if err != nil {
				return s, err
			}
			if i > 0 && x == "" {
				continue
			}
			if err := relativeDirectory(x, want); err != nil {
				return s, err
			}
		}
	}
	return s, nil
}

func relativeDirectory(x, want string) error {
	p := SimplifyPath(x)
	switch {
	case x == "" || p == ".":
		return wrong(x, "is an empty path", want)
	case strings.HasPrefix(p, "/"):
		return wrong(x, "is an absolute path", want)
	case p == "private" || strings.HasPrefix(p, "private/"):
		return wrong(x, `lies in the directory "private", which systemd keeps for itself`, want)
	case len(p) > maxPath:
		return wrong(x, "is longer than a path may be", want)
	}
	for _, part := range strings.Split(p, "/") {
		if part == ".." {
			return wrong(x, `climbs with ".."`, want)
		}
	}
	return nil
}

// OpenFile is one value of OpenFile= (systemd.service(5)).
type OpenFile struct {
	Path, Name                           string
	ReadOnly, Append, Truncate, Graceful bool
}

// ParseOpenFile reads PATH[:NAME[:OPTIONS]].
func ParseOpenFile(s string) (OpenFile, error) {
	const want = "PATH[:NAME[:OPTIONS]] with the options read-only, append, truncate and graceful"
	parts, err := Split(s, ":", Unquote|CUnescape|DontCoalesce)
	if err != nil {
		return OpenFile{}, err
	}
	if len(parts) == 0 || len(parts) > 3 {
		return OpenFile{}, wrong(s, "is no file to open", want)
	}
	var o OpenFile
	if o.Path, err = ParsePath(parts[0]); err != nil {
		return o, err
	}
	o.Name = o.Path[strings.LastIndexByte(o.Path, '/')+1:]
	if len(parts) > 1 && parts[1] != "" {
		o.Name = parts[1]
	}
	if err := fdName(o.Name); err != nil {
		return o, err
	}
	if len(parts) < 3 {
		return o, nil
	}
	for _, w := range strings.Split(parts[2], ",") {
		switch w {
		case "read-only":
			o.ReadOnly = true
		case "append":
			o.Append = true
		case "truncate":
			o.Truncate = true
		case "graceful":
			o.Graceful = true
		default:
			return o, wrong(w, "is no option of OpenFile=", want)
		}
	}
	n := 0
	for _, b := range []bool{o.ReadOnly, o.Append, o.Truncate} {
		if b {
			n++
		}
	}
	if n > 1 {
		return o, wrong(parts[2], "has options that exclude one another", want)
	}
	return o, nil
}

// fdName checks the name of a file descriptor (systemd.socket(5),
// FileDescriptorName=).
func fdName(s string) error {
	if s == "" || len(s) > 255 {
		return wrong(s, "is no name of a file descriptor", "1 to 255 characters")
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c >= 127 || c == ':' {
			return wrong(s, "is no name of a file descriptor", "printable ASCII characters without colons")
		}
	}
	return nil
}
