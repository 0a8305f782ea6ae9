package load

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"sync"
	"syscall"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/internal/plainfile"
	"github.com/unitgen/unitgen/schema/diag"
)

// Suffix is what the names of source files end in.
const Suffix = ".ug.hcl"

type job struct {
	m     *Module
	path  string
	name  string
	file  *syntax.File
	diags diag.List
}

// parse lists and parses the files of modules, in parallel, and keeps them in
// the order of their names.
func (l *loader) parse(mods []*Module) {
	var jobs []*job
	for _, m := range mods {
		jobs = append(jobs, l.list(m)...)
	}
	n := l.o.Parallelism
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	n = min(n, len(jobs))
	var wg sync.WaitGroup
	next := make(chan *job, len(jobs))
	for _, j := range jobs {
		next <- j
	}
	close(next)
	for range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for j := range next {
				if l.ctx.Err() == nil {
					l.one(j)
				}
			}
		}()
	}
	wg.Wait()
	if err := l.ctx.Err(); err != nil {
		l.diags = append(l.diags, diag.Errorf("E0109", "Interrupted", diag.Range{}, "%s.", reason(err)))
	}
	for _, j := range jobs {
		l.diags = append(l.diags, j.diags...)
		if j.file == nil {
			continue
		}
		l.set.Sources[j.name] = j.file.Src
		j.m.Files = append(j.m.Files, j.file)
		for _, b := range j.file.Blocks {
			l.header(j.m, b)
		}
	}
}

// header notes the module block of a directory.
func (l *loader) header(m *Module, b *syntax.Block) {
	switch {
	case b.Kind == "host" && !m.Host:
		d := diag.Errorf("E0215", "Host block in an imported module", syntax.Range(b.Header), "A host block may stand only in the directory that is built. Move it there, or build this directory instead of importing it.")
		d.Related = []diag.Related{{Message: "imported here", Range: m.Imported}}
		l.diags = append(l.diags, d)
	case b.Kind != "module" || len(b.Labels) == 0:
	case m.Header != nil:
		d := diag.Errorf("E0216", "Second module block", syntax.Range(b.Header), "A directory is one module and has one module block at most. Put both into one.")
		d.Related = []diag.Related{{Message: "the other block", Range: syntax.Range(m.Header.Header)}}
		l.diags = append(l.diags, d)
	case !hclsyntax.ValidIdentifier(b.Label()):
		l.diags = append(l.diags, diag.Errorf("E0217", "Invalid name", syntax.Range(b.Labels[0].Range), "%q cannot name a module: options are read as config.NAME.option, so the name must be an identifier (letters, digits, _ and -, beginning with a letter).", b.Label()))
	default:
		m.Header, m.Name = b, b.Label()
	}
}

func (l *loader) list(m *Module) []*job {
	var entries []fs.DirEntry
	var err error
	if m.Bundled {
		entries, err = fs.ReadDir(l.o.Bundled, m.Dir)
	} else {
		entries, err = os.ReadDir(m.Dir)
		l.set.Dirs = append(l.set.Dirs, m.Dir)
	}
	if err != nil {
		at := m.Imported
		if at.IsZero() {
			at = diag.Range{File: "."}
		}
		l.diags = append(l.diags, diag.Errorf("E0106", "Directory cannot be read", at, "%s.", reason(err)))
		return nil
	}
	names := map[string]bool{}
	for _, e := range entries {
		names[e.Name()] = true
	}
	for p := range l.o.Files {
		if !m.Bundled && filepath.Dir(p) == m.Dir {
			names[filepath.Base(p)] = true
		}
	}
	var jobs []*job
	for n := range names {
		if strings.HasSuffix(n, Suffix) && !strings.HasPrefix(n, ".") {
			p := filepath.Join(m.Dir, n)
			if m.Bundled {
				p = path.Join(m.Dir, n)
			}
			jobs = append(jobs, &job{m: m, path: p, name: m.Prefix + n})
		}
	}
	sort.Slice(jobs, func(i, j int) bool { return jobs[i].name < jobs[j].name })
	if len(jobs) == 0 && !m.Host {
		l.diags = append(l.diags, diag.Errorf("E0107", "Directory has no configuration", m.Imported, "There is no *.ug.hcl file in %q, so it is no module. Correct the import, or put the module's files there.", strings.TrimSuffix(m.Prefix, "/")))
	}
	return jobs
}

func (l *loader) one(j *job) {
	src, err := l.read(j)
	if err != nil {
		j.diags = diag.List{diag.Errorf("E0105", "Source file cannot be read", diag.Range{File: j.name}, "%s.", reason(err))}
		return
	}
	p := j.path
	if j.m.Bundled {
		p = ""
	}
	if l.o.Stub != nil {
		if j.file = l.o.Stub(p, j.name, src); j.file != nil {
			return
		}
	}
	j.file, j.diags = syntax.Parse(j.name, p, src)
}

func (l *loader) read(j *job) ([]byte, error) {
	if j.m.Bundled {
		return fs.ReadFile(l.o.Bundled, j.path)
	}
	if src, ok := l.o.Files[j.path]; ok {
		return src, nil
	}
	return ReadFile(j.path, syntax.MaxFile)
}

// ReadFile reads a regular file of at most limit bytes (one more is given when
// it is longer). It never blocks on a FIFO, a device or a file of the kernel.
func ReadFile(p string, limit int64) ([]byte, error) {
	f, err := plainfile.Open(p)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	buf := make([]byte, 0, min(st.Size(), limit)+1)
	for int64(len(buf)) <= limit {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := f.Read(buf[len(buf):min(int64(cap(buf)), limit+1)])
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return buf, nil
}

// reason spells an error of the system without the path, which the range
// names already.
func reason(err error) string {
	var pe *fs.PathError
	switch {
	case errors.Is(err, syscall.ELOOP):
		return "it is a loop of symbolic links"
	case errors.Is(err, syscall.ENXIO):
		return "it is a FIFO or socket; only regular files are read"
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file or directory"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	case strings.Contains(err.Error(), "too many links"):
		return "it is a loop of symbolic links"
	case errors.As(err, &pe):
		return pe.Err.Error()
	}
	return err.Error()
}

// literals gives the strings of an attribute that must be a literal list.
func (l *loader) literals(a *syntax.Attr, what string) []literal {
	exprs := []hclsyntax.Expression{a.Expr()}
	if t, ok := a.Expr().(*hclsyntax.TupleConsExpr); ok {
		exprs = t.Exprs
	}
	var out []literal
	for _, e := range exprs {
		s, ok := syntax.StringOf(e)
		if !ok {
			l.diags = append(l.diags, diag.Errorf("E0218", "Not a literal", syntax.Range(e.Range()), "%s is read before anything is evaluated: write plain strings. To make a module's content conditional, give it when = … in its module block.", what))
			continue
		}
		out = append(out, literal{s, syntax.Range(e.Range())})
	}
	return out
}
