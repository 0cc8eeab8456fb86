package kanal_test

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// The budget: what a reader takes in at once. Generated files and tests are left out.
const (
	medianFunction  = 12 // lines, of all functions
	p95Function     = 60
	longestFunction = 100
	longestHandler  = 30 // an HTTP handler decides little
	longestFile     = 600
	mostParameters  = 5
)

// function is one function or method with what the budget measures.
type function struct {
	name       string // with its receiver: "Store.Open"
	place      string
	lines      int // from the line of func to its closing brace
	parameters int
	handler    bool
}

func TestBudget(t *testing.T) {
	var functions []function
	var longest int
	for _, f := range budgeted(t) {
		longest = max(longest, f.lines)
		if f.lines > longestFile {
			t.Errorf("%s has %d lines, at most %d", f.path, f.lines, longestFile)
		}
		functions = append(functions, functionsOf(f)...)
	}
	if len(functions) == 0 {
		t.Fatal("no function was found")
	}
	for _, f := range functions {
		for _, why := range overBudget(f) {
			t.Errorf("%s: %s %s", f.place, f.name, why)
		}
	}
	median, p95 := quantiles(functions)
	t.Logf("%d functions: median %d lines, 95th percentile %d; longest file %d lines", len(functions), median, p95, longest)
	if median > medianFunction || p95 > p95Function {
		t.Errorf("functions have a median of %d lines (at most %d) and a 95th percentile of %d (at most %d)", median, medianFunction, p95, p95Function)
	}
}

// budgeted gives the files that people write and that are part of a program or a test helper.
func budgeted(t *testing.T) []sourceFile {
	t.Helper()
	return slices.DeleteFunc(sources(t), func(f sourceFile) bool { return f.test || f.generated })
}

func functionsOf(f sourceFile) []function {
	var found []function
	for _, d := range f.tree.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		found = append(found, function{
			name: nameOf(fn), place: f.at(fn.Pos()), lines: f.line(fn.End()) - f.line(fn.Pos()) + 1,
			parameters: fn.Type.Params.NumFields(),
			handler:    matches("web/...", f.pkg) && isHandler(fn.Type),
		})
	}
	return found
}

// isHandler recognises func(c echo.Context) error.
func isHandler(fn *ast.FuncType) bool {
	if fn.Params.NumFields() != 1 || fn.Results.NumFields() != 1 {
		return false
	}
	return selectorIs(fn.Params.List[0].Type, "echo", "Context") && isIdent(fn.Results.List[0].Type, "error")
}

func selectorIs(e ast.Expr, pkg, name string) bool {
	s, ok := e.(*ast.SelectorExpr)
	return ok && isIdent(s.X, pkg) && s.Sel.Name == name
}

func isIdent(e ast.Expr, name string) bool {
	i, ok := e.(*ast.Ident)
	return ok && i.Name == name
}

func nameOf(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return fn.Name.Name
	}
	return receiver(fn) + "." + fn.Name.Name
}

func receiver(fn *ast.FuncDecl) string {
	e := fn.Recv.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

func overBudget(f function) []string {
	var why []string
	if f.lines > longestFunction {
		why = append(why, over("lines", f.lines, longestFunction))
	}
	if f.handler && f.lines > longestHandler {
		why = append(why, over("lines as a handler", f.lines, longestHandler))
	}
	if f.parameters > mostParameters {
		why = append(why, over("parameters", f.parameters, mostParameters))
	}
	return why
}

func over(what string, got, most int) string {
	return fmt.Sprintf("has %d %s, at most %d", got, what, most)
}

// quantiles gives the median and the 95th percentile of the functions' lines.
func quantiles(functions []function) (median, p95 int) {
	var lines []int
	for _, f := range functions {
		lines = append(lines, f.lines)
	}
	slices.Sort(lines)
	return lines[len(lines)/2], lines[(len(lines)*95)/100]
}

// TestPackageComments holds that every package says what it is, once.
func TestPackageComments(t *testing.T) {
	said := map[string]int{}
	for _, f := range sources(t) {
		if f.test && f.pkg != "." {
			continue
		}
		said[f.pkg] += 0
		if f.tree.Doc != nil && strings.TrimSpace(f.tree.Doc.Text()) != "" && !f.generated {
			said[f.pkg]++
		}
	}
	for pkg, n := range said {
		if n != 1 {
			t.Errorf("package %s has %d package comments, wants one", pkg, n)
		}
	}
}

// TestDocComments holds that every exported name has a comment.
func TestDocComments(t *testing.T) {
	for _, f := range budgeted(t) {
		for _, place := range undocumented(f) {
			t.Errorf("%s has no doc comment", place)
		}
	}
}

// undocumented gives the exported names of a file without a doc comment. Methods count when their type is exported; a
// group of constants, variables or typed names may share the comment above it.
func undocumented(f sourceFile) []string {
	var names []string
	for _, d := range f.tree.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Doc == nil && d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiver(d))) {
				names = append(names, f.at(d.Pos())+": "+nameOf(d))
			}
		case *ast.GenDecl:
			names = append(names, undocumentedSpecs(f, d)...)
		}
	}
	return names
}

func undocumentedSpecs(f sourceFile, d *ast.GenDecl) []string {
	var names []string
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			shared := d.Doc != nil && (len(d.Specs) == 1 || isPlain(s.Type))
			if s.Name.IsExported() && s.Doc == nil && !shared {
				names = append(names, f.at(s.Pos())+": "+s.Name.Name)
			}
		case *ast.ValueSpec:
			if d.Doc == nil && s.Doc == nil && s.Comment == nil && slices.ContainsFunc(s.Names, (*ast.Ident).IsExported) {
				names = append(names, f.at(s.Pos())+": "+s.Names[0].Name)
			}
		}
	}
	return names
}

// isPlain tells whether a type is only a name for another, as the typed ids are: a group of them may share a comment.
func isPlain(e ast.Expr) bool {
	_, ok := e.(*ast.Ident)
	return ok
}

func TestBudgetCatchesWhatIsTooLarge(t *testing.T) {
	long := "\nfunc (s *Server) Show(c echo.Context) error {" + strings.Repeat("\n\t_ = c", 30) + "\n\treturn nil\n}\n"
	f := parse(t, "web/a.go", []byte("package web\nimport \"github.com/labstack/echo/v4\"\n"+long+
		"func wide(a, b, c int, d, e, f string) {}\ntype Bare struct{}\nconst Alone = 1\n// Named has one.\nvar Named = 1\n"))
	functions := functionsOf(f)
	if len(functions) != 2 {
		t.Fatalf("%d functions, want 2", len(functions))
	}
	if got := overBudget(functions[0]); len(got) != 1 || !strings.Contains(got[0], "handler") {
		t.Errorf("a handler of 33 lines: %q", got)
	}
	if got := overBudget(functions[1]); len(got) != 1 || !strings.Contains(got[0], "parameters") {
		t.Errorf("six parameters: %q", got)
	}
	if got := undocumented(f); len(got) != 3 {
		t.Errorf("names without a comment: %q, want three", got)
	}
}
