package generate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/unitgen/unitgen/compile/internal/funcs"
	"github.com/unitgen/unitgen/internal/plainfile"
)

// cacheVersion changes whenever the same program may give another result.
const cacheVersion = "1 go-jsonnet 0.22.0"

// cache is the place of one program's result: named by the program's content
// and input, valid as long as every file that it read is the same.
type cache struct{ file string }

func newCache(o *Options, input []byte) *cache {
	if o.CacheDir == "" {
		return &cache{}
	}
	text, err := o.reader().Read(o.Program)
	if err != nil {
		return &cache{}
	}
	h := sha256.New()
	data, _ := json.Marshal(o.Data)
	for _, part := range [][]byte{[]byte(cacheVersion), []byte(library), []byte(o.Program), data, text, input} {
		sum := sha256.Sum256(part)
		h.Write(sum[:])
	}
	name := hex.EncodeToString(h.Sum(nil))
	return &cache{file: filepath.Join(o.CacheDir, "generate", name[:2], name+".json")}
}

// load gives the stored response, or nil.
func (c *cache) load(o *Options) *response {
	if c.file == "" {
		return nil
	}
	b, err := plainfile.Read(c.file, 4*maxOutput)
	if err != nil {
		return nil
	}
	resp := &response{}
	if json.Unmarshal(b, resp) != nil || resp.Output == nil || resp.Failed != nil {
		return nil
	}
	files := o.reader()
	for name, sum := range resp.Files {
		if !files.Same(funcs.Observation{Kind: "file", Name: name, Answer: sum}) {
			return nil
		}
	}
	return resp
}

// store keeps a response. A cache that cannot be written is no error.
func (c *cache) store(resp *response) {
	if c.file == "" {
		return
	}
	b, err := json.Marshal(resp)
	if err != nil {
		return
	}
	dir := filepath.Dir(c.file)
	if os.MkdirAll(dir, 0o700) != nil {
		return
	}
	tmp, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return
	}
	_, err = tmp.Write(b)
	if cerr := tmp.Close(); err != nil || cerr != nil || os.Rename(tmp.Name(), c.file) != nil {
		_ = os.Remove(tmp.Name())
	}
}
