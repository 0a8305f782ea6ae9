package credential

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"
	"golang.org/x/crypto/ssh"

	"github.com/unitgen/unitgen/schema/tree"
)

func seal(t testing.TB, to age.Recipient, text string, armored bool) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := age.Encrypt(&b, to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if !armored {
		return b.Bytes()
	}
	var a bytes.Buffer
	aw := armor.NewWriter(&a)
	if _, err := aw.Write(b.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := aw.Close(); err != nil {
		t.Fatal(err)
	}
	return a.Bytes()
}

func treeOf(t testing.TB, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "secrets/system"), 0o755); err != nil {
		t.Fatal(err)
	}
	list := tree.Secrets{Secrets: []tree.Secret{{Name: "other", Source: "secrets/user/other.age", Scope: tree.User}}}
	for name, b := range files {
		src := "secrets/system/" + name + ".age"
		list.Secrets = append(list.Secrets, tree.Secret{Name: name, Source: src, Scope: tree.System})
		if err := os.WriteFile(filepath.Join(dir, src), b, 0o400); err != nil {
			t.Fatal(err)
		}
	}
	b, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, tree.SecretsFile), b, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func key(t testing.TB) (*age.X25519Identity, string) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "age.key")
	if err := os.WriteFile(file, []byte("# a comment\n"+id.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return id, file
}

func TestInstallAndReplace(t *testing.T) {
	t.Parallel()
	id, file := key(t)
	run := t.TempDir()
	install := func(files map[string][]byte, changed ...string) {
		t.Helper()
		s, err := Decrypt(treeOf(t, files), tree.System, []string{file})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Changed(run); fmt.Sprint(got) != fmt.Sprint(changed) {
			t.Errorf("changed %v, want %v", got, changed)
		}
		for range 2 { // it may be repeated
			if err := s.Install(run); err != nil {
				t.Fatal(err)
			}
		}
		if len(s.Changed(run)) != 0 {
			t.Error("installed credentials count as changed")
		}
	}
	read := func(name, want string) {
		t.Helper()
		p := filepath.Join(run, Dir, name)
		b, err := os.ReadFile(p)
		if want == "" {
			if !os.IsNotExist(err) {
				t.Errorf("%s is still there: %v", name, err)
			}
			return
		}
		st, serr := os.Stat(p)
		if err != nil || serr != nil || string(b) != want || st.Mode().Perm() != 0o400 {
			t.Errorf("%s: %q %v %v", name, b, err, st)
		}
	}
	install(map[string][]byte{"db": seal(t, id.Recipient(), "hush", false), "tls": seal(t, id.Recipient(), "key", true)}, "db", "tls")
	read("db", "hush")
	read("tls", "key")
	install(map[string][]byte{"db": seal(t, id.Recipient(), "hush2", false)}, "db")
	read("db", "hush2")
	read("tls", "")
	install(map[string][]byte{"db": seal(t, id.Recipient(), "hush2", true)})
	install(nil)
	read("db", "")
	if st, err := os.Stat(filepath.Join(run, Dir)); err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("%v %v", st, err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	id, file := key(t)
	_, other := key(t)
	broken := filepath.Join(t.TempDir(), "broken")
	if err := os.WriteFile(broken, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	sealed := seal(t, id.Recipient(), "hush", false)
	for name, tc := range map[string]struct {
		files map[string][]byte
		ids   []string
		want  string
	}{
		"no key":        {map[string][]byte{"db": sealed}, []string{filepath.Join(t.TempDir(), "none")}, "this machine has no key"},
		"another key":   {map[string][]byte{"db": sealed}, []string{other}, "none of this machine's keys"},
		"broken key":    {map[string][]byte{"db": sealed}, []string{broken}, "holds no age identities"},
		"torn":          {map[string][]byte{"db": sealed[:len(sealed)-5]}, []string{file}, "db cannot be decrypted"},
		"no ciphertext": {map[string][]byte{"db": []byte("hush")}, []string{file}, "db cannot be decrypted"},
		"too large":     {map[string][]byte{"db": seal(t, id.Recipient(), strings.Repeat("x", MaxSize+1), false)}, []string{file}, "larger than 1024 KiB"},
		"no name":       {map[string][]byte{"a b": sealed}, []string{file}, "no name of a credential"},
	} {
		_, err := Decrypt(treeOf(t, tc.files), tree.System, tc.ids)
		if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
	s, err := Decrypt(treeOf(t, map[string][]byte{"db": sealed}), tree.System, []string{other, file})
	if err != nil {
		t.Fatal(err)
	}
	run := t.TempDir()
	if err := os.MkdirAll(filepath.Join(run, Dir), 0o700); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(run, Dir, "db")
	if err := os.WriteFile(foreign, []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Install(run); err == nil || !strings.Contains(err.Error(), "did not put there") {
		t.Error(err)
	}
	if b, _ := os.ReadFile(foreign); string(b) != "theirs" {
		t.Errorf("a foreign credential was overwritten: %q", b)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if out := fmt.Sprintf(verb, s); strings.Contains(out, "hush") || strings.Contains(out, fmt.Sprintf("%x", "hush")) {
			t.Errorf("%s shows the secret: %s", verb, out)
		}
	}
}

func TestSSHHostKey(t *testing.T) {
	t.Parallel()
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(priv, "")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ssh_host_ed25519_key")
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	sshPub, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	to, err := agessh.NewEd25519Recipient(sshPub)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Decrypt(treeOf(t, map[string][]byte{"db": seal(t, to, "hush", true)}), tree.System, []string{file})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Install(t.TempDir()); err != nil {
		t.Fatal(err)
	}
}

// A crash between the record and the files leaves nothing that a later install
// takes for foreign.
func TestAfterCrash(t *testing.T) {
	t.Parallel()
	id, file := key(t)
	run := t.TempDir()
	dir := filepath.Join(run, Dir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := writeRecord(dir, []string{"db", "gone"}); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"db", record + "-new"} {
		if err := os.WriteFile(filepath.Join(dir, f), []byte("half"), 0o400); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Decrypt(treeOf(t, map[string][]byte{"db": seal(t, id.Recipient(), "hush", false)}), tree.System, []string{file})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Install(run); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("%v %v", entries, err)
	}
}
