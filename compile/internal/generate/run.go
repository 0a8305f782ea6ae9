package generate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"runtime"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/encode"
	"github.com/unitgen/unitgen/compile/internal/funcs"
	"github.com/unitgen/unitgen/compile/internal/types"
)

const summary = "Jsonnet program failed"

// Run runs a program and reads what it made. Errors point into the Jsonnet
// source where they have a place there, with the generate block beside them.
func Run(ctx context.Context, o Options) (*Output, hcl.Diagnostics) {
	var out *Output
	diags := o.answer(ctx, func(resp *response, cached bool) (hd hcl.Diagnostics) {
		out, hd = o.read(resp)
		if out != nil {
			out.Cached = cached
		}
		return hd
	})
	return out, diags
}

// Evaluate runs a program and gives its result as it is.
func Evaluate(ctx context.Context, o Options) (*Document, hcl.Diagnostics) {
	var out *Document
	diags := o.answer(ctx, func(resp *response, cached bool) hcl.Diagnostics {
		var top any
		whole := o.rng(&place{File: path.Clean(o.Program), Line: 1, Col: 1, EndLine: 1, EndCol: 1})
		if err := json.Unmarshal(resp.Output, &top); err != nil {
			return o.failed(o.At, "This is a bug in unitgen: the interpreter gave no JSON: %s.", err)
		}
		if top == nil {
			return o.failed(whole, "%s gives null, which is no content. Give a string, or what the file shall hold.", o.Program)
		}
		out = &Document{Value: toValue(top), Range: whole, Files: sortedKeys(resp.Files), Cached: cached}
		return nil
	})
	return out, diags
}

// answer gets the response to a program, of the cache or by running it, and has
// it read; what cannot be read is not kept.
func (o *Options) answer(ctx context.Context, read func(resp *response, cached bool) hcl.Diagnostics) hcl.Diagnostics {
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.MaxMemory == 0 {
		o.MaxMemory = DefaultMaxMemory
	}
	if o.MaxStack == 0 {
		o.MaxStack = DefaultMaxStack
	}
	if s := types.Secrets(o.Input); len(s) > 0 {
		return o.failed(o.At, "The input holds a secret (%s), and everything that a generator makes is readable for all. Pass the name of a credential instead.", s[0].Option)
	}
	input, err := encode.CompactJSON(o.Input)
	if err != nil {
		return o.failed(o.At, "The input %s.", err)
	}
	cached := newCache(o, input)
	resp := cached.load(o)
	hit := resp != nil
	if !hit {
		var problem string
		if resp, problem = o.start(ctx, input); problem != "" {
			return o.failed(o.At, "%s", problem)
		}
	}
	if resp.Failed != nil {
		return o.explain(resp.Failed)
	}
	diags := read(resp, hit)
	if !diags.HasErrors() && !hit {
		cached.store(resp)
	}
	return diags
}

// reader gives the files that the program may read.
func (o *Options) reader() *funcs.Files {
	if o.Bundled != nil {
		return funcs.NewBundledFiles(o.Bundled, nil)
	}
	return funcs.NewFiles(o.Dir, nil)
}

func (o *Options) failed(at hcl.Range, format string, args ...any) hcl.Diagnostics {
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(format, args...), Subject: at.Ptr()}}
}

// start runs the program in a process of its own.
func (o *Options) start(ctx context.Context, input []byte) (*response, string) {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	exe := "/proc/self/exe"
	if runtime.GOOS != "linux" {
		var err error
		if exe, err = os.Executable(); err != nil {
			return nil, fmt.Sprintf("The Jsonnet interpreter cannot be started: %s.", err)
		}
	}
	files, err := bundle(o.Bundled)
	if err != nil {
		return nil, fmt.Sprintf("The files of the module cannot be read: %s.", err)
	}
	req, err := json.Marshal(&request{
		Dir: o.Dir, Files: files, Program: path.Clean(o.Program), Input: input, Data: o.Data, Restrict: o.Data != nil,
		MaxStack: o.MaxStack, MaxMemory: o.MaxMemory, Seconds: uint64(o.Timeout.Seconds()) + 2,
	})
	if err != nil {
		return nil, fmt.Sprintf("This is a bug in unitgen: %s.", err)
	}
	out, errOut := &limited{max: maxOutput}, &limited{max: 64 << 10}
	cmd := exec.CommandContext(ctx, exe)
	cmd.Args = []string{childName}
	cmd.Dir = "/"
	cmd.Env = []string{"GOTRACEBACK=single"}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(req), out, errOut
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() == context.DeadlineExceeded:
		return nil, fmt.Sprintf("%s did not end within %s. Does it recurse or count without end?", o.Program, o.Timeout)
	case ctx.Err() != nil:
		return nil, "The compilation was cancelled while the generator ran."
	case errors.As(err, &exit):
		msg := errOut.b.String()
		switch {
		case outOfMemory(msg):
			return nil, fmt.Sprintf("%s needed more than %d MiB of memory. Does it build a string or an array without end?", o.Program, o.MaxMemory>>20)
		case strings.Contains(msg, "stack overflow"), strings.Contains(msg, "stack exceeds"):
			return nil, fmt.Sprintf("%s nests expressions too deep to be read. Flatten it.", o.Program)
		}
		first, _, _ := strings.Cut(strings.TrimSpace(msg), "\n")
		return nil, fmt.Sprintf("The Jsonnet interpreter ended with %s on %s: %s.", exit, o.Program, first)
	case err != nil:
		return nil, fmt.Sprintf("The Jsonnet interpreter cannot be started: %s.", err)
	}
	if out.over {
		return nil, fmt.Sprintf("%s made more than %d MiB of output.", o.Program, out.max>>20)
	}
	resp := &response{}
	if err := json.NewDecoder(&out.b).Decode(resp); err != nil {
		return nil, fmt.Sprintf("The Jsonnet interpreter gave no answer on %s: %s.", o.Program, err)
	}
	return resp, ""
}

