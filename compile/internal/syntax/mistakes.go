package syntax

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/unitgen/unitgen/schema/diag"
)

// mistake is a syntax error in words that say what to write instead of what
// the parser had hoped for.
type mistake struct {
	summary, detail string
	from, to        int // offsets in the file
}

// mistakes are looked for in this order; each looks at the line on which the
// parser gave up, never at more of the grammar than that takes.
var mistakes = []func(*File, lineOf) *mistake{
	unitFileLine,
	openComment,
	strayBrace,
	openBlock,
	otherQuotes,
	openQuote,
	openList,
	badEscape,
	wrongAssignment,
	headerMistake,
	noValue,
	endOfLine,
	twoOnALine,
	missingComma,
	bareText,
}

// lineOf is the line of an error.
type lineOf struct {
	text    string // without the newline
	start   int    // offset of the line
	at      int    // offset of the error
	summary string // the parser's
	context hcl.Range
	name    string // what stands before the first equals sign, where that is a name
	value   string // what stands after it, trimmed, without a comment at its end
	valueAt int    // offset of value
}

var assignment = regexp.MustCompile(`^\s*([\pL_][\pL\pN_-]*)[ \t]*=[ \t]*`)

// explainMistake gives the words for a syntax error of a known sort, or nil.
func (f *File) explainMistake(d *hcl.Diagnostic) *mistake {
	if d.Subject == nil {
		return nil
	}
	at := min(d.Subject.Start.Byte, len(f.Src))
	l := f.lineAt(at)
	l.summary = d.Summary
	if d.Context != nil {
		l.context = *d.Context
	}
	for _, m := range mistakes {
		if found := m(f, l); found != nil {
			return found
		}
	}
	return nil
}

func (f *File) lineAt(at int) lineOf {
	text := f.lineText(at)
	start := strings.LastIndexByte(string(f.Src[:at]), '\n') + 1
	// A mistake may lie in the line's end, or beyond what is looked at of a long line.
	if text = strings.TrimRight(text, "\r"); len(text) < at-start {
		text = string(f.Src[start:at])
	}
	l := lineOf{text: text, start: start, at: at}
	if m := assignment.FindStringSubmatchIndex(l.text); m != nil {
		l.name = l.text[m[2]:m[3]]
		l.value = strings.TrimSpace(l.text[m[1]:][:commentAt(l.text[m[1]:])])
		l.valueAt = start + m[1]
	}
	return l
}

// report makes the diagnostic of a mistake.
func (m *mistake) report(f *File) *diag.Diagnostic {
	return diag.Errorf("E0101", "Syntax error: "+m.summary, f.at(m.from, max(m.to, m.from+1)), "%s", m.detail)
}

var plainQuantity = regexp.MustCompile(`^\d+(\.\d+)?[ ]*(%|[a-zA-Z]{1,5})$`)

// show gives a value as it is to be written. Only the values of directives and
// plain quantities are repeated: what an option is given may be a secret, and
// its type is not known yet.
func (l lineOf) show(name, v string) string {
	w := asText(v)
	if name == "" {
		name = l.name
	}
	if w == "" || !strings.HasPrefix(w, `"`) || name != "" && name[0] >= 'A' && name[0] <= 'Z' || plainQuantity.MatchString(strings.TrimSpace(v)) {
		return w
	}
	return `"…"`
}

// commentAt gives where a comment begins in a piece of a line, its length
// where there is none. A comment stands at the beginning or after a blank.
func commentAt(s string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case quoted || i > 0 && s[i-1] != ' ' && s[i-1] != '\t':
		case s[i] == '#', strings.HasPrefix(s[i:], "//"):
			return i
		}
	}
	return len(s)
}

func unitFileLine(_ *File, l lineOf) *mistake {
	if !unitHeader(l.text) || !strings.HasPrefix(l.summary, "Argument ") {
		return nil
	}
	return &mistake{"line of a unit file", `This is a line of a unit file. unitgen import FILE turns unit files into this language; by hand write service "NAME" { … } with the directives in it, without their sections.`, l.at, l.at + 1}
}

