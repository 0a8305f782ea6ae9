package compile

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"sync"

	"github.com/unitgen/unitgen/compile/internal/funcs"
	"github.com/unitgen/unitgen/compile/internal/load"
	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/schema/diag"
)

// record is what the cache keeps of a check: every input with its hash, and
// what came out. It holds as long as every input is byte for byte the same.
type record struct {
	Dirs   []recordDir
	Links  map[string]string // imports and their real paths
	Files  []recordFile
	Asked  []recordAsked
	Lock   [sha256.Size]byte // of the lock file of imports from elsewhere
	Diags  diag.List
	Host   string
	Hosts  []string
	Inputs []string
	Stats  Stats

	Partial []byte // a partial, for the check after the next change
}

// recordDir is a directory of source files and the names it held.
type recordDir struct {
	Path  string
	Names []string
}

type recordFile struct {
	Path string
	Name string // as diagnostics name it
	Sum  [sha256.Size]byte
}

// recordAsked is a question that an evaluation asked a module's directory.
type recordAsked struct {
	Dir string
	O   funcs.Observation
}

// cacheFormat changes when records do.
const cacheFormat = 2

// cacheable reports whether all inputs of a compilation are such as the cache
// can watch.
func (o *Options) cacheable() bool {
	return o.Cache != "" && o.Sysroot == "" && len(o.Overrides) == 0 && len(o.Files) == 0 && o.Remote == nil
}

// cachePath names the record of a compilation: by directory, choice of host and
// variant, and the program itself.
func (c *compilation) cachePath() string {
	dir, err := filepath.Abs(c.o.Dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return ""
	}
	exe, err := programID()
	if err != nil {
		return ""
	}
	h := sha256.Sum256(fmt.Appendf(nil, "%d\x00%s\x00%s\x00%s\x00%s\x00%t\x00%t", cacheFormat, exe, dir, c.o.Host, c.o.Variant, c.o.NoVerify, c.o.Paths != nil))
	return filepath.Join(c.o.Cache, "check", hex.EncodeToString(h[:16]))
}

// programID tells one build of the program from another.
var programID = sync.OnceValues(func() (string, error) {
	p, err := os.Executable()
	if err != nil {
		return "", err
	}
	st, err := os.Stat(p)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s %d %d %s", p, st.Size(), st.ModTime().UnixNano(), runtime.Version()), nil
})

// recall gives the record of the same compilation, when it still holds.
// same says whether it holds entirely; where only files changed, it is given all
// the same.
func (c *compilation) recall(path string) (r *record, same bool) {
	b, err := load.ReadFile(path, 256<<20)
	if err != nil || len(b) < sha256.Size {
		return nil, false
	}
	// A record that was cut off or damaged counts for nothing.
	sum := sha256.Sum256(b[sha256.Size:])
	if !bytes.Equal(sum[:], b[:sha256.Size]) {
		return nil, false
	}
	r = &record{}
	if err := gob.NewDecoder(bytes.NewReader(b[sha256.Size:])).Decode(r); err != nil {
		return nil, false
	}
	for _, d := range r.Dirs {
		names, err := sourceNames(d.Path)
		if err != nil || strings.Join(names, "\x00") != strings.Join(d.Names, "\x00") {
			return nil, false
		}
	}
	for p, real := range r.Links {
		if now, err := filepath.EvalSymlinks(p); err != nil || now != real {
			return nil, false
		}
	}
	if lockSum(c.o.Dir) != r.Lock {
		return nil, false
	}
	if !sameFiles(r.Files) {
		return r, false
	}
	for _, a := range r.Asked {
		if !funcs.NewFiles(a.Dir, nil).Same(a.O) {
			return nil, false
		}
	}
	return r, true
}

// lockSum gives the hash of the lock file of imports, zero when there is none.
func lockSum(dir string) [sha256.Size]byte {
	b, err := load.ReadFile(filepath.Join(dir, "unitgen.lock.hcl"), syntax.MaxFile)
	if err != nil {
		return [sha256.Size]byte{}
	}
	return sha256.Sum256(b)
}

