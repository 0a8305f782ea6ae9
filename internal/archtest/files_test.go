package archtest

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

const maxLines = 600

var generatedLine = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

// walk calls visit for every regular file of the project.
func walk(t *testing.T, visit func(path string, content []byte)) {
	t.Helper()
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && p != root && (name == ".git" || name == "result") {
			return filepath.SkipDir
		}
		if !d.Type().IsRegular() {
			return nil
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		visit(filepath.ToSlash(rel), b)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestGoFiles(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	generators := map[string]bool{}
	var generated []string
	walk(t, func(path string, content []byte) {
		if !strings.HasSuffix(path, ".go") || strings.Contains(path, "/testdata/") {
			return
		}
		if bytes.Contains(content, []byte("\n//go:generate ")) {
			generators[filepath.Dir(path)] = true
		}
		isGenerated := generatedLine.Match(content)
		if isGenerated {
			generated = append(generated, path)
		} else if n := bytes.Count(content, []byte("\n")); n > maxLines {
			t.Errorf("%s has %d lines: split it by subject, %d at most", path, n, maxLines)
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, content, parser.ParseComments)
		if err != nil {
			t.Errorf("%v", err)
			return
		}
		dir := filepath.Dir(path)
		if !strings.HasSuffix(path, "_test.go") {
			documented[dir] = documented[dir] || file.Doc != nil
		}
		if !isGenerated {
			checkFile(t, fset, path, file)
		}
	})
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s: no package comment that says what the package is for", dir)
		}
	}
	for _, path := range generated {
		dir := filepath.Dir(path)
		if !generators[dir] && !generators[filepath.Dir(dir)] {
			t.Errorf("%s is generated, but nothing with a go:generate line stands beside it", path)
		}
	}
}

// checkFile finds calls that a package may not make.
func checkFile(t *testing.T, fset *token.FileSet, path string, file *ast.File) {
	inCommand := strings.HasPrefix(path, "cmd/") || isProgram(path)
	isTest := strings.HasSuffix(path, "_test.go")
	inTestenv := strings.HasPrefix(path, "internal/testenv/")
	for _, group := range file.Comments {
		for _, word := range []string{"TO" + "DO", "FIX" + "ME", "HA" + "CK", "XX" + "X:"} {
			if strings.Contains(group.Text(), word) {
				t.Errorf("%s: a comment says %s: do it, or open an issue", fset.Position(group.Pos()), word)
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := sel.X.(*ast.Ident)
		if !ok {
			return true
		}
		switch x.Name + "." + sel.Sel.Name {
		case "os.Exit", "log.Fatal", "log.Fatalf", "log.Fatalln":
			if !inCommand && !isTest {
				t.Errorf("%s: %s.%s outside cmd/: return an error", fset.Position(n.Pos()), x.Name, sel.Sel.Name)
			}
		case "t.Skip", "t.Skipf", "t.SkipNow", "b.Skip", "b.Skipf", "tb.Skip", "tb.Skipf":
			if !inTestenv {
				t.Errorf("%s: a bare skip passes in CI unseen: use internal/testenv", fset.Position(n.Pos()))
			}
		}
		return true
	})
}

func isProgram(path string) bool {
	for _, p := range programs {
		if strings.HasPrefix(path, strings.TrimPrefix(p, "./")+"/") {
			return true
		}
	}
	return false
}

// TestTree looks for what belongs to one machine only.
func TestTree(t *testing.T) {
	t.Parallel()
	// Put together here, so that this file does not hold them itself.
	foreign := []string{"/wo" + "rk/main", "/wo" + "rk/shared", "/wo" + "rk/.", "/tmp/br" + "ief", "/root/.py" + "env"}
	walk(t, func(path string, content []byte) {
		if !utf8.Valid(content) || strings.Contains(path, "/testdata/fuzz/") {
			return
		}
		for _, word := range foreign {
			if i := bytes.Index(content, []byte(word)); i >= 0 {
				t.Errorf("%s:%d: names a path of somebody's machine: %s", path, bytes.Count(content[:i], []byte("\n"))+1, word)
			}
		}
		if len(content) > 4<<20 {
			t.Errorf("%s has %d MiB", path, len(content)>>20)
		}
	})
}
