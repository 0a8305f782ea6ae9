package store

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/unitgen/unitgen/emit"
)

// Verify compares a tree on disk with its manifest, and the manifest with the
// hash in the tree's name. It gives one sentence for each difference.
func Verify(dir string) ([]string, error) {
	raw, err := os.ReadFile(filepath.Join(dir, emit.ManifestFile))
	if err != nil {
		return nil, err
	}
	var out []string
	sum := sha256.Sum256(raw)
	if want, _, ok := strings.Cut(filepath.Base(dir), "-"); ok && len(want) == 64 && want != hex.EncodeToString(sum[:]) {
		out = append(out, "manifest.json is not the one this tree was built with")
	}
	m, err := emit.ReadManifest(dir)
	if err != nil {
		return append(out, err.Error()), nil
	}
	known := map[string]bool{".": true, emit.ManifestFile: true}
	for _, e := range m.Entries {
		known[filepath.FromSlash(e.Path)] = true
		if why := entryDiffers(filepath.Join(dir, filepath.FromSlash(e.Path)), e); why != "" {
			out = append(out, e.Path+" "+why)
		}
	}
	err = filepath.WalkDir(dir, func(p string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err == nil && !known[rel] {
			out = append(out, filepath.ToSlash(rel)+" was added")
		}
		return err
	})
	sort.Strings(out)
	return out, err
}

func entryDiffers(p string, e emit.ManifestEntry) string {
	st, err := os.Lstat(p)
	if err != nil {
		return "is missing"
	}
	switch e.Kind {
	case emit.Directory:
		if !st.IsDir() {
			return "is no directory any more"
		}
	case emit.Link:
		t, err := os.Readlink(p)
		if err != nil {
			return "is no link any more"
		}
		if t != e.Target {
			return fmt.Sprintf("leads to %s, not to %s", t, e.Target)
		}
	case emit.File:
		if !st.Mode().IsRegular() {
			return "is no regular file any more"
		}
		sum, err := FileSum(p)
		if err != nil {
			return "cannot be read: " + err.Error()
		}
		if sum != e.SHA256 {
			return "has other content"
		}
	}
	return ""
}

// FileSum gives the sha256 of a file's content, in hexadecimal.
func FileSum(p string) (string, error) {
	f, err := os.Open(p)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
