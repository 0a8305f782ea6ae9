// Package credential decrypts the credentials of a tree that are encrypted
// with age, and lays them where the units of the tree load them from: files
// below the manager's runtime directory that only its user can read.
//
// It takes a tree, identities and a runtime directory. Plain text is in memory
// and in the runtime directory alone, never in the store, in an error or in a
// log. It must not know HCL, plans or units.
package credential

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"

	"github.com/unitgen/unitgen/schema/tree"
)

// Dir is the directory of plain credentials below the runtime directory.
const Dir = tree.RuntimeSecrets

// record lists, in Dir, the credentials that this package wrote; others are
// left alone.
const record = ".unitgen"

// MaxSize is the size of the largest credential, in bytes: systemd takes no
// more (systemd.exec(5), "LoadCredential=").
const MaxSize = 1 << 20

// IdentityFiles gives the files that may hold the identities of this machine,
// most specific first: an age key in the state directory, then the host's SSH
// keys.
func IdentityFiles(stateDir string) []string {
	return []string{
		filepath.Join(stateDir, "age.key"),
		"/etc/ssh/ssh_host_ed25519_key",
		"/etc/ssh/ssh_host_rsa_key",
	}
}

// Set is the credentials of one tree, decrypted.
type Set struct {
	names []string
	plain map[string][]byte
}

// Names gives the names of the credentials, sorted.
func (s *Set) Names() []string { return append([]string(nil), s.names...) }

// String names the credentials and shows nothing of them, whatever verb prints
// the set.
func (s *Set) String() string { return "credentials " + strings.Join(s.names, " ") }

// Format keeps every verb of fmt from showing the plain text.
func (s *Set) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// Has reports whether a tree has credentials to decrypt for a scope, without
// reading any.
func Has(treeDir string, scope tree.Scope) (bool, error) {
	secrets, err := list(treeDir, scope)
	return len(secrets) > 0, err
}

// list reads the tree's list, sorted by name.
func list(treeDir string, scope tree.Scope) ([]tree.Secret, error) {
	b, err := os.ReadFile(filepath.Join(treeDir, tree.SecretsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the credentials of the tree cannot be read: %w", err)
	}
	var all tree.Secrets
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, fmt.Errorf("%s of the tree is damaged: %w", tree.SecretsFile, err)
	}
	var out []tree.Secret
	for _, s := range all.Secrets {
		if !ValidName(s.Name) {
			return nil, fmt.Errorf("%q is no name of a credential: it must be a file name without a leading dot, of at most 255 printable ASCII characters", s.Name)
		}
		if !filepath.IsLocal(s.Source) {
			return nil, fmt.Errorf("the credential %s names a file outside the tree", s.Name)
		}
		if s.Scope == scope {
			out = append(out, s)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	for i := 1; i < len(out); i++ {
		if out[i].Name == out[i-1].Name {
			return nil, fmt.Errorf("the tree has the credential %s twice", out[i].Name)
		}
	}
	return out, nil
}

// ValidName reports whether systemd takes a string as the name of a credential
// (systemd.exec(5): a short ASCII string that is a valid file name).
func ValidName(s string) bool {
	if s == "" || s == "." || s == ".." || len(s) > 255 || s[0] == '.' {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] > '~' || s[i] == '/' || s[i] == ':' {
			return false
		}
	}
	return true
}

// Decrypt decrypts every credential of a scope of a tree, and touches nothing: it is the
// preflight of a switch. The identities are files of age keys or unencrypted
// SSH private keys; those that do not exist are passed over. A tree without
// credentials needs no identity.
func Decrypt(treeDir string, scope tree.Scope, identityFiles []string) (*Set, error) {
	secrets, err := list(treeDir, scope)
	if err != nil {
		return nil, err
	}
	s := &Set{plain: map[string][]byte{}}
	for _, x := range secrets {
		s.names = append(s.names, x.Name)
	}
	if len(secrets) == 0 {
		return s, nil
	}
	ids, err := identities(identityFiles)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("the tree has %d encrypted credential(s) (%s) and this machine has no key: put an age identity into %s, or encrypt to the host's SSH key", len(secrets), strings.Join(s.names, ", "), strings.Join(identityFiles[:min(1, len(identityFiles))], ""))
	}
	for _, x := range secrets {
		b, err := os.ReadFile(filepath.Join(treeDir, x.Source))
		if err != nil {
			return nil, fmt.Errorf("the credential %s cannot be read: %w", x.Name, err)
		}
		if s.plain[x.Name], err = open(b, ids); err != nil {
			return nil, fmt.Errorf("the credential %s cannot be decrypted: %w", x.Name, err)
		}
	}
	return s, nil
}

