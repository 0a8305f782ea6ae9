package condition

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/unitgen/unitgen/internal/testenv"
	"github.com/unitgen/unitgen/schema/value"
)

// parse reads "ConditionX=…".
func parse(t *testing.T, name, v string) value.Condition {
	t.Helper()
	c, err := value.ParseCondition(name, v)
	if err != nil {
		t.Fatalf("%s=%s: %v", name, v, err)
	}
	return c
}

// TestBelowRoot evaluates the conditions on paths below a root of the test's
// own. The others are compared with systemd-analyze by the command's tests.
func TestBelowRoot(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		testenv.Missing(t, "conditions are evaluated only on Linux")
	}
	root := t.TempDir()
	for name, mode := range map[string]os.FileMode{"file": 0o644, "script": 0o755} {
		if err := os.WriteFile(filepath.Join(root, name), []byte("x"), mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{"empty", "full/sub"} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("file", filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	s := &System{Root: root, Env: []string{"A=b"}}
	for _, c := range []struct {
		name, value string
		want        bool
	}{
		{"ConditionPathExists", "/file", true}, {"ConditionPathExists", "/nothing", false}, {"ConditionPathExists", "!/nothing", true},
		{"ConditionPathExistsGlob", "/fi*", true}, {"ConditionPathExistsGlob", "/x*", false},
		{"ConditionPathIsDirectory", "/empty", true}, {"ConditionPathIsDirectory", "/file", false},
		{"ConditionPathIsSymbolicLink", "/link", true}, {"ConditionPathIsSymbolicLink", "/file", false},
		{"ConditionDirectoryNotEmpty", "/full", true}, {"ConditionDirectoryNotEmpty", "/empty", false},
		{"ConditionFileNotEmpty", "/file", true}, {"ConditionFileNotEmpty", "/empty", false},
		{"ConditionFileIsExecutable", "/script", true}, {"ConditionFileIsExecutable", "/file", false},
		{"ConditionPathIsMountPoint", "/full", false},
		{"ConditionEnvironment", "A", true}, {"ConditionEnvironment", "A=b", true}, {"ConditionEnvironment", "A=c", false}, {"ConditionEnvironment", "B", false},
	} {
		if got, err := s.Evaluate(parse(t, c.name, c.value)); err != nil || got != c.want {
			t.Errorf("%s=%s: %v, %v", c.name, c.value, got, err)
		}
	}
}

func TestAll(t *testing.T) {
	t.Parallel()
	s := &System{Env: []string{"YES=1"}}
	for _, c := range []struct {
		values []string
		want   bool
		tested int
	}{
		{nil, true, 0},
		{[]string{"YES"}, true, 1},
		{[]string{"NO", "YES"}, false, 1},
		{[]string{"|NO", "|YES"}, true, 2},
		{[]string{"|NO", "|NO"}, false, 2},
		{[]string{"|NO", "YES"}, false, 2},
		{[]string{"|!NO", "YES", "!NO"}, true, 3},
	} {
		var list []value.Condition
		for _, v := range c.values {
			list = append(list, parse(t, "ConditionEnvironment", v))
		}
		got, results := s.All(list)
		if runtime.GOOS == "linux" && (got != c.want || len(results) != c.tested) {
			t.Errorf("%v: %v after %d", c.values, got, len(results))
		}
	}
	if ok, err := s.Evaluate(value.Condition{Name: "Memory", Param: "much"}); ok || err == nil {
		t.Errorf("a size that cannot be read: %v, %v", ok, err)
	}
}

func TestEveryConditionIsEvaluated(t *testing.T) {
	t.Parallel()
	for _, n := range value.ConditionNames(0) {
		if tests[n] == nil {
			t.Errorf("Condition%s= has no evaluation", n)
		}
	}
}