func openComment(_ *File, l lineOf) *mistake {
	s := strings.TrimSpace(l.text)
	from := l.start + strings.Index(l.text, s)
	switch {
	case strings.HasPrefix(s, "/*"):
		return &mistake{"comment without end", "The comment that begins here has no */. A comment of one line begins with #.", from, from + 2}
	case strings.HasPrefix(s, "--"), strings.HasPrefix(s, ";"), strings.HasPrefix(s, "%"), strings.HasPrefix(s, "<!--"):
		return &mistake{"invalid comment", "A comment begins with #: write # in front of this line.", from, from + 1}
	}
	return nil
}

func strayBrace(_ *File, l lineOf) *mistake {
	if l.at-l.start >= len(l.text) || !strings.HasPrefix(l.summary, "Argument ") {
		return nil
	}
	switch l.text[l.at-l.start] {
	case '}', ']', ')':
		return &mistake{"bracket closes nothing", "No bracket is open that this one could close. Remove it, or add the one that opens.", l.at, l.at + 1}
	case '{':
		return &mistake{"block without a kind", `A block begins with its kind, and most have a label: service "NAME" { … }. Write them before the brace.`, l.at, l.at + 1}
	}
	return nil
}

func openBlock(f *File, l lineOf) *mistake {
	switch l.summary {
	case "Unclosed configuration block", "Unterminated tuple constructor expression", "Unterminated object constructor expression":
		if l.at >= len(f.Src) && l.context.Filename != "" {
			l.at = l.context.Start.Byte
		}
		what := "block"
		if strings.HasPrefix(l.summary, "Unterm") {
			what = "list or map"
		}
		return &mistake{what + " is not closed", "The bracket that opens here has none that closes it, down to the end of the file. Add it where the " + what + " ends.", l.at, l.at + 1}
	}
	return nil
}

// quotes are what other languages and word processors write for quotes.
var quotes = map[rune]rune{'\'': '\'', '`': '`', '“': '”', '”': '”', '„': '“', '‘': '’', '’': '’', '«': '»'}

func otherQuotes(_ *File, l lineOf) *mistake {
	if l.summary != "Invalid character" {
		return nil
	}
	rest := l.text[l.at-l.start:]
	r := []rune(rest)
	if len(r) == 0 || quotes[r[0]] == 0 {
		return nil
	}
	body, to := string(r[1:]), l.at+len(rest)
	if i := strings.IndexRune(body, quotes[r[0]]); i >= 0 {
		body, to = body[:i], l.at+len(string(r[0]))+i+len(string(quotes[r[0]]))
	}
	return &mistake{"text is not in double quotes", fmt.Sprintf("A text stands in plain double quotes: write %s.", l.show("", "'"+body+"'")), l.at, to}
}

// quoted spells a text as this language does.
func quoted(s string) string {
	s = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(strings.TrimSpace(s))
	if len(s) > 120 {
		s = strings.ToValidUTF8(s[:120], "") + "…"
	}
	return `"` + s + `"`
}

// lastQuote gives the offset in s of the quote that is left open, or -1.
func lastQuote(s string) int {
	open := -1
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && open >= 0:
			i++
		case s[i] == '"' && open < 0:
			open = i
		case s[i] == '"':
			open = -1
		}
	}
	return open
}

func openQuote(_ *File, l lineOf) *mistake {
	i := lastQuote(l.text)
	if i < 0 {
		return nil
	}
	from, to := l.start+i, l.start+len(l.text)
	if strings.Count(l.text, `"`) > 2 && l.name != "" && !strings.ContainsAny(l.value, "[{(") {
		return &mistake{"quote within a text", `A quote that belongs to a text has a backslash before it: \". Else remove it; every text has one quote before and one after it.`, from, to}
	}
	body := strings.TrimRight(l.text[i+1:], " \t,;")
	if strings.ContainsAny(l.text[:i], "[(") {
		body = strings.TrimRight(body, "]) ")
	}
	return &mistake{"text without a closing quote", fmt.Sprintf("The text that begins here has no second quote on its line: write %s. A text of several lines stands between <<-EOT and EOT.", l.show("", "'"+body+"'")), from, to}
}

func openList(f *File, l lineOf) *mistake {
	if l.summary != "Missing item separator" || l.context.Filename == "" || !assignment.MatchString(l.text) {
		return nil
	}
	from := l.context.Start.Byte
	if from >= l.start || from >= len(f.Src) || f.Src[from] != '[' {
		return nil
	}
	return &mistake{"list is not closed", "The list that begins here has no closing bracket before the next attribute. Add ] where the list ends.", from, from + 1}
}