func open(b []byte, ids []age.Identity) ([]byte, error) {
	if !Encrypted(b) {
		return nil, errors.New("it is no age file; encrypt it with age -r RECIPIENT")
	}
	var r io.Reader = bytes.NewReader(b)
	if bytes.HasPrefix(bytes.TrimLeft(b, " \t\r\n"), []byte(armor.Header)) {
		r = armor.NewReader(bytes.NewReader(bytes.TrimLeft(b, " \t\r\n")))
	}
	p, err := age.Decrypt(r, ids...)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return nil, errors.New("none of this machine's keys is among its recipients; encrypt it again with this machine's public key as a recipient")
	}
	if err != nil {
		// The error of the library may quote the file.
		return nil, errors.New("its header is damaged; encrypt it again")
	}
	out, err := io.ReadAll(io.LimitReader(p, MaxSize+1))
	if err != nil {
		return nil, errors.New("its content is damaged or cut off; encrypt it again")
	}
	if len(out) > MaxSize {
		return nil, fmt.Errorf("it is larger than %d KiB, the most that a credential holds", MaxSize>>10)
	}
	return out, nil
}

// Encrypted reports whether content begins as an age file does, binary or
// armored. A plain file that was put in its place must never reach a tree.
func Encrypted(b []byte) bool {
	return bytes.HasPrefix(b, []byte("age-encryption.org/v1\n")) || bytes.HasPrefix(bytes.TrimLeft(b, " \t\r\n"), []byte(armor.Header))
}

// identities reads the keys of the files that exist.
func identities(files []string) ([]age.Identity, error) {
	var out []age.Identity
	for _, f := range files {
		b, err := os.ReadFile(f)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			continue
		}
		if errors.Is(err, fs.ErrPermission) && strings.HasPrefix(f, "/etc/ssh/") {
			continue // an unprivileged manager has keys of its own
		}
		if err != nil {
			return nil, fmt.Errorf("the identity file cannot be read: %w", err)
		}
		if bytes.Contains(b, []byte("PRIVATE KEY-----")) {
			id, err := agessh.ParseIdentity(b)
			if err != nil {
				return nil, fmt.Errorf("%s is no SSH key that can decrypt (ed25519 or RSA, without a passphrase)", f)
			}
			out = append(out, id)
			continue
		}
		ids, err := age.ParseIdentities(bytes.NewReader(b))
		if err != nil {
			return nil, fmt.Errorf("%s holds no age identities (lines that begin with AGE-SECRET-KEY-1)", f)
		}
		out = append(out, ids...)
	}
	return out, nil
}

// Install lays the credentials below the runtime directory (/run for the
// system), each by one rename, and removes those that an earlier tree had and
// this one has not. It may be repeated. Files of others are never touched: a
// name that is taken is an error, and nothing is changed.
func (s *Set) Install(runtimeDir string) error {
	dir := filepath.Join(runtimeDir, Dir)
	ours, err := readRecord(dir)
	if err != nil {
		return err
	}
	if len(s.names) == 0 && len(ours) == 0 {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("the directory of credentials cannot be made: %w", err)
	}
	for _, name := range s.names {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil && !ours[name] {
			return fmt.Errorf("%s is taken by a credential that unitgen did not put there; remove it, or give the credential another name", filepath.Join(dir, name))
		}
	}
	// The record names what is about to be written before it is, so that what
	// a crash leaves behind is known to be ours.
	if err := writeRecord(dir, union(ours, s.names)); err != nil {
		return err
	}
	for _, name := range s.names {
		if same(filepath.Join(dir, name), s.plain[name]) {
			continue
		}
		if err := write(dir, name, s.plain[name]); err != nil {
			return fmt.Errorf("the credential %s cannot be written: %w", name, err)
		}
	}
	for name := range ours {
		if _, keep := s.plain[name]; keep {
			continue
		}
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("the old credential %s cannot be removed: %w", name, err)
		}
	}
	return writeRecord(dir, s.names)
}

// Changed gives the names whose plain text below the runtime directory differs
// from the set's, or is missing, sorted: the units that load them want a
// restart.
func (s *Set) Changed(runtimeDir string) []string {
	var out []string
	for _, name := range s.names {
		if !same(filepath.Join(runtimeDir, Dir, name), s.plain[name]) {
			out = append(out, name)
		}
	}
	return out
}

func same(file string, want []byte) bool {
	st, err := os.Lstat(file)
	if err != nil || !st.Mode().IsRegular() || st.Mode().Perm() != 0o400 || st.Size() != int64(len(want)) {
		return false
	}
	b, err := os.ReadFile(file)
	return err == nil && sha256.Sum256(b) == sha256.Sum256(want)
}

func write(dir, name string, b []byte) error {
	tmp := filepath.Join(dir, record+"-new")
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o400)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp, filepath.Join(dir, name))
	}
	if err != nil {
		_ = os.Remove(tmp)
	}
	return err
}

func readRecord(dir string) (map[string]bool, error) {
	out := map[string]bool{}
	b, err := os.ReadFile(filepath.Join(dir, record))
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the record of credentials cannot be read: %w", err)
	}
	for _, name := range strings.Split(string(b), "\n") {
		if ValidName(name) {
			out[name] = true
		}
	}
	return out, nil
}

func writeRecord(dir string, names []string) error {
	var b strings.Builder
	for _, n := range names {
		b.WriteString(n + "\n")
	}
	if err := write(dir, record, []byte(b.String())); err != nil {
		return fmt.Errorf("the record of credentials cannot be written: %w", err)
	}
	return nil
}

func union(have map[string]bool, names []string) []string {
	out := append([]string(nil), names...)
	for n := range have {
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}
