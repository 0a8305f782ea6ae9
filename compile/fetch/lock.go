package fetch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sort"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/internal/plainfile"
)

// Lock is the content of the lock file.
type Lock struct{ Entries []*Entry }

// Entry pins one source.
type Entry struct {
	Source string // as imports name it, without the directory inside
	Commit string // of git sources
	Hash   string // of the fetched directory, see HashDir
}

// Entry gives the entry of a source, or nil.
func (l *Lock) Entry(source string) *Entry {
	for _, e := range l.Entries {
		if e.Source == source {
			return e
		}
	}
	return nil
}

var (
	commitForm = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)
	hashForm   = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
)

// ReadLock reads the lock file of a host's directory; a missing one is empty.
func ReadLock(dir string) (*Lock, error) {
	b, err := plainfile.Read(filepath.Join(dir, LockFile), 1<<20)
	if errors.Is(err, fs.ErrNotExist) {
		return &Lock{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", LockFile, errors.Unwrap(err))
	}
	return parseLock(b)
}

func parseLock(b []byte) (*Lock, error) {
	if len(b) > 1<<20 {
		return nil, fmt.Errorf("%s is larger than 1 MiB; delete it and run unitgen get", LockFile)
	}
	f, diags := hclsyntax.ParseConfig(b, LockFile, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, damaged(diags[0].Subject, diags[0].Detail)
	}
	lock := &Lock{}
	body := f.Body.(*hclsyntax.Body)
	for _, blk := range body.Blocks {
		if blk.Type != "source" || len(blk.Labels) != 1 {
			return nil, damaged(&blk.TypeRange, "it holds source blocks with one label")
		}
		e := &Entry{Source: blk.Labels[0]}
		for name, a := range blk.Body.Attributes {
			v, d := a.Expr.Value(nil)
			if d.HasErrors() || v.IsNull() || v.Type() != cty.String {
				return nil, damaged(&a.NameRange, name+" must be a string")
			}
			switch name {
			case "commit":
				e.Commit = v.AsString()
			case "hash":
				e.Hash = v.AsString()
			default:
				return nil, damaged(&a.NameRange, "a source has commit and hash")
			}
		}
		if !hashForm.MatchString(e.Hash) || e.Commit != "" && !commitForm.MatchString(e.Commit) {
			return nil, damaged(&blk.TypeRange, "a source has a hash sha256:… and, for git, a full commit")
		}
		if lock.Entry(e.Source) != nil {
			return nil, damaged(&blk.TypeRange, "a source stands in it twice")
		}
		lock.Entries = append(lock.Entries, e)
	}
	return lock, nil
}

func damaged(at *hcl.Range, why string) error {
	where := LockFile
	if at != nil {
		where = fmt.Sprintf("%s:%d", LockFile, at.Start.Line)
	}
	return fmt.Errorf("%s is damaged (%s); restore it from version control, or delete it and run unitgen get", where, why)
}

// Bytes writes the lock file, sorted by source.
func (l *Lock) Bytes() []byte {
	sort.Slice(l.Entries, func(i, j int) bool { return l.Entries[i].Source < l.Entries[j].Source })
	f := hclwrite.NewEmptyFile()
	f.Body().AppendUnstructuredTokens(hclwrite.Tokens{{Type: hclsyntax.TokenComment, Bytes: []byte("# Written by unitgen get. Keep it in version control.\n")}})
	for _, e := range l.Entries {
		f.Body().AppendNewline()
		b := f.Body().AppendNewBlock("source", []string{e.Source}).Body()
		if e.Commit != "" {
			b.SetAttributeValue("commit", cty.StringVal(e.Commit))
		}
		b.SetAttributeValue("hash", cty.StringVal(e.Hash))
	}
	return hclwrite.Format(f.Bytes())
}

// Write replaces the lock file of a host's directory by one rename; without
// entries it is removed.
func (l *Lock) Write(dir string) error {
	file := filepath.Join(dir, LockFile)
	if len(l.Entries) == 0 {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	b := l.Bytes()
	if old, err := os.ReadFile(file); err == nil && string(old) == string(b) {
		return nil
	}
	tmp, err := os.CreateTemp(dir, ".unitgen.lock-*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(b)
	if err == nil {
		err = tmp.Chmod(0o644)
	}
	if err == nil {
		err = tmp.Sync()
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
	}
	return err
}