func badEscape(_ *File, l lineOf) *mistake {
	if l.summary != "Invalid escape sequence" {
		return nil
	}
	return &mistake{"invalid escape sequence", `A backslash in a text is written \\. With one backslash there are \n, \r, \t, \", \\, \uNNNN and \UNNNNNNNN.`, l.at, l.at + 2}
}

var otherAssignment = regexp.MustCompile(`^\s*([\pL_][\pL\pN_-]*|"[^"]*")\s*(:=|==|=>|\+=|\?=|:|->|<-)\s*(.*)$`)

func wrongAssignment(_ *File, l lineOf) *mistake {
	m := otherAssignment.FindStringSubmatchIndex(l.text)
	if m == nil || strings.HasPrefix(l.summary, "Missing") && l.summary != "Missing newline after argument" || l.summary == "Invalid character" {
		return nil
	}
	name, op, value := strings.Trim(l.text[m[2]:m[3]], `"`), l.text[m[4]:m[5]], strings.TrimRight(l.text[m[6]:m[7]], " \t,;")
	from, to := l.start+m[4], l.start+m[5]
	if label, ok := strings.CutSuffix(value, "{"); ok && label != "" {
		return &mistake{"invalid block header", fmt.Sprintf("A block has no sign after its kind: write %s %s {.", name, quoted(strings.Trim(label, "\" \t"))), from, to}
	}
	if value == "" || value == "{" || strings.HasPrefix(value, "|") {
		return &mistake{"invalid definition", fmt.Sprintf("Blocks have their braces, as in service %q { … }, and attributes an equals sign: %s = VALUE.", "app", name), from, to}
	}
	if op == "+=" {
		return &mistake{"invalid definition", fmt.Sprintf("Values are assigned with one equals sign: write %s = %s. Lists that several blocks define add up by themselves.", name, l.show(name, value)), from, to}
	}
	return &mistake{"invalid definition", fmt.Sprintf("Name and value stand with one equals sign between them: write %s = %s.", name, l.show(name, value)), from, to}
}

// asText gives a value as it is to be written: with quotes where it has none.
func asText(v string) string {
	if c := commentAt(v); c > 0 {
		v = v[:c]
	}
	v = strings.TrimSpace(v)
	if v == "" || strings.ContainsAny(v[:1], `"{(`) || inList(v) || v == "true" || v == "false" || v == "null" || regexp.MustCompile(`^-?(0|[1-9]\d*)$`).MatchString(v) {
		return v
	}
	if r := []rune(v); len(r) > 1 && quotes[r[0]] != 0 {
		return quoted(strings.TrimSuffix(string(r[1:]), string(quotes[r[0]])))
	}
	return quoted(strings.ReplaceAll(v, "${", "$${"))
}

var (
	wordThenValue = regexp.MustCompile(`^\s*([\pL_][\pL\pN_-]*)[ \t]+([^={][^={]*)$`)
	wordThenName  = regexp.MustCompile(`^\s*([\pL_][\pL\pN_-]*)[ \t]+([\pL_][\pL\pN_-]*)[ \t]*=\s*(.*)$`)
	labelThenSign = regexp.MustCompile(`^\s*([\pL_][\pL\pN_-]*)((?:[ \t]+(?:"[^"]*"|[\pL_][\pL\pN_-]*))+)[ \t]*[=:][ \t]*\{`)
	labelWithDot  = regexp.MustCompile(`^\s*([a-z_]+)[ \t]+([^\s"{]+)[ \t]*\{`)
)

