package generate

import (
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
)

// format is the % operator of Jsonnet on strings, natively: verbs with flags,
// width, precision, %(name)s and *.
func format(pattern string, args any) (string, error) {
	f := &formatter{src: pattern}
	switch a := args.(type) {
	case []any:
		f.list = a
	case map[string]any:
		f.object = a
	default:
		f.list = []any{a}
	}
	if err := f.run(); err != nil {
		return "", err
	}
	if f.object == nil && f.used < len(f.list) {
		return "", fmt.Errorf("too many values to format: %q takes %d, and there are %d", pattern, f.used, len(f.list))
	}
	return f.out.String(), nil
}

type formatter struct {
	src    string
	list   []any
	object map[string]any
	used   int
	out    strings.Builder
}

// maxPadding bounds what one verb pads to.
const maxPadding = 1 << 16

type verb struct {
	key                          string
	named                        bool
	alt, zero, left, space, plus bool
	width, precision             int
	hasPrecision                 bool
	char                         byte
}

func (f *formatter) run() error {
	s := f.src
	for {
		i := strings.IndexByte(s, '%')
		if i < 0 {
			f.out.WriteString(s)
			return nil
		}
		f.out.WriteString(s[:i])
		v, n, err := f.verb(s[i+1:])
		if err != nil {
			return err
		}
		s = s[i+1+n:]
		if v.char == '%' {
			f.pad(v, "%")
			continue
		}
		val, err := f.value(v)
		if err != nil {
			return err
		}
		text, err := render(v, val)
		if err != nil {
			return err
		}
		f.pad(v, text)
	}
}

func (f *formatter) verb(s string) (v verb, n int, err error) {
	truncated := fmt.Errorf("the format %q ends within a verb", f.src)
	if strings.HasPrefix(s, "(") {
		end := strings.IndexByte(s, ')')
		if end < 0 {
			return v, 0, truncated
		}
		v.key, v.named, n = s[1:end], true, end+1
	}
flags:
	for ; n < len(s); n++ {
		switch s[n] {
		case '#':
			v.alt = true
		case '0':
			v.zero = true
		case '-':
			v.left = true
		case ' ':
			v.space = true
		case '+':
			v.plus = true
		default:
			break flags
		}
	}
	if v.width, n, err = f.count(s, n); err != nil {
		return v, n, err
	}
	if n < len(s) && s[n] == '.' {
		v.hasPrecision = true
		if v.precision, n, err = f.count(s, n+1); err != nil {
			return v, n, err
		}
	}
	for n < len(s) && strings.IndexByte("hlL", s[n]) >= 0 {
		n++
	}
	if n >= len(s) {
		return v, n, truncated
	}
	v.char = s[n]
	if strings.IndexByte("diouxXeEfFgGcs%", v.char) < 0 {
		return v, n, fmt.Errorf("the format %q has an unknown verb %%%c", f.src, v.char)
	}
	return v, n + 1, nil
}

func (f *formatter) count(s string, n int) (int, int, error) {
	if n < len(s) && s[n] == '*' {
		if f.object != nil {
			return 0, n, fmt.Errorf("* cannot be used in the format %q, whose values are an object", f.src)
		}
		val, err := f.value(verb{char: '*'})
		if err != nil {
			return 0, n, err
		}
		x, ok := val.(float64)
		if !ok || x < 0 || x > maxPadding || x != math.Trunc(x) {
			return 0, n, fmt.Errorf("* in the format %q takes a whole number from 0 to %d", f.src, maxPadding)
		}
		return int(x), n + 1, nil
	}
	start := n
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	if start == n {
		return 0, n, nil
	}
	w, err := strconv.Atoi(s[start:n])
	if err != nil || w > maxPadding {
		return 0, n, fmt.Errorf("the format %q pads to more than %d characters", f.src, maxPadding)
	}
	return w, n, nil
}

func (f *formatter) value(v verb) (any, error) {
	if f.object != nil {
		if !v.named {
			return nil, fmt.Errorf("the format %q has a verb without (name), and its values are an object", f.src)
		}
		val, ok := f.object[v.key]
		if !ok {
			return nil, fmt.Errorf("the format %q wants %q, which the object has not", f.src, v.key)
		}
		return val, nil
	}
	if v.named {
		return nil, fmt.Errorf("the format %q has %%(%s), and its values are no object", f.src, v.key)
	}
	if f.used >= len(f.list) {
		return nil, fmt.Errorf("not enough values to format %q: there are %d", f.src, len(f.list))
	}
	f.used++
	return f.list[f.used-1], nil
}