// outOfMemory reports whether a process ended for want of memory, by what it
// said. A thread that cannot be started and a fault are such ends too: nothing
// but the limit leads to them.
func outOfMemory(msg string) bool {
	for _, s := range []string{"out of memory", "cannot allocate", "pthread_create failed", "failed to create new OS thread", "SIGSEGV", "SIGBUS"} {
		if strings.Contains(msg, s) {
			return true
		}
	}
	return false
}

// limited keeps the first bytes of a stream and drops the rest.
type limited struct {
	b    bytes.Buffer
	max  int
	over bool
}

func (l *limited) Write(p []byte) (int, error) {
	room := l.max - l.b.Len()
	if len(p) > room {
		l.over = true
		l.b.Write(p[:room])
		return len(p), nil
	}
	return l.b.Write(p)
}

var _ io.Writer = (*limited)(nil)

func (o *Options) rng(p *place) hcl.Range {
	if p == nil || p.File == "" {
		return o.At
	}
	r := hcl.Range{
		Filename: path.Join(o.Display, p.File),
		Start:    hcl.Pos{Line: p.Line, Column: p.Col, Byte: p.Byte},
		End:      hcl.Pos{Line: p.EndLine, Column: p.EndCol, Byte: p.EndBy},
	}
	return r
}

// explain words a failure of the program itself.
func (o *Options) explain(f *failure) hcl.Diagnostics {
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Subject: o.rng(f.At).Ptr()}
	var b strings.Builder
	b.WriteString(strings.TrimRight(f.Message, ".\n"))
	switch {
	case strings.HasPrefix(f.Message, "max stack frames exceeded"):
		b.WriteString(": functions or fields call one another without end, or deeper than the bound")
	case strings.HasPrefix(f.Message, "couldn't manifest function"), strings.HasPrefix(f.Message, "Couldn't manifest function"):
		b.WriteString(": call the function, or hide the field with ::")
	}
	b.WriteByte('.')
	if field, ok := strings.CutPrefix(f.Message, "Field does not exist: "); ok {
		if near := types.Suggest(strings.TrimRight(field, ".\n"), keysOf(o.Input)); near != "" {
			fmt.Fprintf(&b, " Did you mean %q?", near)
		}
	}
	var via []string
	for _, fr := range f.Frames {
		switch {
		case fr.At.File == "":
			via = append(via, strings.ToLower(fr.Name[:1])+fr.Name[1:])
		case f.At != nil && fr.At != *f.At && len(via) < 5:
			r := o.rng(&fr.At)
			at := fmt.Sprintf("%s:%d:%d", r.Filename, r.Start.Line, r.Start.Column)
			if at != fmt.Sprintf("%s:%d:%d", d.Subject.Filename, d.Subject.Start.Line, d.Subject.Start.Column) && !slices.Contains(via, at) {
				via = append(via, at)
			}
		}
	}
	if len(via) > 0 {
		b.WriteString(" The way there: " + strings.Join(via, ", ") + ".")
	}
	d.Detail = b.String()
	return hcl.Diagnostics{d}
}

// keysOf gives the keys of all objects and maps within a value, each once.
func keysOf(v cty.Value) []string {
	found := map[string]bool{}
	_ = cty.Walk(v, func(p cty.Path, _ cty.Value) (bool, error) {
		if len(p) == 0 {
			return true, nil
		}
		switch s := p[len(p)-1].(type) {
		case cty.GetAttrStep:
			found[s.Name] = true
		case cty.IndexStep:
			if s.Key.Type() == cty.String && s.Key.IsKnown() && !s.Key.IsNull() && !s.Key.IsMarked() {
				found[s.Key.AsString()] = true
			}
		}
		return len(found) < 10000, nil
	})
	return sortedKeys(found)
}

func sortedKeys[T any](m map[string]T) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
