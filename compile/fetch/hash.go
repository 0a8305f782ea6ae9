package fetch

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

	"github.com/unitgen/unitgen/internal/plainfile"
)

const hashPrefix = "sha256:"

// Bounds of a fetched module.
const (
	maxFiles = 20000
	maxBytes = 256 << 20
)

// HashDir gives the hash of a directory: of the sorted list of its files with
// mode (executable or not), content and link target, wherever it lies and
// whatever its times are. Version control's own directories do not count.
// Devices, FIFOs and sockets, links that lead out, and more files than a
// module has are refused.
func HashDir(root string) (string, error) {
	if _, err := os.Lstat(root); err != nil {
		return "", err
	}
	var lines []string
	total := int64(0)
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if d.Name() == ".git" {
				return filepath.SkipDir
			}
			return nil
		}
		if rel == ".git" { // of a submodule
			return nil
		}
		if len(lines) >= maxFiles {
			return fmt.Errorf("the module has more than %d files", maxFiles)
		}
		line, n, err := describe(root, p, rel, d)
		if err != nil {
			return err
		}
		if total += n; total > maxBytes {
			return fmt.Errorf("the module is larger than %d MiB", maxBytes>>20)
		}
		lines = append(lines, line)
		return nil
	})
	if err != nil {
		return "", err
	}
	sort.Strings(lines)
	h := sha256.New()
	for _, l := range lines {
		io.WriteString(h, l)
	}
	return hashPrefix + hex.EncodeToString(h.Sum(nil)), nil
}

func describe(root, p, rel string, d fs.DirEntry) (line string, size int64, err error) {
	switch {
	case d.Type()&fs.ModeSymlink != 0:
		target, err := os.Readlink(p)
		if err != nil {
			return "", 0, err
		}
		in, err := filepath.Rel(root, filepath.Join(filepath.Dir(p), target))
		if filepath.IsAbs(target) || err != nil || !filepath.IsLocal(in) {
			return "", 0, fmt.Errorf("the module has a symbolic link %q that leads outside", rel)
		}
		return fmt.Sprintf("link %q %q\n", rel, target), 0, nil
	case !d.Type().IsRegular():
		return "", 0, fmt.Errorf("the module has %q, which is neither a file nor a directory", rel)
	}
	st, err := d.Info()
	if err != nil {
		return "", 0, err
	}
	if st.Size() > maxBytes {
		return "", st.Size(), nil
	}
	f, err := plainfile.Open(p)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return "", 0, err
	}
	kind := "file"
	if st.Mode()&0o100 != 0 {
		kind = "prog"
	}
	return fmt.Sprintf("%s %q %x\n", kind, strings.ReplaceAll(rel, "\\", "/"), h.Sum(nil)), n, nil
}
