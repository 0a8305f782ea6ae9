package main

import (
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/unitgen/unitgen/compile"
)

// optionsMarkdown writes one section a module.
func optionsMarkdown(w io.Writer, mods []compile.ModuleReference) error {
	var b strings.Builder
	for i, m := range mods {
		if m.Name == "" && len(m.Options) == 0 {
			continue
		}
		if i > 0 && b.Len() > 0 {
			b.WriteByte('\n')
		}
		title := m.Name
		if title == "" {
			title = "The host's own options"
		}
		fmt.Fprintf(&b, "## %s\n\n", title)
		if m.Description != "" {
			b.WriteString(strings.TrimSuffix(m.Description, ".") + ".\n\n")
		}
		if len(m.Units) > 0 {
			b.WriteString("Units: " + codeList(m.Units) + ".\n\n")
		}
		for _, o := range m.Options {
			optionMarkdown(&b, o)
		}
	}
	_, err := io.WriteString(w, strings.TrimRight(b.String(), "\n")+"\n")
	return err
}

func codeList(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = "`" + w + "`"
	}
	return strings.Join(out, ", ")
}

func optionMarkdown(b *strings.Builder, o compile.OptionReference) {
	fmt.Fprintf(b, "### `%s`\n\n", o.Path)
	if o.Description != "" {
		b.WriteString(o.Description + "\n\n")
	}
	for _, f := range optionFacts(o) {
		switch f[0] {
		case "type", "default", "example", "merge", "declared":
			if f[0] == "declared" && strings.HasPrefix(f[1], "bundled") {
				continue
			}
			if strings.Contains(f[1], "\n") {
				fmt.Fprintf(b, "- %s:\n\n  ```hcl\n  %s\n  ```\n", f[0], strings.ReplaceAll(f[1], "\n", "\n  "))
				continue
			}
			fmt.Fprintf(b, "- %s: `%s`\n", f[0], f[1])
		default:
			fmt.Fprintf(b, "- %s: %s\n", f[0], f[1])
		}
	}
	b.WriteByte('\n')
}

const optionsStyle = `body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1c1c1c;background:#fff}
h1,h2,h3{line-height:1.2}code,pre{font:14px/1.4 ui-monospace,monospace;background:#f3f3f0}code{padding:0 .2em}pre{padding:.6em;overflow:auto}
dl{display:grid;grid-template-columns:7rem 1fr;gap:.2rem 1rem}dt{color:#666}dd{margin:0;min-width:0}section{border-top:1px solid #ddd;padding-top:.5rem}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}code,pre{background:#242424}a{color:#8ab4f8}section{border-color:#333}}`

var optionsPages = template.Must(template.New("page").Funcs(template.FuncMap{
	"facts": optionFacts,
	"style": func() template.CSS { return template.CSS(optionsStyle) },
}).Parse(`{{define "index"}}<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>unitgen: options</title><style>{{style}}</style>
<h1>Options</h1>
<ul>{{range .}}
<li><a href="{{.Name}}.html">{{.Name}}</a>{{with .Description}}: {{.}}{{end}}</li>{{end}}
</ul>
</html>
{{end}}{{define "module"}}<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.Name}}: options</title><style>{{style}}</style>
<p><a href="index.html">All modules</a></p>
<h1>{{.Name}}</h1>
{{with .Description}}<p>{{.}}</p>{{end}}
{{with .Units}}<p>Units:{{range .}} <code>{{.}}</code>{{end}}</p>{{end}}
{{range .Options}}<section id="{{.Name}}">
<h2><code>{{.Path}}</code></h2>
{{with .Description}}<p>{{.}}</p>{{end}}
<dl>{{range facts .}}<dt>{{index . 0}}</dt><dd><pre>{{index . 1}}</pre></dd>{{end}}</dl>
</section>
{{end}}</html>
{{end}}`))

// optionsHTML writes an index and a page a module into a directory.
func optionsHTML(dir string, mods []compile.ModuleReference) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	write := func(name, tmpl string, data any) error {
		var b strings.Builder
		if err := optionsPages.ExecuteTemplate(&b, tmpl, data); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name), []byte(b.String()), 0o644)
	}
	var shown []compile.ModuleReference
	for _, m := range mods {
		if m.Name == "" {
			if len(m.Options) == 0 {
				continue
			}
			m.Name = "host"
		}
		shown = append(shown, m)
		if err := write(m.Name+".html", "module", m); err != nil {
			return err
		}
	}
	return write("index.html", "index", shown)
}
