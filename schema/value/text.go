package value

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/unitgen/unitgen/schema/directive"
)

var _ = register(map[directive.Kind]checker{
	directive.String:    whole(func(*Context, string) error { return nil }),
	directive.RawString: func(_ *Context, s string) (string, error) { return s, nil },
	directive.Obsolete: func(_ *Context, s string) (string, error) {
		return s, &Error{Value: s, Wrong: "has no effect: systemd ignores this directive", Tolerated: true}
	},
	directive.Command: func(c *Context, s string) (string, error) {
		_, err := parseCommands(s, c.Systemd, c.expand)
		return s, err
	},
	"reboot-argument": whole(func(_ *Context, s string) error {
		for i := 0; i < len(s); i++ {
			if s[i] >= 128 || i == 4095 {
				return wrong(s, "is no argument of reboot(2)", "up to 4095 ASCII characters")
			}
		}
		return nil
	}),
	"url-list": words(Unquote, func(_ *Context, w string) error { return documentation(w) }),
	"label": whole(func(_ *Context, s string) error {
		if s == "" {
			return wrong(s, "is an empty label", "")
		}
		return nil
	}),
	"user": whole(func(_ *Context, s string) error { return userName(s) }),
	"user-list": words(0, func(_ *Context, w string) error {
		return userName(w)
	}),
	"bus-name": whole(func(_ *Context, s string) error { return busName(s) }),
	"fd-name":  whole(func(_ *Context, s string) error { return fdName(s) }),
	"exec-input": whole(func(_ *Context, s string) error {
		return execIO(s, []string{"null", "tty", "tty-force", "tty-fail", "socket", "data"}, []string{"file"})
	}),
	"exec-output": execOutput,
	"input-text": func(c *Context, s string) (string, error) {
		t, err := unescapeAll(s)
		if err == nil {
			_, err = c.expand(t)
		}
		return s, err
	},
	"input-data": func(_ *Context, s string) (string, error) {
		t := strings.Map(func(r rune) rune {
			if r < 128 && isBlank(byte(r)) {
				return -1
			}
			return r
		}, s)
		if _, err := base64.StdEncoding.DecodeString(t); err != nil {
			return s, wrong(s, "is not in Base64", "the letters A-Z a-z 0-9 + / and = (base64 of coreutils makes them)")
		}
		return s, nil
	},
	"log-filter": func(_ *Context, s string) (string, error) {
		t := strings.TrimPrefix(s, "~")
		if t == "" {
			return s, wrong(s, "is an empty pattern", "a regular expression, with ~ before it to deny")
		}
		return s, nil
	},
	"root-hash": func(_ *Context, s string) (string, error) {
		if strings.HasPrefix(s, "/") {
			return s, nil
		}
		b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
		if err != nil || len(b) < 16 {
			return s, wrong(s, "is no root hash", "at least 32 hexadecimal digits, or an absolute path")
		}
		return s, nil
	},
	"root-hash-signature": func(_ *Context, s string) (string, error) {
		if strings.HasPrefix(s, "/") {
			return s, nil
		}
		t, ok := strings.CutPrefix(s, "base64:")
		if !ok {
			return s, wrong(s, "is no signature of a root hash", `"base64:" and the signature, or an absolute path`)
		}
		if _, err := base64.StdEncoding.DecodeString(t); err != nil {
			return s, wrong(s, "is not in Base64", `"base64:" and the signature, or an absolute path`)
		}
		return s, nil
	},
	"personality": func(c *Context, s string) (string, error) {
		for _, p := range []string{"x86", "x86-64", "arm64", "arm64-32", "aarch64", "ppc", "ppc-le", "ppc64", "ppc64-le", "s390", "s390x"} {
			if s == p {
				return s, nil
			}
		}
		return s, wrong(s, "is no personality", "x86, x86-64, ppc, ppc-le, ppc64, ppc64-le, s390 or s390x")
	},
	"coredump-filter": coredumpFilter,
	"secure-bits": func(_ *Context, s string) (string, error) {
		ws, err := Split(s, "", Unquote)
		if err != nil {
			return s, advice(err)
		}
		for _, w := range ws {
			if !contains(secureBits, w) {
				return s, &Error{Value: w, Wrong: "is no secure bit", Want: strings.Join(secureBits, ", "), Tolerated: true}
			}
		}
		return JoinWords(ws), nil
	},
	"protect-hostname": func(c *Context, s string) (string, error) {
		if b, err := ParseBool(s); err == nil {
			return FormatBool(b), nil
		}
		mode, host, has := strings.Cut(s, ":")
		if !c.knows(258) {
			return s, wrong(s, "is no boolean", wantBool)
		}
		if b, err := ParseBool(mode); (err == nil && b || mode == "private") && (!has || host != "") {
			return s, nil
		}
		return s, wrong(s, "is no protection of the host name", `yes, no, "private", or "yes:NAME" or "private:NAME"`)
	},
})

var secureBits = []string{"keep-caps", "keep-caps-locked", "no-setuid-fixup", "no-setuid-fixup-locked", "noroot", "noroot-locked"}

// coredumpNames are the bits of CoredumpFilter= by name.
var coredumpNames = []string{"private-anonymous", "shared-anonymous", "private-file-backed", "shared-file-backed", "elf-headers", "private-huge", "shared-huge", "private-dax", "shared-dax"}

