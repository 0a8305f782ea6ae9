package value

import (
	"strings"
)

// Flags choose how Word takes a string apart; they are those of systemd's
// extract_first_word.
type Flags uint

// Flags of Word.
const (
	// Unquote takes double and single quotes off.
	Unquote Flags = 1 << iota
	// CUnescape decodes C escapes after backslashes, "\n", "\x41", "\u00e4".
	CUnescape
	// CUnescapeRelax is CUnescape that keeps an unknown escape as it stands.
	CUnescapeRelax
	// UnescapeSeparators lets a backslash escape separators and itself.
	UnescapeSeparators
	// UnescapeRelax keeps a backslash that is followed by nothing known.
	UnescapeRelax
	// KeepQuotes leaves the quotes in the word but honours them.
	KeepQuotes
	// RetainEscape leaves the backslash in place and takes the next character
	// as it stands.
	RetainEscape
	// DontCoalesce makes each separator end a word, so that words may be empty.
	DontCoalesce
	// Relax accepts a quote that is not closed and a backslash at the end.
	Relax
)

// wantQuotes is the advice for broken quoting.
const wantQuotes = "balanced quotes, and a doubled backslash for a backslash (systemd.syntax(7))"

// Word takes the first word off a string. sep holds the separating characters;
// "" means white space. ok is false when no word is left.
func Word(s, sep string, flags Flags) (word, rest string, ok bool, err error) {
	if sep == "" {
		sep = blanks
	}
	i := 0
	if flags&DontCoalesce == 0 {
		for i < len(s) && strings.IndexByte(sep, s[i]) >= 0 {
			i++
		}
		if i == len(s) {
			return "", "", false, nil
		}
	}
	var b strings.Builder
	start := i
	var quote byte
	plain := true // the word is s[start:i] as it stands
	for i < len(s) {
		c := s[i]
		switch {
		case c == '\\' && flags&RetainEscape == 0:
			if plain {
				plain = false
				b.WriteString(s[start:i])
			}
			n, err := unescapeOne(&b, s[i:], sep, flags)
			if err != nil {
				return "", "", false, err
			}
			i += n
			continue
		case c == '\\':
			// Retained: this character and the next stand as they are.
			n := min(2, len(s)-i)
			if n == 1 && flags&Relax == 0 {
				return "", "", false, wrong(s, "ends in a backslash", wantQuotes)
			}
			if !plain {
				b.WriteString(s[i : i+n])
			}
			i += n
			continue
		case quote != 0 && c == quote:
			quote = 0
			if flags&KeepQuotes == 0 {
				if plain {
					plain = false
					b.WriteString(s[start:i])
				}
				i++
				continue
			}
		case quote == 0 && (c == '"' || c == '\'') && flags&(Unquote|KeepQuotes) != 0:
			quote = c
			if flags&KeepQuotes == 0 {
				if plain {
					plain = false
					b.WriteString(s[start:i])
				}
				i++
				continue
			}
		case quote == 0 && strings.IndexByte(sep, c) >= 0:
			if plain {
				word = s[start:i]
			} else {
				word = b.String()
			}
			if flags&DontCoalesce != 0 {
				return word, s[i+1:], true, nil
			}
			for i < len(s) && strings.IndexByte(sep, s[i]) >= 0 {
				i++
			}
			return word, s[i:], true, nil
		}
		if !plain {
			b.WriteByte(c)
		}
		i++
	}
	if quote != 0 && flags&Relax == 0 {
		return "", "", false, wrong(s, "has a quote that is not closed", wantQuotes)
	}
	if plain {
		return s[start:], "", true, nil
	}
	return b.String(), "", true, nil
}

// unescapeOne decodes the escape at the front of s, which begins with a
// backslash, and gives the bytes it took.
func unescapeOne(b *strings.Builder, s, sep string, flags Flags) (int, error) {
	if len(s) == 1 {
		if flags&Relax == 0 && flags&UnescapeRelax == 0 && flags&CUnescapeRelax == 0 {
			return 0, wrong(s, "is a backslash at the end of the value", wantQuotes)
		}
		if flags&(CUnescapeRelax|UnescapeRelax) != 0 || flags&Relax == 0 {
			b.WriteByte('\\')
		}
		return 1, nil
	}
	if flags&(CUnescape|CUnescapeRelax) != 0 {
		r, isByte, n, ok := UnescapeChar(s[1:])
		if ok {
			if isByte {
				b.WriteByte(byte(r))
			} else {
				b.WriteRune(r)
			}
			return n + 1, nil
		}
	}
	if flags&UnescapeSeparators != 0 && (strings.IndexByte(sep, s[1]) >= 0 || s[1] == '\\') {
		b.WriteByte(s[1])
		return 2, nil
	}
	if flags&(CUnescapeRelax|UnescapeRelax) != 0 {
		b.WriteByte('\\')
		b.WriteByte(s[1])
		return 2, nil
	}
	if flags&(CUnescape|UnescapeSeparators) != 0 {
		return 0, wrong(cutEscape(s), "is an unknown escape sequence", `\a \b \f \n \r \t \v \\ \" \' \s \xHH \NNN \uHHHH or \UHHHHHHHH, and \\ for a backslash`)
	}
	// Without any unescaping a backslash merely takes the next character.
	b.WriteByte(s[1])
	return 2, nil
}

