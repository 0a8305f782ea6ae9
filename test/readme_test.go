package e2e

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/unitgen/unitgen/internal/testenv"
)

var (
	hash     = regexp.MustCompile(`\b([0-9a-f]{8})[0-9a-f]{56}\b`)
	trailing = regexp.MustCompile(`(?m)[ \t]+$`)
	// varying is what differs from one run to the next.
	varying = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|\bprocess \d+|\b[0-9a-f]{8}…`)
)

// recorded makes the output of a run what the README has: short hashes, and
// the directories of somebody's account.
func (h *host) recorded(out, session string) string {
	home := filepath.Dir(h.dir)
	out = strings.NewReplacer(h.state, "/home/ada/.local/state/unitgen", session, "/run/user/1000", home, "/home/ada").Replace(out)
	out = trailing.ReplaceAllString(hash.ReplaceAllString(out, "$1…"), "")
	return strings.Trim(out, "\n")
}

var console = regexp.MustCompile("(?ms)^```console\n(.*?)^```$")

// TestReadmeRecording goes through the README's recording: the first block is
// the terminal that runs the manager, the second is another one. UPDATE=1
// writes down what was said.
func TestReadmeRecording(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "systemctl", "curl", "sed")
	b, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(b)
	_, recording, ok := strings.Cut(readme, "\n## What it looks like\n")
	if !ok {
		t.Fatal("README.md has no recording")
	}
	recording, _, _ = strings.Cut(recording, "\n## ")
	blocks := console.FindAllStringSubmatch(recording, -1)
	if len(blocks) != 2 {
		t.Fatalf("the recording has %d terminals, want 2", len(blocks))
	}

	w := self
	if os.Geteuid() == 0 {
		w = ordinary
	}
	h := newHost(t, w, "hello")
	home := filepath.Dir(h.dir)
	if err := os.Rename(h.dir, filepath.Join(home, "hello")); err != nil {
		t.Fatal(err)
	}
	h.dir = filepath.Join(home, "hello")
	if err := os.Symlink(unitgen(t), filepath.Join(home, "unitgen")); err != nil {
		t.Fatal(err)
	}
	// The defaults of an account, so that no command needs to name them.
	session := h.runtime
	h.runtime, h.state = filepath.Join(session, "unitgen"), filepath.Join(home, ".local/state/unitgen")
	h.boot()
	h.eventually("it says how to leave", 5*time.Second, func() bool { return strings.Contains(h.log(), "leave ") })
	got := []string{"$ unitgen run hello\n" + h.recorded(h.log(), session) + "\n"}

	var second strings.Builder
	for _, command := range commandsOf(blocks[1][1]) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		cmd := h.command(ctx, "sh", "-c", "exec 2>&1\n"+strings.ReplaceAll(command, "/run/user/1000", session))
		cmd.Dir = home
		cmd.Env = append(cmd.Env, "PATH="+home+":"+os.Getenv("PATH"), "XDG_RUNTIME_DIR="+session)
		s := run(cmd)
		cancel()
		second.WriteString("$ " + command + "\n")
		if out := h.recorded(s.stdout, session); out != "" {
			second.WriteString(out + "\n")
		}
	}
	got = append(got, second.String())
	for i := range blocks {
		if os.Getenv("UPDATE") != "" {
			readme = strings.Replace(readme, blocks[i][1], got[i], 1)
		} else if varying.ReplaceAllString(blocks[i][1], "…") != varying.ReplaceAllString(got[i], "…") {
			t.Errorf("the README's terminal %d has\n%s\nand now it is (UPDATE=1 writes it)\n%s", i+1, blocks[i][1], got[i])
		}
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile("../README.md", []byte(readme), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func commandsOf(block string) []string {
	var out []string
	for _, line := range strings.Split(block, "\n") {
		if c, ok := strings.CutPrefix(line, "$ "); ok {
			out = append(out, c)
		}
	}
	return out
}
