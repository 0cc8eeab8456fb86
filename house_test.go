// Package kanal_test holds the rules of the house: which package may import which (floors_test.go), how large things
// may grow (budget_test.go), and that no test is left out for good (slow_test.go). It reads the source and runs nothing of the program.
package kanal_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// sourceFile is one Go file of the module.
type sourceFile struct {
	path      string // from the root, with slashes
	pkg       string // its folder: "web/live", "." for the root
	test      bool   // a _test.go file
	generated bool
	lines     int
	tree      *ast.File
	fset      *token.FileSet
}

// helper tells whether a package exists only for tests, which its name says: store/storetest.
func helper(pkg string) bool { return strings.HasSuffix(pkg, "test") }

// shipped tells whether the file is part of a program.
func (f sourceFile) shipped() bool { return !f.test && !helper(f.pkg) }

// line gives the line of a position.
func (f sourceFile) line(p token.Pos) int { return f.fset.Position(p).Line }

// at names a place in the file.
func (f sourceFile) at(p token.Pos) string { return f.path + ":" + strconv.Itoa(f.line(p)) }

// imports gives the import paths of the file.
func (f sourceFile) imports() []string {
	var all []string
	for _, i := range f.tree.Imports {
		path, _ := strconv.Unquote(i.Path.Value)
		all = append(all, path)
	}
	return all
}

// files gives the paths of the module's files with an ending, without other modules, test data and hidden folders.
func files(t *testing.T, ending string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skip(path, d.Name())
		}
		if strings.HasSuffix(path, ending) {
			found = append(found, filepath.ToSlash(path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func skip(path, name string) error {
	if path == "." {
		return nil
	}
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" {
		return filepath.SkipDir
	}
	if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
		return filepath.SkipDir
	}
	return nil
}

// sources reads every Go file of the module.
func sources(t *testing.T) []sourceFile {
	t.Helper()
	var all []sourceFile
	for _, path := range files(t, ".go") {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, parse(t, path, src))
	}
	if len(all) == 0 {
		t.Fatal("no Go file was found")
	}
	return all
}

func parse(t *testing.T, path string, src []byte) sourceFile {
	t.Helper()
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, path, src, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return sourceFile{
		path: path, pkg: filepath.ToSlash(filepath.Dir(path)), tree: tree, fset: fset,
		test: strings.HasSuffix(path, "_test.go"), generated: ast.IsGenerated(tree),
		lines: strings.Count(string(src), "\n"),
	}
}