// cutEscape gives a backslash and the character behind it.
func cutEscape(s string) string {
	for i := range s[1:] {
		if i > 0 {
			return s[:1+i]
		}
	}
	return s
}

// UnescapeChar decodes the C escape that s begins with, the backslash already
// taken off: the character, whether it is a byte rather than a Unicode
// character, and the bytes it took. NUL is refused.
func UnescapeChar(s string) (r rune, isByte bool, n int, ok bool) {
	if s == "" {
		return 0, false, 0, false
	}
	if i := strings.IndexByte("abfnrtv\\\"'s", s[0]); i >= 0 {
		return rune("\a\b\f\n\r\t\v\\\"' "[i]), true, 1, true
	}
	hex := func(width int) (rune, bool) {
		if len(s) < 1+width {
			return 0, false
		}
		var v uint32
		for i := 1; i <= width; i++ {
			d := hexDigit(s[i])
			if d < 0 {
				return 0, false
			}
			v = v<<4 | uint32(d)
		}
		return rune(v), v != 0
	}
	switch s[0] {
	case 'x':
		if v, ok := hex(2); ok {
			return v, true, 3, true
		}
	case 'u':
		if v, ok := hex(4); ok && !(v >= 0xd800 && v < 0xe000) {
			return v, false, 5, true
		}
	case 'U':
		if v, ok := hex(8); ok && v > 0 && v < 0x110000 && !(v >= 0xd800 && v < 0xe000) {
			return v, false, 9, true
		}
	case '0', '1', '2', '3', '4', '5', '6', '7':
		if len(s) < 3 {
			return 0, false, 0, false
		}
		var v rune
		for i := 0; i < 3; i++ {
			if s[i] < '0' || s[i] > '7' {
				return 0, false, 0, false
			}
			v = v<<3 | rune(s[i]-'0')
		}
		if v != 0 && v <= 255 {
			return v, true, 3, true
		}
	}
	return 0, false, 0, false
}

// hexDigit gives the value of a hexadecimal digit, or -1.
func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// Split takes a string apart into all its words.
func Split(s, sep string, flags Flags) ([]string, error) {
	var out []string
	for {
		w, rest, ok, err := Word(s, sep, flags)
		if err != nil {
			return out, err
		}
		if !ok {
			return out, nil
		}
		out = append(out, w)
		if rest == "" {
			return out, nil
		}
		s = rest
	}
}

// UnquoteWords splits at white space and takes quotes off, as most lists of
// words in unit files are read. Backslashes stand for themselves only when
// doubled or in front of a quote or blank they escape.
func UnquoteWords(s string) ([]string, error) { return Split(s, "", Unquote) }

// UnescapeWords is UnquoteWords that decodes C escapes too.
func UnescapeWords(s string) ([]string, error) { return Split(s, "", Unquote|CUnescape) }

// QuoteWord gives a word in a form that reads back as itself, with quotes and
// escapes only where it needs them.
func QuoteWord(s string) string { return quoteWord(s, true) }

// QuoteFor is QuoteWord for a word that is read with flags.
func QuoteFor(s string, flags Flags) string {
	if flags&RetainEscape != 0 {
		return s
	}
	return quoteWord(s, flags&CUnescape != 0)
}

// quoteWord is QuoteWord; without escapes, control characters stand in the
// quotes as they are, for words that are read without CUnescape.
func quoteWord(s string, escapes bool) string {
	plain := s != ""
	for i := 0; i < len(s) && plain; i++ {
		c := s[i]
		plain = c > ' ' && c != '"' && c != '\'' && c != '\\' && c != 127
	}
	if plain && s != ";" {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 2)
	b.WriteByte('"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case !escapes:
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < ' ' || c == 127:
			const hex = "0123456789abcdef"
			b.WriteString(`\x`)
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// JoinWords is the inverse of UnescapeWords.
func JoinWords(words []string) string {
	q := make([]string, len(words))
	for i, w := range words {
		q[i] = QuoteWord(w)
	}
	return strings.Join(q, " ")
}
