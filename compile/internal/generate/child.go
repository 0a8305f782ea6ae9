package generate

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/google/go-jsonnet"
	"github.com/google/go-jsonnet/ast"
	"github.com/google/go-jsonnet/toolutils"
	"golang.org/x/sys/unix"

	"github.com/unitgen/unitgen/compile/internal/funcs"
)

//go:embed unitgen.libsonnet
var library string

// libraryName is what programs import.
const libraryName = "unitgen.libsonnet"

// init runs the program and ends the process where this process was started
// for that, whatever binary the package is linked into: the command, or a test.
func init() {
	if len(os.Args) != 1 || os.Args[0] != childName {
		return
	}
	code := 0
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	syscall.Exit(code)
}

func serve(in io.Reader, out io.Writer) error {
	var req request
	if err := json.NewDecoder(in).Decode(&req); err != nil {
		return err
	}
	bound(&req)
	return json.NewEncoder(out).Encode(run(&req))
}

// bound puts the process under its limits.
func bound(req *request) {
	debug.SetMaxStack(128 << 20)
	debug.SetGCPercent(400)
	runtime.GOMAXPROCS(min(runtime.GOMAXPROCS(0), 2)) // the stack of each thread counts as memory
	debug.SetMemoryLimit(int64(req.MaxMemory - req.MaxMemory/6))
	for what, limit := range map[int]uint64{
		unix.RLIMIT_DATA: req.MaxMemory,
		unix.RLIMIT_CPU:  req.Seconds,
		unix.RLIMIT_CORE: 0,
	} {
		// A kernel that does not take the limit leaves the parent's deadline.
		_ = unix.Setrlimit(what, &unix.Rlimit{Cur: limit, Max: limit})
	}
}

// program is one run.
type program struct {
	req   *request
	files *funcs.Files
	texts map[string]jsonnet.Contents
	vm    *jsonnet.VM
	resp  response
}

func run(req *request) *response {
	p := &program{req: req, texts: map[string]jsonnet.Contents{}, files: funcs.NewFiles(req.Dir, nil), vm: jsonnet.MakeVM()}
	if req.Files != nil {
		p.files = funcs.NewBundledFiles(req.Files, nil)
	}
	p.resp.Fields = map[string][]place{}
	p.resp.Files = map[string]string{}
	p.vm.MaxStack = req.MaxStack
	p.vm.SetTraceOut(io.Discard)
	p.vm.Importer(p)
	if p.parse("", "./"+req.Program, nil) {
		p.evaluate()
	}
	return &p.resp
}

// Import reads a file for the program (jsonnet.Importer).
func (p *program) Import(from, name string) (jsonnet.Contents, string, error) {
	if name == libraryName {
		return p.text(libraryName, library), libraryName, nil
	}
	if path.IsAbs(name) {
		return jsonnet.Contents{}, "", fmt.Errorf("%q is an absolute path; imports stay inside the module's directory", name)
	}
	at := path.Join(path.Dir(from), name)
	if c, ok := p.texts[at]; ok {
		return c, at, nil
	}
	if !p.allowed(at) {
		return jsonnet.Contents{}, "", fmt.Errorf("%q is not declared: name it in data", at)
	}
	b, err := p.files.Read(at)
	if err != nil {
		return jsonnet.Contents{}, "", err
	}
	sum := sha256.Sum256(b)
	p.resp.Files[at] = hex.EncodeToString(sum[:])
	return p.text(at, string(b)), at, nil
}

func (p *program) text(name, s string) jsonnet.Contents {
	c, ok := p.texts[name]
	if !ok {
		c = jsonnet.MakeContents(s)
		p.texts[name] = c
	}
	return c
}

func (p *program) allowed(name string) bool {
	if !p.req.Restrict || strings.HasSuffix(name, ".jsonnet") || strings.HasSuffix(name, ".libsonnet") {
		return true
	}
	for _, d := range p.req.Data {
		if path.Clean(d) == name {
			return true
		}
	}
	return false
}

// parse reads a file and everything it imports before anything runs, so that
// syntax errors have their place and the fields of all objects are known.
func (p *program) parse(from, name string, at *place) bool {
	node, found, err := p.vm.ImportAST(from, name) // the VM runs this very tree
	if err == nil {
		return p.walk(found, node)
	}
	f := &failure{Message: err.Error(), At: at}
	var static interface{ Loc() ast.LocationRange }
	if errors.As(err, &static) {
		loc := static.Loc()
		f.At = placeOf(&loc)
		f.Message = strings.TrimPrefix(f.Message, loc.String()+" ")
	}
	p.resp.Failed = f
	return false
}