func headerMistake(f *File, l lineOf) *mistake {
	switch l.summary {
	case "Invalid block definition", "Invalid single-argument block definition", "Argument or block definition required":
	default:
		return nil
	}
	from, to := l.start+len(l.text)-len(strings.TrimLeft(l.text, " \t")), l.start+len(l.text)
	if strings.HasPrefix(l.summary, "Invalid single") {
		if len(signs.FindAllString(unquoted(l.text), -1)) < 2 {
			return nil
		}
		return &mistake{"two definitions on one line", "Each attribute and each block stands on a line of its own: break the line after {, before }, and between the attributes.", from, to}
	}
	if m := labelThenSign.FindStringSubmatch(l.text); m != nil {
		return &mistake{"invalid block header", fmt.Sprintf("A block has no sign before its brace: write %s%s {.", m[1], m[2]), from, to}
	}
	if m := wordThenName.FindStringSubmatch(l.text); m != nil {
		return &mistake{"invalid definition", fmt.Sprintf("Only a name stands before the equals sign: write %s = %s.", m[2], l.show(m[2], m[3])), from, to}
	}
	if m := labelWithDot.FindStringSubmatch(l.text); m != nil {
		return &mistake{"label without quotes", fmt.Sprintf("The label of a block stands in double quotes: write %s %s {.", m[1], quoted(strings.TrimSuffix(m[2], "."+m[1]))), from, to}
	}
	if strings.HasPrefix(l.text[from-l.start:], "import") && l.name == "" {
		return &mistake{"invalid definition", "What a host or module imports is a list in its block: host \"NAME\" { imports = [\"./modules/app\"] }. Bundled modules need no import.", from, to}
	}
	m := wordThenValue.FindStringSubmatch(l.text)
	if m == nil {
		return nil
	}
	if next := strings.TrimSpace(f.lineText(l.start + len(l.text) + 1)); strings.HasPrefix(next, "{") {
		return &mistake{"invalid block header", fmt.Sprintf("The brace stands on the line of the block's header: write %s {.", strings.TrimSpace(l.text)), from, to}
	}
	return &mistake{"invalid definition", fmt.Sprintf("Between a name and its value stands an equals sign: write %s = %s. A block has braces after its label.", m[1], l.show(m[1], m[2])), from, to}
}

var signs = regexp.MustCompile(`[^=!<>]=[^=>]|[;]`)

// unquoted drops the texts in quotes.
func unquoted(s string) string { return regexp.MustCompile(`"(\\.|[^"\\])*"`).ReplaceAllString(s, "") }

func noValue(f *File, l lineOf) *mistake {
	if strings.HasPrefix(strings.TrimSpace(l.text), "=") {
		return &mistake{"name is missing", "The name stands before the equals sign: NAME = VALUE.", l.at, l.at + 1}
	}
	if l.name == "" || l.value != "" {
		return nil
	}
	detail := fmt.Sprintf("The value is missing: write %s = VALUE. An empty text is \"\", an empty list [].", l.name)
	if rest := l.text[l.valueAt-l.start:]; strings.HasPrefix(rest, "#") {
		detail = fmt.Sprintf("The value is missing: a # begins a comment. A text with that character stands in quotes: write %s = %s.", l.name, l.show("", rest))
	}
	from := l.start + strings.Index(l.text, l.name)
	return &mistake{"value is missing", detail, from, from + len(l.name)}
}

func endOfLine(_ *File, l lineOf) *mistake {
	if l.at-l.start >= len(l.text) {
		return nil
	}
	rest := strings.TrimSpace(l.text[l.at-l.start:])
	switch {
	case rest == ";" || rest == ",":
		return &mistake{"sign at the end of the line", fmt.Sprintf("A line ends with nothing: remove the %q.", rest), l.at, l.at + 1}
	case rest == ")" || rest == "]" || rest == "}":
		return &mistake{"bracket closes nothing", "No bracket is open that this one could close. Remove it, or add the one that opens.", l.at, l.at + 1}
	}
	return nil
}

var nextAssignment = regexp.MustCompile(`^[,;]?\s*[\pL_][\pL\pN_-]*\s*=[^=]`)

func twoOnALine(_ *File, l lineOf) *mistake {
	if l.name == "" || l.at <= l.valueAt || l.at-l.start >= len(l.text) || !nextAssignment.MatchString(l.text[l.at-l.start:]) {
		return nil
	}
	switch l.summary {
	case "Missing newline after argument", "Unexpected comma after argument", "Invalid character":
		return &mistake{"two definitions on one line", "Each attribute stands on a line of its own, without a comma or semicolon: break the line here.", l.at, l.at + 1}
	}
	return nil
}

