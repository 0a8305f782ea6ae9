// Package fetch brings modules from elsewhere (git, https archives, local
// archives and repositories) into a cache, pinned by unitgen.lock.hcl.
//
// Get is the only thing in unitgen's compiler that uses the network, and only
// `unitgen get` calls it. A build asks a Store, which knows the lock file and
// the cache and verifies every hash. The package must not know what a module
// says.
package fetch

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	getter "github.com/hashicorp/go-getter/v2"
)

// LockFile is the name of the lock file in the host's directory.
const LockFile = "unitgen.lock.hcl"

// Store resolves addresses to fetched directories, offline. It is safe for
// concurrent use.
type Store struct {
	dir, cache string

	mu       sync.Mutex
	lock     *Lock
	err      error
	verified map[string]error  // by hash
	roots    map[string]string // directory in the cache: the source it holds
}

// NewStore gives the store of a host's directory. The cache directory holds
// fetched modules below "modules"; "" finds none there.
func NewStore(dir, cache string) *Store {
	return &Store{dir: dir, cache: cache, verified: map[string]error{}, roots: map[string]string{}}
}

// Resolve gives the directory of an import such as
// "git::https://example.org/net.git//modules/vpn?ref=v1". It must be pinned in
// the lock file and lie in the cache with the pinned hash.
func (s *Store) Resolve(address string) (string, error) {
	src, sub, err := Split(address)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lock == nil && s.err == nil {
		s.lock, s.err = ReadLock(s.dir)
	}
	if s.err != nil {
		return "", s.err
	}
	e := s.lock.Entry(src)
	if e == nil {
		return "", fmt.Errorf("%q is not in %s", src, LockFile)
	}
	root := s.at(e.Hash)
	if _, done := s.verified[e.Hash]; !done {
		s.verified[e.Hash] = verify(root, e)
	}
	if err := s.verified[e.Hash]; err != nil {
		return "", err
	}
	s.roots[root] = src
	dir := filepath.Join(root, filepath.FromSlash(sub))
	st, err := os.Stat(dir)
	if err != nil || !st.IsDir() {
		return "", fmt.Errorf("%q has no directory %q", src, sub)
	}
	return dir, nil
}

// at is where a module of that hash lies.
func (s *Store) at(hash string) string {
	return filepath.Join(s.cache, "modules", strings.TrimPrefix(hash, hashPrefix))
}

// Name spells a directory of the cache by where it came from, so that nothing
// in a tree depends on where the cache is: "git::https://…//modules/vpn". It
// gives false for a directory that no resolved import lies in.
func (s *Store) Name(dir string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for root, src := range s.roots {
		real, err := filepath.EvalSymlinks(root)
		if err != nil {
			real = root
		}
		for _, r := range []string{root, real} {
			rel, err := filepath.Rel(r, dir)
			if err != nil || !filepath.IsLocal(rel) {
				continue
			}
			base, _, _ := strings.Cut(src, "?")
			if rel == "." {
				return base, true
			}
			return base + "//" + filepath.ToSlash(rel), true
		}
	}
	return "", false
}

func verify(root string, e *Entry) error {
	got, err := HashDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%q is pinned but not fetched", e.Source)
	}
	if err != nil {
		return err
	}
	if got != e.Hash {
		return fmt.Errorf("the fetched files of %q were changed: their hash is %s, and %s pins %s", e.Source, got, LockFile, e.Hash)
	}
	return nil
}

// Split takes an address apart: the source with its query, and the directory
// inside it.
func Split(address string) (src, sub string, err error) {
	if strings.ContainsAny(address, "\n\r\x00") || len(address) > 2048 {
		return "", "", errors.New("an address of a module has no newlines and at most 2048 characters")
	}
	src, sub = getter.SourceDirSubdir(address)
	sub = path.Clean("/" + sub)[1:]
	forced, rest, ok := strings.Cut(src, "::")
	if !ok {
		forced, rest = "", src
	}
	u, err := url.Parse(rest)
	if err != nil {
		return "", "", fmt.Errorf("%q is no address: %w", address, errors.Unwrap(err))
	}
	switch {
	case forced == "git" && (u.Scheme == "https" || u.Scheme == "ssh" || u.Scheme == "file"):
	case forced == "" && (u.Scheme == "https" || u.Scheme == "file"):
	case u.Scheme == "http":
		return "", "", fmt.Errorf("%q is fetched without encryption; use https", address)
	default:
		return "", "", fmt.Errorf("%q is no address of a module: write git::https://…, git::ssh://…, git::file://…, https://….tar.gz or file://…", address)
	}
	if u.Scheme != "file" && (u.Host == "" || u.Host[0] == '-') {
		return "", "", fmt.Errorf("%q names no host", address)
	}
	if ref := u.Query().Get("ref"); strings.HasPrefix(ref, "-") {
		return "", "", fmt.Errorf("%q cannot be a ref: write the name of a branch or tag, or a commit", ref)
	}
	if u.User != nil {
		if _, has := u.User.Password(); has {
			return "", "", fmt.Errorf("the address of a module must not hold a password, which would lie readable in the configuration; use a credential helper or an SSH key")
		}
	}
	return src, sub, nil
}
