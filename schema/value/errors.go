package value

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Error says what is wrong with a value and what is accepted instead.
type Error struct {
	Value string // the part of the value that is wrong
	Wrong string // what is wrong with it: "is no number"
	Want  string // what is accepted, "" where Wrong says it all
	// Tolerated: systemd warns of it and goes on with a meaning of its own
	// (it does not ignore the whole value).
	Tolerated bool
}

// Error gives "VALUE" WRONG; use WANT.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(quote(e.Value))
	b.WriteByte(' ')
	b.WriteString(e.Wrong)
	if e.Want != "" {
		b.WriteString("; use ")
		b.WriteString(e.Want)
	}
	return b.String()
}

// wrong makes an Error.
func wrong(value, what, want string) error {
	return &Error{Value: value, Wrong: what, Want: want}
}

// wrongf makes an Error whose "what" is formatted.
func wrongf(value, want, format string, args ...any) error {
	return &Error{Value: value, Wrong: fmt.Sprintf(format, args...), Want: want}
}

// quote gives a value in quotes for a message, cut where it is long.
func quote(s string) string {
	const most = 80
	if len(s) > most {
		cut := most
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		return fmt.Sprintf("%q…", s[:cut])
	}
	return fmt.Sprintf("%q", s)
}
