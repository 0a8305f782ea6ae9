package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestLaptop boots the user scope of examples/laptop: a path unit sorts files,
// and a timer's service keeps the notes.
func TestLaptop(t *testing.T) {
	t.Parallel()
	w := self
	if os.Geteuid() == 0 {
		w = ordinary
	}
	h := newHost(t, w, "laptop")
	home := filepath.Dir(h.dir) // as h.command has it
	put := func(path, content string) {
		t.Helper()
		p := filepath.Join(home, path)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, q := range []string{filepath.Dir(p), p} {
			if err := os.Chown(q, int(w.uid), int(w.uid)); err != nil {
				t.Fatal(err)
			}
		}
	}
	there := func(path string) func() bool {
		return func() bool { _, err := os.Stat(filepath.Join(home, path)); return err == nil }
	}
	h.boot("--user")
	put("inbox/photo.jpg", "a picture")
	h.eventually("the picture is sorted", 10*time.Second, there("pictures/photo.jpg"))
	put("inbox/what.xyz", "who knows")
	h.eventually("the rest is sorted", 10*time.Second, there("unsorted/what.xyz"))
	put("inbox/letter.pdf", "a letter")
	h.eventually("the letter is sorted", 10*time.Second, there("documents/letter.pdf"))

	// Without notes the condition does not hold; that is no failure.
	h.mustCtl("start", "notes-backup.service")
	if got := h.show("notes-backup.service", "ConditionResult", "Result"); got["ConditionResult"] != "no" || got["Result"] != "success" {
		t.Errorf("without notes: %v", got)
	}
	put("notes/today.txt", "buy milk")
	h.mustCtl("start", "notes-backup.service")
	if got := h.show("notes-backup.service", "ConditionResult", "Result"); got["ConditionResult"] != "yes" || got["Result"] != "success" {
		t.Errorf("with notes: %v", got)
	}
	if out := h.mustCtl("list-timers", "--all"); !strings.Contains(out, "notes-backup.timer") {
		t.Errorf("list-timers: %s", out)
	}
}