func missingComma(_ *File, l lineOf) *mistake {
	if l.at-l.start >= len(l.text) {
		return nil
	}
	next := l.text[l.at-l.start]
	if l.at > l.start && !strings.ContainsAny(l.text[l.at-l.start-1:l.at-l.start], "\"' \t") {
		return nil // the rest of a word
	}
	switch {
	case l.summary == "Missing item separator" && next == '"':
		return &mistake{"comma is missing", "The elements of a list have commas between them: add one before this element.", l.at, l.at + 1}
	case l.summary == "Missing attribute separator":
		return &mistake{"comma is missing", "The keys of a map stand on lines of their own or have commas between them: add one before this key.", l.at, l.at + 1}
	case l.summary == "Missing newline after argument" && next != '"' && l.text[l.at-l.start-1] == '"' && strings.HasSuffix(l.value, `"`):
		return &mistake{"quote within a text", `A quote that belongs to a text has a backslash before it: \".`, l.at - 1, l.at}
	case l.summary == "Missing newline after argument" && next == '"' && strings.HasPrefix(l.value, `"`):
		return &mistake{"several values without a list", fmt.Sprintf("Several values are a list: write %s = [\"…\", \"…\"].", l.name), l.at, l.start + len(l.text)}
	}
	return nil
}

var oddNumber = regexp.MustCompile(`^(\+\d+|\d+(_\d+)+)$`)

// bareText finds the text without quotes around the place of the error: the
// whole value of an attribute, or an element of a list or map.
func bareText(_ *File, l lineOf) *mistake {
	switch l.summary {
	case "Invalid expression", "Missing newline after argument", "Invalid number literal", "Invalid character", "Missing item separator", "Missing attribute separator",
		"Invalid attribute name", "Unsupported operator", "Missing key/value separator", "Missing false expression in conditional", "Invalid single-argument block definition", "Extra characters after expression":
	default:
		return nil
	}
	if l.name != "" && l.value != "" && !strings.ContainsAny(l.value, `"(`) && !strings.ContainsAny(l.value[:1], "{<") && !inList(l.value) {
		how := l.show("", l.value)
		if oddNumber.MatchString(l.value) {
			how = strings.NewReplacer("_", "", "+", "").Replace(l.value)
			return &mistake{"number is spelled otherwise", fmt.Sprintf("Numbers are plain digits: write %s = %s.", l.name, how), l.valueAt, l.valueAt + len(l.value)}
		}
		if strings.Contains(l.value, "${") && strings.HasPrefix(l.value, "${") && strings.HasSuffix(l.value, "}") && strings.Contains(l.value, ".") {
			inner := strings.TrimSpace(l.value[2 : len(l.value)-1])
			return &mistake{"text without quotes", fmt.Sprintf("Outside of a text an expression stands by itself: write %s = %s.", l.name, inner), l.valueAt, l.valueAt + len(l.value)}
		}
		return &mistake{"text without quotes", fmt.Sprintf("Texts, times, sizes, percentages, paths and the names of units stand in double quotes: write %s = %s.%s", l.name, how, environmentNote(l.value)), l.valueAt, l.valueAt + len(l.value)}
	}
	from, to := l.at-l.start, l.at-l.start
	for from > 0 && !strings.ContainsRune("=,[{(:\"", rune(l.text[from-1])) {
		from--
	}
	for to < len(l.text) && !strings.ContainsRune(",]})\"", rune(l.text[to])) {
		to++
	}
	if from >= to {
		return nil
	}
	word := strings.TrimSpace(l.text[from:to])
	if word == "" || from > 0 && l.text[from-1] == '"' || to < len(l.text) && l.text[to] == '"' || strings.ContainsAny(word, "?{(") && !strings.HasPrefix(word, "${") {
		return nil
	}
	at := l.start + from + strings.Index(l.text[from:to], word)
	return &mistake{"text without quotes", fmt.Sprintf("Texts, times, sizes, percentages, paths and the names of units stand in double quotes: write %s.%s", l.show("", word), environmentNote(word)), at, at + len(word)}
}

// inList reports that a value is a list, not an address such as [::]:80.
func inList(v string) bool {
	return strings.HasPrefix(v, "[") && !regexp.MustCompile(`^\[[0-9a-fA-F:]*\]:\d+$`).MatchString(v)
}

func environmentNote(v string) string {
	if strings.Contains(v, "${") {
		return " An environment variable of a command line is $${NAME} or $NAME."
	}
	return ""
}
