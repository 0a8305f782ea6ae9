package corpus

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCorpusHasManyUnits(t *testing.T) {
	pkgs, err := Packages()
	if err != nil || len(pkgs) < 60 {
		t.Fatalf("%d packages, %v", len(pkgs), err)
	}
	dir := Dir(t)
	list, err := os.ReadDir(filepath.Join(dir, "usr/lib/systemd/system"))
	if err != nil || len(list) < 400 {
		t.Fatalf("%d entries, %v", len(list), err)
	}
}
