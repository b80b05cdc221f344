package truechimer_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"strconv"
	"strings"
)

// source is one Go file: of the tree, or one that a test has made up.
type source struct {
	path  string // from the root, with slashes
	file  *ast.File
	lines *token.FileSet
}

// readSource parses a file of the tree, or the text that it is said to have.
func readSource(path string, text any) (source, error) {
	lines := token.NewFileSet()
	// Objects stay resolved: they tell a package from a variable that bears its name.
	file, err := parser.ParseFile(lines, path, text, parser.ParseComments)
	return source{path, file, lines}, err
}

// pkg is the import path of the file's package.
func (s source) pkg() string { return path.Join("truechimer", path.Dir(s.path)) }

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// breach says where a rule is broken, which one, and why it is there.
func (s source) breach(at token.Pos, what, why string) string {
	return fmt.Sprintf("%s: %s: %s", s.lines.Position(at), what, why)
}

// breaches are what the file breaks. Generated files answer for their imports alone, tests for theirs where a rule says so.
func (s source) breaches() []string {
	found := s.importBreaches()
	if s.isTest() || ast.IsGenerated(s.file) {
		return found
	}
	found = append(found, s.useBreaches()...)
	found = append(found, s.statementBreaches()...)
	return append(found, s.shapeBreaches()...)
}

func (s source) importBreaches() []string {
	var found []string
	for _, spec := range s.file.Imports {
		imported := importPath(spec)
		for _, rule := range importRules() {
			if !rule.of.match(s.pkg()) || s.isTest() && !rule.tests {
				continue
			}
			if rule.never.match(imported) || rule.only != nil && !rule.only.match(imported) {
				found = append(found, s.breach(spec.Pos(), "imports "+imported, rule.why))
			}
		}
	}
	return found
}

// useBreaches are names of other packages, and methods, that the file shouldn't use.
func (s source) useBreaches() []string {
	var found []string
	imports := s.importNames()
	for _, rule := range callRules() {
		if rule.of.match(s.pkg()) && imports["."] == rule.from {
			found = append(found, s.breach(s.file.Pos(), "imports "+rule.from+" by a dot", "its names can't be told from one's own"))
		}
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		if selector, ok := n.(*ast.SelectorExpr); ok {
			found = append(found, s.selectorBreaches(selector, imports)...)
		}
		return true
	})
	return found
}

func (s source) selectorBreaches(selector *ast.SelectorExpr, imports map[string]string) []string {
	var found []string
	name, from := selector.Sel.Name, ""
	if left, ok := selector.X.(*ast.Ident); ok && left.Obj == nil {
		from = imports[left.Name]
	}
	for _, rule := range callRules() {
		if rule.from == from && rule.of.match(s.pkg()) && rule.never.match(name) {
			found = append(found, s.breach(selector.Pos(), "uses "+from+"."+name, rule.why))
		}
	}
	for _, rule := range methodRules() {
		if from == "" && rule.of.match(s.pkg()) && rule.never.match(name) {
			found = append(found, s.breach(selector.Pos(), "calls "+name, rule.why))
		}
	}
	return found
}

// statementBreaches are those that leave an order to the scheduler.
func (s source) statementBreaches() []string {
	if !deterministic.match(s.pkg()) {
		return nil
	}
	var found []string
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			found = append(found, s.breach(n.Pos(), "starts a goroutine", "who runs first is then the scheduler's choice"))
		case *ast.SelectStmt:
			if communications(n) > 1 {
				found = append(found, s.breach(n.Pos(), "selects among several cases", "of those that are ready one is drawn by chance"))
			}
		}
		return true
	})
	return found
}

// communications counts the cases of a select without its default, which leaves nothing to chance.
func communications(s *ast.SelectStmt) int {
	n := 0
	for _, clause := range s.Body.List {
		if clause.(*ast.CommClause).Comm != nil {
			n++
		}
	}
	return n
}

// shapeBreaches are functions that nobody calls by name, and what is too long.
func (s source) shapeBreaches() []string {
	var found []string
	if n := s.lines.File(s.file.Pos()).LineCount(); n > longestFile {
		what := fmt.Sprintf("has %d lines, over %d", n, longestFile)
		found = append(found, s.breach(s.file.Pos(), what, "cut it where its subjects part"))
	}
	for _, declaration := range s.file.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok {
			continue
		}
		name := function.Name.Name
		if name == "init" && function.Recv == nil {
			found = append(found, s.breach(function.Pos(), "has an init", "who imports a package asks for nothing to happen"))
		}
		n := s.lines.Position(function.End()).Line - s.lines.Position(function.Pos()).Line + 1
		if n > longestFunction {
			what := fmt.Sprintf("%s has %d lines, over %d", name, n, longestFunction)
			found = append(found, s.breach(function.Pos(), what, "it doesn't fit on a screen"))
		}
	}
	return found
}

// importNames says which package a name at the left of a dot stands for.
func (s source) importNames() map[string]string {
	names := make(map[string]string)
	for _, spec := range s.file.Imports {
		imported := importPath(spec)
		if spec.Name != nil {
			names[spec.Name.Name] = imported
			continue
		}
		folder := imported
		if base := path.Base(folder); len(base) > 1 && base[0] == 'v' && isNumber(base[1:]) {
			folder = path.Dir(folder) // math/rand/v2 is called rand
		}
		names[path.Base(folder)] = imported
	}
	return names
}

func importPath(spec *ast.ImportSpec) string {
	path, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		panic(err) // the parser has read it
	}
	return path
}

func isNumber(text string) bool {
	_, err := strconv.Atoi(text)
	return err == nil
}

// patterns choose import paths or names. a/b is itself, a/b/... it and all below, ... everything,
// std the standard library, parts the modules of others; one with ! takes back what those before it chose.
type patterns []string

func (p patterns) match(name string) bool {
	chosen := false
	for _, pattern := range p {
		positive := strings.TrimPrefix(pattern, "!")
		if covers(positive, name) {
			chosen = positive == pattern
		}
	}
	return chosen
}

func covers(pattern, name string) bool {
	first, _, _ := strings.Cut(name, "/")
	ours, dotted := first == "truechimer", strings.Contains(first, ".")
	switch folder, below := strings.CutSuffix(pattern, "/..."); {
	case pattern == "...":
		return true
	case pattern == "std":
		return !ours && !dotted
	case pattern == "parts":
		return dotted
	case below:
		return name == folder || strings.HasPrefix(name, folder+"/")
	default:
		return name == pattern
	}
}
