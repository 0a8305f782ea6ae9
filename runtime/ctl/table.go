package ctl

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// column is one column of a table.
type column struct {
	title string
	right bool
}

// table lays rows out in columns, one blank between them, as systemctl's lists
// are. The last column is not padded.
type table struct {
	columns []column
	rows    [][]string
	data    [][]any // what JSON shows where it is not the cell's text
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func width(s string) int { return utf8.RuneCountInString(s) }

// print writes the table; head says whether the titles are shown. Where fit is
// not 0 the last column is cut to it.
func (t *table) print(r *run, head bool) {
	rows := t.rows
	if head {
		titles := make([]string, len(t.columns))
		for i, c := range t.columns {
			titles[i] = c.title
		}
		rows = append([][]string{titles}, rows...)
	}
	widths := make([]int, len(t.columns))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], width(cell))
		}
	}
	for _, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			if i > 0 {
				b.WriteByte(' ')
			}
			pad := strings.Repeat(" ", max(0, widths[i]-width(cell)))
			if t.columns[i].right {
				b.WriteString(pad)
			}
			b.WriteString(cell)
			if !t.columns[i].right && i < len(row)-1 {
				b.WriteString(pad)
			}
		}
		line := b.String()
		if r.Width > 0 && !r.full && width(line) > r.Width {
			runes := []rune(line)
			cut := "..."
			if r.UTF8 {
				cut = "…"
			}
			line = string(runes[:max(0, r.Width-width(cut))]) + cut
		}
		r.print("%s\n", line)
	}
}

// json writes the table as one line, an array of objects with the titles in
// lower case as keys; values are what data says, or the cells.
func (t *table) json(r *run) int {
	var b strings.Builder
	b.WriteByte('[')
	for n, row := range t.rows {
		if n > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('{')
		first := true
		for i, c := range t.columns {
			key := strings.ToLower(strings.TrimSpace(c.title))
			if key == "" {
				continue
			}
			if !first {
				b.WriteByte(',')
			}
			first = false
			var v any = row[i]
			if t.data != nil && t.data[n][i] != nil {
				v = t.data[n][i]
			}
			b.WriteString(jsonText(key) + ":" + jsonText(v))
		}
		b.WriteByte('}')
	}
	b.WriteString("]\n")
	r.print("%s", b.String())
	return exitSuccess
}

func jsonText(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "null"
	}
	return strings.TrimSuffix(b.String(), "\n")
}
