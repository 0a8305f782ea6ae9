package emit

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Formats are the ways to write a copy of a tree, by name. Each takes a path
// that is new or (for those that make a directory) empty, and leaves nothing
// there when it fails. Equal images give equal bytes.
var Formats = map[string]func(img *Image, path string) error{
	"dir":     cleanly((*Image).WriteDir),
	"tar":     cleanly((*Image).writeTarFile),
	"erofs":   cleanly((*Image).writeErofs),
	"oci":     cleanly((*Image).writeOCI),
	"confext": cleanly((*Image).writeConfext),
}

// cleanly removes what a writer that failed left behind.
func cleanly(write func(*Image, string) error) func(*Image, string) error {
	return func(img *Image, path string) error {
		if err := EmptyOrNew(path); err != nil {
			return err
		}
		_, serr := os.Lstat(path)
		was := serr == nil
		err := write(img, path)
		if err == nil {
			return nil
		}
		if !was {
			return errors.Join(err, os.RemoveAll(path))
		}
		names, rerr := os.ReadDir(path)
		if rerr != nil {
			return err
		}
		for _, n := range names {
			err = errors.Join(err, os.RemoveAll(filepath.Join(path, n.Name())))
		}
		return err
	}
}

// WriteTar writes a tree as a tar archive, everything owned as declared.
func WriteTar(w io.Writer, entries []Entry) error {
	t := tar.NewWriter(w)
	for _, e := range entries {
		h := &tar.Header{Name: e.Path, Mode: int64(modeBits(e.Mode)), ModTime: Epoch, Format: tar.FormatPAX}
		h.Uid, h.Uname = owner(e.Owner)
		h.Gid, h.Gname = owner(e.Group)
		switch e.Kind {
		case Directory:
			h.Typeflag, h.Name = tar.TypeDir, e.Path+"/"
		case Link:
			h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, e.Target, 0o777
		case File:
			h.Typeflag, h.Size = tar.TypeReg, int64(len(e.Content))
		}
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		if e.Kind == File {
			if _, err := t.Write(e.Content); err != nil {
				return err
			}
		}
	}
	return t.Close()
}

// owner gives a declared owner as a number, or as a name that the one who
// unpacks resolves.
func owner(name string) (int, string) {
	if name == "" {
		return 0, "root"
	}
	if n, err := strconv.Atoi(name); err == nil {
		return n, ""
	}
	return 0, name
}

func modeBits(m fs.FileMode) uint64 {
	n, err := strconv.ParseUint(modeString(m), 8, 16)
	if err != nil {
		panic("unitgen: a mode is no octal number: " + err.Error())
	}
	return n
}

func (img *Image) writeTarFile(path string) error {
	if st, err := os.Lstat(path); err == nil && st.IsDir() {
		return fmt.Errorf("%s is a directory; an archive is a file", path)
	}
	var b bytes.Buffer
	if err := WriteTar(&b, img.All()); err != nil {
		return err
	}
	return writeFile(path, b.Bytes(), 0o644)
}

// writeOCI writes an OCI image layout: one layer with the tree at its root,
// for images that are built on top of others.
func (img *Image) writeOCI(path string) error {
	var layer bytes.Buffer
	if err := WriteTar(&layer, img.All()); err != nil {
		return err
	}
	blobs := filepath.Join(path, "blobs", "sha256")
	if err := os.MkdirAll(blobs, 0o755); err != nil {
		return err
	}
	type descriptor struct {
		MediaType   string            `json:"mediaType"`
		Digest      string            `json:"digest"`
		Size        int               `json:"size"`
		Annotations map[string]string `json:"annotations,omitempty"`
	}
	put := func(mediaType string, data []byte) (descriptor, error) {
		sum := hashOf(data)
		return descriptor{MediaType: mediaType, Digest: "sha256:" + sum, Size: len(data)},
			os.WriteFile(filepath.Join(blobs, sum), data, 0o644)
	}
	const vendor = "application/vnd.oci.image."
	l, err := put(vendor+"layer.v1.tar", layer.Bytes())
	if err != nil {
		return err
	}
	config, err := json.Marshal(map[string]any{
		"created": Epoch, "architecture": "amd64", "os": "linux", "config": map[string]any{},
		"rootfs":  map[string]any{"type": "layers", "diff_ids": []string{l.Digest}},
		"history": []any{map[string]any{"created": Epoch, "created_by": "unitgen build"}},
	})
	if err != nil {
		return err
	}
	c, err := put(vendor+"config.v1+json", config)
	if err != nil {
		return err
	}
	manifest, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": vendor + "manifest.v1+json", "config": c, "layers": []descriptor{l},
	})
	if err != nil {
		return err
	}
	m, err := put(vendor+"manifest.v1+json", manifest)
	if err != nil {
		return err
	}
	m.Annotations = map[string]string{"org.opencontainers.image.ref.name": img.Name}
	index, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": vendor + "index.v1+json", "manifests": []descriptor{m},
	})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(path, "index.json"), index, 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(path, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644); err != nil {
		return err
	}
	return filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644) // whatever the umask is
		if d.IsDir() {
			mode = 0o755
		}
		return os.Chmod(p, mode)
	})
}

// writeConfext writes a directory for systemd-confext(8): the /etc tree and
// the extension-release file that must carry the image's own name.
func (img *Image) writeConfext(path string) error {
	name := filepath.Base(filepath.Clean(path))
	out := &Image{Name: img.Name, Hash: img.Hash, Manifest: img.Manifest}
	for _, e := range img.Entries {
		if e.Path == "etc" || strings.HasPrefix(e.Path, "etc/") {
			out.Entries = append(out.Entries, e)
		}
	}
	dir := "etc/extension-release.d"
	if !out.has("etc") {
		out.Entries = append(out.Entries, Entry{Path: "etc", Kind: Directory, Mode: 0o755})
	}
	if !out.has(dir) {
		out.Entries = append(out.Entries, Entry{Path: dir, Kind: Directory, Mode: 0o755})
	}
	out.Entries = append(out.Entries, Entry{Path: dir + "/extension-release." + name, Kind: File, Mode: 0o644, Content: []byte("ID=_any\n")})
	if err := out.WriteDir(path); err != nil {
		return err
	}
	return os.Remove(filepath.Join(path, ManifestFile))
}

func (img *Image) has(path string) bool {
	for _, e := range img.Entries {
		if e.Path == path {
			return true
		}
	}
	return false
}

// erofsUUID is the same in every image, for equal bytes.
const erofsUUID = "6f1d3a52-6d5e-4f0b-9a57-756e69746765"

// writeErofs writes an erofs image with mkfs.erofs(1).
func (img *Image) writeErofs(path string) error {
	if st, err := os.Lstat(path); err == nil && st.IsDir() {
		return fmt.Errorf("%s is a directory; an erofs image is a file", path)
	}
	mkfs, err := exec.LookPath("mkfs.erofs")
	if err != nil {
		return fmt.Errorf("mkfs.erofs is not installed; install erofs-utils")
	}
	tmp, err := os.MkdirTemp("", "unitgen-erofs-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := img.WriteDir(filepath.Join(tmp, "tree")); err != nil {
		return err
	}
	out, err := exec.Command(mkfs, "--quiet", "-T", strconv.FormatInt(Epoch.Unix(), 10), "-U", erofsUUID, "--all-root",
		path, filepath.Join(tmp, "tree")).CombinedOutput()
	if err != nil {
		return fmt.Errorf("mkfs.erofs: %w: %s", err, bytes.TrimSpace(out))
	}
	return os.Chmod(path, 0o644) // whatever the umask is
}
