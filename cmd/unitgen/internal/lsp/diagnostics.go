package lsp

import (
	"context"
	"path/filepath"

	"github.com/unitgen/unitgen/compile"
	"github.com/unitgen/unitgen/schema/diag"
)

type diagnostic struct {
	Range    span      `json:"range"`
	Severity int       `json:"severity"`
	Code     string    `json:"code"`
	Source   string    `json:"source"`
	Message  string    `json:"message"`
	Related  []related `json:"relatedInformation,omitempty"`
}

type related struct {
	Location struct {
		URI   string `json:"uri"`
		Range span   `json:"range"`
	} `json:"location"`
	Message string `json:"message"`
}

// publish checks a host's directory with the open texts and tells the client
// the diagnostics of each file; files that are clean again get an empty list.
func (s *server) publish(ctx context.Context, dir string) {
	s.check.Lock()
	defer s.check.Unlock()
	s.mu.Lock()
	files := make(map[string][]byte, len(s.open))
	for p, t := range s.open {
		files[p] = []byte(t)
	}
	s.mu.Unlock()
	_, ds := compile.Compile(ctx, compile.Options{Dir: dir, Files: files})
	if ctx.Err() != nil {
		return
	}
	by := map[string][]diagnostic{}
	for _, d := range ds {
		if d.Subject.IsZero() {
			continue
		}
		path := absolute(dir, d.Subject.File)
		x := diagnostic{Range: s.span(path, d.Subject), Severity: severity(d.Severity), Code: d.ID(), Source: "unitgen", Message: d.Summary + "\n" + d.Detail}
		for _, r := range d.Related {
			var y related
			p := absolute(dir, r.Range.File)
			y.Location.URI, y.Location.Range, y.Message = uri(p), s.span(p, r.Range), r.Message
			x.Related = append(x.Related, y)
		}
		by[path] = append(by[path], x)
	}
	s.mu.Lock()
	for p := range s.told {
		if _, still := by[p]; !still && hostDir(p) == dir {
			by[p] = []diagnostic{}
			delete(s.told, p)
		}
	}
	for p, list := range by {
		if len(list) > 0 {
			s.told[p] = true
		}
	}
	for p := range s.open {
		if _, ok := by[p]; !ok && hostDir(p) == dir {
			by[p] = []diagnostic{}
		}
	}
	conn := s.conn
	s.mu.Unlock()
	for p, list := range by {
		_ = conn.Notify(ctx, "textDocument/publishDiagnostics", map[string]any{"uri": uri(p), "diagnostics": list})
	}
}

func severity(s diag.Severity) int {
	return map[diag.Severity]int{diag.Error: 1, diag.Warning: 2, diag.Advice: 3}[s]
}

func absolute(dir, file string) string {
	if filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(dir, filepath.FromSlash(file))
}

// span gives a range as the protocol counts it.
func (s *server) span(path string, r diag.Range) span {
	text := s.text(path)
	if text == "" || r.Start.Byte == 0 && r.Start.Line > 1 {
		p := position{max(r.Start.Line-1, 0), max(r.Start.Column-1, 0)}
		return span{p, p}
	}
	end := r.End.Byte
	if end < r.Start.Byte {
		end = r.Start.Byte
	}
	return span{positionAt(text, r.Start.Byte), positionAt(text, end)}
}