func coredumpFilter(_ *Context, s string) (string, error) {
	ws, err := Split(s, "", 0)
	if err != nil {
		return s, err
	}
	for _, w := range ws {
		if w == "default" || w == "all" || contains(coredumpNames, w) {
			continue
		}
		mask := strings.TrimPrefix(strings.TrimPrefix(w, "+"), "0x")
		if _, err := strconv.ParseUint(mask, 16, 64); err == nil {
			continue
		}
		return s, wrong(w, "is no part of a core dump", strings.Join(coredumpNames, ", ")+", default, all or a hexadecimal mask")
	}
	return s, nil
}

// unescapeAll decodes all C escapes of a string.
func unescapeAll(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		r, isByte, n, ok := UnescapeChar(s[i+1:])
		if !ok {
			return "", wrong(cutEscape(s[i:]), "is an unknown escape sequence", `\n, \t, \xHH and the like, and \\ for a backslash`)
		}
		if isByte {
			b.WriteByte(byte(r))
		} else {
			b.WriteRune(r)
		}
		i += n
	}
	return b.String(), nil
}

// documentation checks one word of Documentation= (systemd.unit(5)).
func documentation(w string) error {
	for _, p := range []string{"http://", "https://", "file:/", "info:", "man:"} {
		if rest, ok := strings.CutPrefix(w, p); ok && rest != "" {
			for i := 0; i < len(rest); i++ {
				if rest[i] >= 128 {
					return wrong(w, "holds a character that a URI may not hold", "ASCII characters, others percent-encoded")
				}
			}
			return nil
		}
	}
	return wrong(w, "is no URI of documentation", "http://…, https://…, file:/…, info:… or man:page(section)")
}

// userName checks the name or number of a user or group as systemd does where
// the name need not exist yet.
func userName(s string) error {
	const want = "the name or number of a user or group"
	if s != "" && digits(s) == len(s) {
		n, err := strconv.ParseUint(s, 10, 32)
		if err != nil || n == 1<<32-1 || n == 1<<16-1 {
			return wrong(s, "is no valid user or group number", want)
		}
		if len(s) > 1 && s[0] == '0' {
			return wrong(s, "is a number with a leading zero", want)
		}
		return nil
	}
	switch {
	case s == "" || s == "." || s == "..":
		return wrong(s, "is no name of a user or group", want)
	case isBlank(s[0]) || isBlank(s[len(s)-1]):
		return wrong(s, "begins or ends with a blank", want)
	case s[0] == '-' && digits(s[1:]) == len(s)-1:
		return wrong(s, "is a negative number", want)
	case strings.ContainsAny(s, ":/"):
		return wrong(s, `holds ":" or "/", which no user or group name may`, want)
	}
	strict := len(s) <= 31
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == 127 {
			return wrong(s, "holds a control character", want)
		}
		if !isAlnum(s[i]) && s[i] != '_' && (s[i] != '-' || i == 0) || i == 0 && isDigit(s[i]) {
			strict = false
		}
	}
	if !strict {
		return &Error{Value: s, Wrong: "does not match the strict rules for names of users and groups", Want: `letters, digits, "_" and "-", up to 31, not starting with a digit or "-"`, Tolerated: true}
	}
	return nil
}

// busName checks a well-known D-Bus service name.
func busName(s string) error {
	const want = `a well-known name such as "org.example.App"`
	if s == "" || len(s) > 255 || s[0] == ':' {
		return wrong(s, "is no D-Bus service name", want)
	}
	parts := strings.Split(s, ".")
	if len(parts) < 2 {
		return wrong(s, "is no D-Bus service name: it has no dot", want)
	}
	for _, p := range parts {
		if p == "" || isDigit(p[0]) {
			return wrong(s, "is no D-Bus service name", want)
		}
		for i := 0; i < len(p); i++ {
			if !isAlnum(p[i]) && p[i] != '_' && p[i] != '-' {
				return wrong(s, "is no D-Bus service name", want)
			}
		}
	}
	if s == "org.freedesktop.DBus" || s == "org.freedesktop.systemd1" {
		return &Error{Value: s, Wrong: "is the name of the bus or of systemd itself", Want: want, Tolerated: true}
	}
	return nil
}

// execOutput checks StandardOutput= and StandardError= (systemd.exec(5)).
func execOutput(c *Context, s string) (string, error) {
	old := map[string]string{"syslog": "journal", "syslog+console": "journal+console"}
	if to, ok := old[s]; ok {
		return to, &Error{Value: s, Wrong: "is obsolete", Want: to, Tolerated: true}
	}
	x, err := c.expand(s)
	if err != nil {
		return s, err
	}
	return s, execIO(x, []string{"inherit", "null", "tty", "journal", "kmsg", "journal+console", "kmsg+console", "socket"}, []string{"file", "append", "truncate"})
}

func execIO(s string, names, files []string) error {
	if contains(names, s) {
		return nil
	}
	kind, rest, ok := strings.Cut(s, ":")
	if s == "fd" || s == "fd:" {
		return nil
	}
	if ok && kind == "fd" {
		if rest == "stdin" || rest == "stdout" || rest == "stderr" {
			return nil
		}
		return fdName(rest)
	}
	if ok && contains(files, kind) {
		_, err := ParsePath(rest)
		return err
	}
	all := append(append([]string{}, names...), "fd:NAME")
	for _, f := range files {
		all = append(all, f+":PATH")
	}
	return wrong(s, "is no input or output", strings.Join(all, ", "))
}