func (f *formatter) pad(v verb, text string) {
	fill := v.width - len([]rune(text))
	switch {
	case fill <= 0:
		f.out.WriteString(text)
	case v.left:
		f.out.WriteString(text + strings.Repeat(" ", fill))
	case v.zero && strings.IndexByte("diouxXeEfFgG", v.char) >= 0:
		sign := ""
		if text != "" && strings.IndexByte("+- ", text[0]) >= 0 {
			sign, text = text[:1], text[1:]
		}
		f.out.WriteString(sign + strings.Repeat("0", fill) + text)
	default:
		f.out.WriteString(strings.Repeat(" ", fill) + text)
	}
}

func render(v verb, val any) (string, error) {
	if v.char == 's' {
		return toString(val), nil
	}
	if v.char == 'c' {
		switch x := val.(type) {
		case float64:
			return string(rune(x)), nil
		case string:
			if len([]rune(x)) == 1 {
				return x, nil
			}
		}
		return "", fmt.Errorf("%%c takes a number or a string of one character")
	}
	x, ok := val.(float64)
	if !ok {
		return "", fmt.Errorf("%%%c takes a number, not %s", v.char, toString(val))
	}
	var s string
	switch v.char {
	case 'd', 'i', 'u':
		s = digits(v, strconv.FormatFloat(math.Trunc(x), 'f', 0, 64), "")
	case 'o', 'x', 'X':
		if math.Abs(x) >= 1<<63 {
			return "", fmt.Errorf("%%%c takes a number of less than 64 bits", v.char)
		}
		base, prefix := 16, "0x"
		if v.char == 'o' {
			base, prefix = 8, "0"
		}
		s = digits(v, strconv.FormatInt(int64(x), base), prefix)
		if v.char == 'X' {
			s = strings.ToUpper(s)
		}
	default:
		prec := 6
		if v.hasPrecision {
			prec = v.precision
		}
		if v.char == 'g' || v.char == 'G' {
			s = strconv.FormatFloat(x, v.char, max(prec, 1), 64)
		} else {
			s = strconv.FormatFloat(x, strings.ToLower(string(v.char))[0], prec, 64)
			if v.char == 'E' {
				s = strings.ToUpper(s)
			}
		}
	}
	if s[0] != '-' {
		switch {
		case v.plus:
			s = "+" + s
		case v.space:
			s = " " + s
		}
	}
	return s, nil
}

func digits(v verb, s, prefix string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	if v.hasPrecision && len(s) < v.precision {
		s = strings.Repeat("0", v.precision-len(s)) + s
	}
	if v.alt {
		s = prefix + s
	}
	return sign + s
}

// toString is std.toString.
func toString(x any) string {
	if s, ok := x.(string); ok {
		return s
	}
	var b strings.Builder
	writeJSON(&b, x)
	return b.String()
}

func writeJSON(b *strings.Builder, x any) {
	switch x := x.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(x))
	case float64:
		if x == math.Trunc(x) && math.Abs(x) < 1e17 {
			b.WriteString(strconv.FormatFloat(x, 'f', 0, 64))
		} else {
			b.WriteString(strconv.FormatFloat(x, 'g', 17, 64))
		}
	case string:
		b.WriteString(strconv.Quote(x))
	case []any:
		if len(x) == 0 {
			b.WriteString("[ ]")
			return
		}
		b.WriteString("[")
		for i, e := range x {
			if i > 0 {
				b.WriteString(", ")
			}
			writeJSON(b, e)
		}
		b.WriteString("]")
	case map[string]any:
		if len(x) == 0 {
			b.WriteString("{ }")
			return
		}
		keys := make([]string, 0, len(x))
		for k := range x {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		b.WriteString("{")
		for i, k := range keys {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(strconv.Quote(k) + ": ")
			writeJSON(b, x[k])
		}
		b.WriteString("}")
	}
}