func (p *program) walk(file string, node ast.Node) bool {
	stack := []ast.Node{node}
	var imports []*ast.Import
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		switch n := n.(type) {
		case *ast.DesugaredObject:
			if file != libraryName {
				p.fields(n)
			}
		case *ast.Apply:
			speedUp(n)
		case *ast.Import:
			imports = append(imports, n)
		}
		stack = append(stack, toolutils.Children(n)...)
	}
	for _, im := range imports {
		target := path.Join(path.Dir(file), im.File.Value)
		if im.File.Value == libraryName {
			target = libraryName
		}
		if _, done := p.texts[target]; done {
			continue
		}
		if !p.parse(file, im.File.Value, placeOf(im.Loc())) {
			return false
		}
	}
	return true
}

// maxPlaces bounds how many fields of one name are told.
const maxPlaces = 2000

func (p *program) fields(o *ast.DesugaredObject) {
	for i := range o.Fields {
		f := &o.Fields[i]
		name, ok := f.Name.(*ast.LiteralString)
		if !ok || len(p.resp.Fields[name.Value]) >= maxPlaces {
			continue
		}
		if pl := placeOf(&f.LocRange); pl != nil {
			p.resp.Fields[name.Value] = append(p.resp.Fields[name.Value], *pl)
		}
	}
}

// wrapper calls the program with its input.
const wrapper = `local p = import %s; if std.isFunction(p) then (if std.length(p) == 0 then p() else p(std.parseJson(std.extVar('input')))) else p`

func (p *program) evaluate() {
	vm := p.vm
	vm.ExtVar("input", string(p.req.Input))
	for _, f := range natives() {
		vm.NativeFunction(f)
	}
	catch := &catcher{}
	vm.ErrorFormatter = catch
	quoted, _ := json.Marshal("./" + p.req.Program)
	out, err := vm.EvaluateAnonymousSnippet("", fmt.Sprintf(wrapper, quoted))
	if err == nil {
		p.resp.Output = json.RawMessage(out)
		return
	}
	f := &failure{Message: err.Error()}
	var rt jsonnet.RuntimeError
	if catch.err != nil {
		f.Message = catch.err.Error()
		if errors.As(catch.err, &rt) {
			f.Message = rt.Msg
			f.frames(rt.StackTrace)
		}
	}
	p.resp.Failed = f
}

func (f *failure) frames(trace []jsonnet.TraceFrame) {
	for i := len(trace) - 1; i >= 0; i-- {
		t := trace[i]
		pl := placeOf(&t.Loc)
		if pl == nil {
			if strings.HasPrefix(t.Name, "Field ") || strings.HasPrefix(t.Name, "Array element ") {
				f.Frames = append(f.Frames, frame{Name: t.Name})
			}
			continue
		}
		if f.At == nil {
			f.At = pl
		}
		if len(f.Frames) < 10 {
			f.Frames = append(f.Frames, frame{Name: t.Name, At: *pl})
		}
	}
}

// catcher keeps the error that the VM would format.
type catcher struct{ err error }

func (c *catcher) Format(err error) string                  { c.err = err; return err.Error() }
func (c *catcher) SetMaxStackTraceSize(int)                 {}
func (c *catcher) SetColorFormatter(jsonnet.ColorFormatter) {}

// placeOf gives a location in a file of the module, or nil.
func placeOf(loc *ast.LocationRange) *place {
	if loc == nil || !loc.IsSet() || loc.File == nil || loc.FileName == "" || strings.HasPrefix(loc.FileName, "<") || loc.FileName == libraryName {
		return nil
	}
	p := &place{File: path.Clean(loc.FileName)}
	p.Line, p.Col, p.Byte = position(loc.File.Lines, loc.Begin)
	p.EndLine, p.EndCol, p.EndBy = position(loc.File.Lines, loc.End)
	return p
}

func position(lines []string, l ast.Location) (line, col, byt int) {
	for i := 0; i < l.Line-1 && i < len(lines); i++ {
		byt += len(lines[i])
	}
	col = l.Column
	if l.Line >= 1 && l.Line <= len(lines) {
		s := lines[l.Line-1]
		n := min(max(l.Column-1, 0), len(s))
		col = len([]rune(s[:n])) + 1
		byt += n
	}
	return l.Line, col, byt
}
