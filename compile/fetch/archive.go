package fetch

import (
	"archive/tar"
	"archive/zip"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	getter "github.com/hashicorp/go-getter/v2"
)

// decompressors gives the bounded ones of the getter, each of which looks at an
// archive's list before it unpacks: what is neither file nor directory would
// silently become an empty file.
func decompressors() map[string]getter.Decompressor {
	all := getter.LimitedDecompressors(maxFiles, maxBytes)
	single := map[string]getter.Decompressor{"gz": all["gz"], "bz2": all["bz2"], "xz": all["xz"], "zst": all["zst"]}
	for _, f := range []struct{ name, packed string }{
		{"tar", ""}, {"tar.gz", "gz"}, {"tgz", "gz"}, {"tar.bz2", "bz2"}, {"tbz2", "bz2"},
		{"tar.xz", "xz"}, {"txz", "xz"}, {"tar.zst", "zst"}, {"tzst", "zst"},
	} {
		all[f.name] = listed{all[f.name], tarList(single[f.packed])}
	}
	all["zip"] = listed{all["zip"], zipList}
	return all
}

// listed is a decompressor that looks at the list of an archive first.
type listed struct {
	getter.Decompressor
	list func(src string) error
}

// Decompress unpacks an archive (getter.Decompressor).
func (l listed) Decompress(dst, src string, dir bool, umask os.FileMode) error {
	if err := l.list(src); err != nil {
		return err
	}
	return l.Decompressor.Decompress(dst, src, dir, umask)
}

func unpackable(kind, name string) error {
	return fmt.Errorf("the archive holds %s %q; a module is made of files and directories alone, so put the file itself there", kind, name)
}

// tarList refuses a tar archive with anything but files and directories.
func tarList(unpack getter.Decompressor) func(src string) error {
	return func(src string) error {
		if unpack != nil {
			tmp, err := os.MkdirTemp(filepath.Dir(src), "list")
			if err != nil {
				return err
			}
			defer os.RemoveAll(tmp)
			plain := filepath.Join(tmp, "plain.tar")
			if err := unpack.Decompress(plain, src, false, 0); err != nil {
				return err
			}
			src = plain
		}
		f, err := os.Open(src)
		if err != nil {
			return err
		}
		defer f.Close()
		r := tar.NewReader(f)
		for {
			h, err := r.Next()
			if err != nil {
				return nil // the end, or what the unpacking tells
			}
			switch h.Typeflag {
			case tar.TypeReg, tar.TypeDir, tar.TypeXGlobalHeader, tar.TypeXHeader, tar.TypeGNULongName, tar.TypeGNULongLink:
			case tar.TypeSymlink:
				return unpackable("the symbolic link", h.Name)
			case tar.TypeLink:
				return unpackable("the hard link", h.Name)
			default:
				return unpackable("a device, FIFO or other thing", h.Name)
			}
		}
	}
}

func zipList(src string) error {
	z, err := zip.OpenReader(src)
	if err != nil {
		return fmt.Errorf("the archive is damaged: %w", err)
	}
	defer z.Close()
	for _, f := range z.File {
		switch m := f.Mode(); {
		case m.IsRegular(), m.IsDir():
		case m&fs.ModeSymlink != 0:
			return unpackable("the symbolic link", f.Name)
		default:
			return unpackable("a device, FIFO or other thing", f.Name)
		}
	}
	return nil
}

// places are the temporary ones that the getter's words name.
var places = regexp.MustCompile(`\S*/getter\d+/archive\S*|\S*/\.new-\d+(?:/module)?`)

// plainly takes the names of temporary places out of the getter's words.
func plainly(s string) string {
	if strings.HasSuffix(s, "unexpected EOF") {
		return "the archive is damaged or cut off"
	}
	return strings.ReplaceAll(places.ReplaceAllString(s, "the source"), "the source/", "")
}