// sameFiles reads every file, on every core, and compares the hashes.
func sameFiles(files []recordFile) bool {
	work := make(chan recordFile, len(files))
	for _, f := range files {
		work <- f
	}
	close(work)
	var wg sync.WaitGroup
	var mu sync.Mutex
	same := true
	for range min(runtime.GOMAXPROCS(0), 8) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for f := range work {
				src, err := load.ReadFile(f.Path, syntax.MaxFile)
				if err == nil && sha256.Sum256(src) == f.Sum {
					continue
				}
				mu.Lock()
				same = false
				mu.Unlock()
				return
			}
		}()
	}
	wg.Wait()
	return same
}

// sourceNames lists the source files of a directory, sorted.
func sourceNames(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if n := e.Name(); strings.HasSuffix(n, load.Suffix) && !strings.HasPrefix(n, ".") {
			names = append(names, n)
		}
	}
	sort.Strings(names)
	return names, nil
}

// inputs are what a result depends on.
type inputs struct {
	dirs    []recordDir
	links   map[string]string
	files   []recordFile
	part    *partial
	outside bool // something that the cache cannot watch
}

// inputs gathers what the compilation has read.
func (c *compilation) inputs() *inputs {
	in := &inputs{links: c.set.Links, outside: c.outside()}
	if c.o.Cache == "" {
		in.outside = true
		return in
	}
	for _, d := range c.set.Dirs {
		names, err := sourceNames(d)
		if err != nil {
			in.outside = true
			return in
		}
		in.dirs = append(in.dirs, recordDir{d, names})
	}
	for _, m := range c.set.Modules {
		if m.Bundled {
			continue // part of the program
		}
		for _, f := range m.Files {
			in.files = append(in.files, recordFile{f.Path, f.Name, sha256.Sum256(f.Src)})
		}
	}
	sort.Slice(in.files, func(i, j int) bool { return in.files[i].Path < in.files[j].Path })
	if c.tree != nil && !in.outside {
		in.part = c.partial(c.tree)
	}
	return in
}

// remember writes the record of a finished compilation. What cannot be written
// is left out: every command works without the cache.
func (c *compilation) remember(path string, r *Result) {
	in := c.keep
	if in == nil {
		if c.set == nil || c.ix == nil {
			return
		}
		in = c.inputs()
	}
	if in.outside || c.ctx.Err() != nil || unreadable(c.diags) {
		return
	}
	rec := &record{Diags: c.diags, Host: r.Host, Hosts: r.Hosts, Inputs: r.Inputs, Stats: r.Stats, Links: in.links, Dirs: in.dirs, Files: in.files}
	for _, a := range c.seen {
		if !a.module.Bundled {
			rec.Asked = append(rec.Asked, recordAsked{a.module.Dir, a.o})
		}
	}
	rec.Lock = lockSum(c.o.Dir)
	if in.part != nil && len(c.diags) == 0 {
		var b bytes.Buffer
		if gob.NewEncoder(&b).Encode(in.part) == nil {
			rec.Partial = b.Bytes()
		}
	}
	rec.write(path)
}

func (rec *record) write(path string) {
	var b bytes.Buffer
	b.Write(make([]byte, sha256.Size))
	if err := gob.NewEncoder(&b).Encode(rec); err != nil {
		return
	}
	out := b.Bytes()
	sum := sha256.Sum256(out[sha256.Size:])
	copy(out, sum[:])
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return
	}
	_, err = tmp.Write(out)
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
	}
}

// outside reports whether the result depends on files that the cache does not
// watch: unit files of the distribution and of packages, other hosts.
func (c *compilation) outside() bool {
	for _, k := range []string{"unit", "package"} {
		for _, b := range c.ix.Blocks[k] {
			if k == "package" || b.Attr("from") != nil {
				return true
			}
		}
	}
	// Modules that the host leaves out were read too: their names matter.
	if len(c.set.Off) > 0 {
		return true
	}
	return len(c.peers) > 0
}

// unreadable reports whether a file could not be read, or a program failed whose
// files are not all known, which may be different the next time.
func unreadable(l diag.List) bool {
	for _, d := range l {
		if strings.HasPrefix(d.Code, "E010") || d.Code == "E0001" || d.Code == "E0701" {
			return true
		}
	}
	return false
}

// restore fills a result from a record.
func (c *compilation) restore(r *Result, rec *record) {
	r.Host, r.Hosts, r.Inputs, r.Stats = rec.Host, rec.Hosts, rec.Inputs, rec.Stats
	r.Stats.Cached = true
	c.diags = rec.Diags
	if len(c.diags) == 0 {
		return
	}
	// Snippets need the text, and secrets masked in it.
	c.lazy = true
}
