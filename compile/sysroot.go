package compile

import (
	"bufio"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/unitgen/unitgen/compile/internal/lower"
	"github.com/unitgen/unitgen/internal/plainfile"
)

// libraryDirs are where distributions lay libsystemd-shared, relative to the
// root; an element may be a pattern.
var libraryDirs = []string{"usr/lib/systemd", "usr/lib64/systemd", "lib/systemd", "lib64/systemd", "usr/lib/*-linux-*/systemd", "lib/*-linux-*/systemd"}

var (
	sharedLibrary = regexp.MustCompile(`^libsystemd-shared-(\d{3})(?:[.~-].*)?\.so$`)
	runningIn     = regexp.MustCompile(`systemd (\d{3})[^\n\x00]{0,80} running in `)
	packageOf     = regexp.MustCompile(`(?m)^Package: systemd\n(?:[^\n]+\n)*?Version: (?:\d+:)?(\d{3})`)
)

// SystemdBelow finds the version of the systemd that is installed below a
// system root, and the file that tells it: the name of its shared library, the
// text in its program, the list of installed packages, or the release of the
// distribution. Version 0 where none tells.
func SystemdBelow(root string) (version int, from string) {
	for _, pattern := range libraryDirs {
		dirs, _ := filepath.Glob(filepath.Join(root, pattern))
		for _, dir := range dirs {
			list, _ := os.ReadDir(dir)
			for _, e := range list {
				if m := sharedLibrary.FindStringSubmatch(e.Name()); m != nil && number(m[1]) > version {
					version, from = number(m[1]), within(root, filepath.Join(dir, e.Name()))
				}
			}
		}
		if version > 0 {
			return version, from
		}
	}
	for _, p := range []string{"usr/lib/systemd/systemd", "lib/systemd/systemd"} {
		if v := versionInProgram(filepath.Join(root, p)); v > 0 {
			return v, "/" + p
		}
	}
	const packages = "var/lib/dpkg/status"
	if b, err := plainfile.Read(filepath.Join(root, packages), 64<<20); err == nil {
		if m := packageOf.FindSubmatch(b); m != nil {
			return number(string(m[1])), "/" + packages
		}
	}
	for _, p := range []string{"etc/os-release", "usr/lib/os-release"} {
		b, err := plainfile.Read(filepath.Join(root, p), 1<<20)
		if err != nil {
			continue
		}
		f := map[string]string{}
		for _, l := range strings.Split(string(b), "\n") {
			if k, v, ok := strings.Cut(strings.TrimSpace(l), "="); ok {
				f[k] = strings.Trim(v, `"'`)
			}
		}
		if v := releases[f["ID"]+" "+f["VERSION_ID"]]; v > 0 {
			return v, "/" + p
		}
	}
	return 0, ""
}

// releases says which systemd the releases of distributions come with, for
// roots that have their name and no systemd.
var releases = map[string]int{
	"debian 11": 247, "debian 12": 252, "debian 13": 257,
	"ubuntu 20.04": 245, "ubuntu 22.04": 249, "ubuntu 24.04": 255,
	"fedora 39": 254, "fedora 40": 255, "fedora 41": 256, "fedora 42": 257,
}

func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

func within(root, p string) string {
	rel, err := filepath.Rel(root, p)
	if err != nil {
		return p
	}
	return path.Join("/", filepath.ToSlash(rel))
}

// versionInProgram looks for the greeting of systemd in its program.
func versionInProgram(file string) int {
	st, err := os.Stat(file)
	if err != nil || !st.Mode().IsRegular() {
		return 0
	}
	f, err := os.Open(file)
	if err != nil {
		return 0
	}
	defer f.Close()
	r := bufio.NewReaderSize(io.LimitReader(f, 64<<20), 1<<20)
	var tail []byte
	for {
		chunk := make([]byte, 1<<20)
		n, err := io.ReadFull(r, chunk)
		if m := runningIn.FindSubmatch(append(tail, chunk[:n]...)); m != nil {
			return number(string(m[1]))
		}
		if err != nil {
			return 0
		}
		tail = chunk[n-128:]
	}
}

// below gives what is known of the systemd of the compilation's system root.
func (c *compilation) below() lower.Below {
	if c.o.Sysroot == "" {
		return lower.Below{}
	}
	v, from := SystemdBelow(c.o.Sysroot)
	return lower.Below{Version: v, From: from}
}
