package value

import (
	"strings"
)

// Command is one command line of ExecStart= and its kin (systemd.service(5),
// "COMMAND LINES").
type Command struct {
	Path string   // the program: absolute, or a plain name to look for
	Argv []string // argv[0] first; $VAR and ${VAR} and specifiers still stand in it

	IgnoreFailure  bool // "-"
	NoExpand       bool // ":": no environment variable is substituted
	FullPrivileges bool // "+"
	SetUser        bool // "!": User= and Group= stay, the rest is left off
	AmbientMagic   bool // "!!": like "!", where ambient capabilities are missing
	Shell          bool // "|": run by the user's shell (systemd 258)
	OwnArgv0       bool // "@": argv[0] was given
}

const wantCommand = `an absolute path or a program's name, with arguments: "/usr/bin/foo --bar"`

// ParseCommandLine reads one assignment of ExecStart= and its kin: one command
// or several with ";" between them. Specifiers must have been expanded, or are
// kept. version is the systemd that reads it, 0 the newest.
func ParseCommandLine(s string, version int) ([]Command, error) {
	return parseCommands(s, version, func(w string) (string, error) { return w, nil })
}

// ExpandCommandLine is ParseCommandLine that expands the specifiers of every
// word after its quotes were taken off, so that what they stand for stays in
// the word.
func ExpandCommandLine(s string, version int, expand func(string) (string, error)) ([]Command, error) {
	return parseCommands(s, version, expand)
}

func parseCommands(s string, version int, expand func(string) (string, error)) ([]Command, error) {
	var out []Command
	rest := trimLeftBlank(s)
	for rest != "" {
		c, after, empty, err := parseOneCommand(rest, version, expand)
		if err != nil {
			return out, err
		}
		if !empty {
			out = append(out, c)
		}
		rest = trimLeftBlank(after)
	}
	return out, nil
}

func parseOneCommand(s string, version int, expand func(string) (string, error)) (c Command, rest string, empty bool, err error) {
	first, rest, ok, err := Word(s, "", Unquote|CUnescape)
	if err != nil || !ok {
		return c, rest, true, err
	}
	if first == ";" {
		return c, trimLeftBlank(rest), true, nil
	}
	path, err := c.prefixes(first, version)
	if err != nil {
		return c, rest, false, err
	}
	if path == "" {
		return c, rest, false, wrong(first, "is a command without a program", wantCommand)
	}
	if path, err = expand(path); err != nil {
		return c, rest, false, err
	}
	if c.Path, err = commandPath(path); err != nil {
		return c, rest, false, err
	}
	if !c.OwnArgv0 {
		c.Argv = append(c.Argv, path)
	}
	for rest != "" {
		// A lone semicolon ends the command; "\;" is a semicolon.
		if lone, after := loneSemicolon(rest); lone {
			rest = after
			break
		}
		if strings.HasPrefix(rest, `\;`) && (len(rest) == 2 || isBlank(rest[2])) {
			c.Argv = append(c.Argv, ";")
			rest = trimLeftBlank(rest[2:])
			continue
		}
		var w string
		w, rest, ok, err = Word(rest, "", Unquote|CUnescape)
		if err != nil {
			return c, rest, false, err
		}
		if !ok {
			break
		}
		if w, err = expand(w); err != nil {
			return c, rest, false, err
		}
		c.Argv = append(c.Argv, w)
	}
	if len(c.Argv) == 0 {
		return c, rest, false, wrong(first, `has the prefix "@" but no argument that would be argv[0]`, wantCommand)
	}
	return c, rest, false, nil
}

func loneSemicolon(s string) (bool, string) {
	if s[0] == ';' && (len(s) == 1 || isBlank(s[1])) {
		return true, trimLeftBlank(s[1:])
	}
	return false, s
}

// prefixes takes the special characters off a program.
func (c *Command) prefixes(s string, version int) (string, error) {
	for i := 0; i < len(s); i++ {
		switch p := s[i]; {
		case p == '-' && !c.IgnoreFailure:
			c.IgnoreFailure = true
		case p == '@' && !c.OwnArgv0:
			c.OwnArgv0 = true
		case p == ':' && !c.NoExpand:
			c.NoExpand = true
		case p == '|' && !c.Shell && (version == 0 || version >= 258):
			c.Shell = true
		case p == '+' && !c.FullPrivileges && !c.SetUser && !c.AmbientMagic:
			c.FullPrivileges = true
		case p == '!' && !c.FullPrivileges && !c.SetUser && !c.AmbientMagic:
			c.SetUser = true
		case p == '!' && !c.FullPrivileges && !c.AmbientMagic:
			c.SetUser, c.AmbientMagic = false, true
		default:
			return s[i:], nil
		}
	}
	return "", nil
}

// commandPath checks the program of a command line and tidies its path.
func commandPath(s string) (string, error) {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == 127 || strings.IndexByte(`"'\`, s[i]) >= 0 {
			return "", wrong(s, "holds a character that a program's path may not hold (quotes, backslashes, control characters)", wantCommand)
		}
	}
	if strings.HasSuffix(s, "/") {
		return "", wrong(s, "names a directory, not a program", wantCommand)
	}
	if strings.Contains(s, "/") {
		if s[0] != '/' {
			return "", wrong(s, "is neither an absolute path nor a plain name", wantCommand)
		}
		for part := range strings.SplitSeq(s, "/") {
			if len(part) > 255 {
				return "", wrong(s, "has a part longer than 255 bytes", wantCommand)
			}
		}
		return SimplifyPath(s), nil
	}
	if s == "" || s == "." || s == ".." || len(s) > 255 {
		return "", wrong(s, "is no program's name", wantCommand)
	}
	return s, nil
}

// SimplifyPath takes doubled slashes, "." and trailing slashes out of a path;
// ".." stays.
func SimplifyPath(s string) string {
	abs := strings.HasPrefix(s, "/")
	var parts []string
	for _, p := range strings.Split(s, "/") {
		if p != "" && p != "." {
			parts = append(parts, p)
		}
	}
	out := strings.Join(parts, "/")
	switch {
	case abs:
		return "/" + out
	case out == "":
		return "."
	}
	return out
}
