package persistence

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// taboo is something that only one of MySQL 8 and MariaDB 10.11 understands, or understands in the same way.
type taboo struct {
	pattern *regexp.Regexp
	why     string
}

func taboos() []taboo {
	var all []taboo
	for _, t := range []struct{ pattern, why string }{
		{`\bRETURNING\b`, "MySQL has no RETURNING"},
		{`->`, "MariaDB has no ->: JSON_EXTRACT"},
		{`\bLATERAL\b`, "MariaDB 10.11 has no LATERAL"},
		{`\b(KEY|INDEX)\s+\w*\s*\(\s*\(`, "MariaDB has no functional indexes"},
		{`\bVALUES\s+ROW\b`, "MariaDB has no VALUES ROW"},
		{`\)\s+AS\s+\w+\s+ON\s+DUPLICATE\b`, "MariaDB has no alias for the new row: VALUES(column)"},
		{`\bFOR\s+SHARE\b`, "MariaDB has no FOR SHARE: LOCK IN SHARE MODE"},
		{`\bCREATE\s+OR\s+REPLACE\s+TABLE\b`, "MySQL has no OR REPLACE for tables"},
		{`\b(ADD|DROP)\s+(COLUMN|KEY|INDEX|PARTITION)\s+IF\b`, "MySQL has no IF EXISTS in ALTER TABLE"},
		{`\b(INTERSECT|EXCEPT)\b`, "MySQL has them only since 8.0.31"},
		{`\b(UUID|INET4|INET6)\b\s*(NOT|DEFAULT|,)`, "MySQL has no such types"},
		{`\b(CREATE|NEXTVAL|NEXT VALUE FOR)\s+SEQUENCE\b`, "MySQL has no sequences"},
		{`\butf8mb4_(0900|uca1400)`, "each knows only one of these collations"},
		{`\butf8(mb3)?\b`, "utf8 means another thing in each: utf8mb4"},
		{`(?m)\b\w*(text|blob|json)\b[^,\n]*\bDEFAULT\s+[^N\s]`, "MySQL has no literal default for texts and blobs"},
		{
			`(?m)^\s*(rank|groups|window|system|lead|lag|cube|function|offset|key|condition|interval|row_number|except|recursive|empty|of|over)\s+(\w*int|double|varchar|\w*text|\w*blob|date|datetime|enum)\b`,
			"a reserved word as the name of a column: quote it",
		},
		{"(?i)[^`\\w]offset[^`\\w(]", "offset is reserved: quote it"},
		{`\bGROUP\s+BY\b[^()]*\b(ASC|DESC)\b`, "MySQL 8 has no order in GROUP BY"},
		{`/\*[M!]`, "a comment that one of them executes"},
	} {
		all = append(all, taboo{regexp.MustCompile(`(?i)` + t.pattern), t.why})
	}
	return all
}

// withoutComments is SQL without what is said for people.
func withoutComments(text string) string {
	text = regexp.MustCompile(`(?m)--[^\n]*$`).ReplaceAllString(text, "")
	return regexp.MustCompile(`(?i)COMMENT\s*=?\s*'([^']|'')*'`).ReplaceAllString(text, "")
}

// offences says what in a text of SQL only one of the two understands.
func offences(text string) []string {
	var found []string
	for _, taboo := range taboos() {
		if match := taboo.pattern.FindString(withoutComments(text)); match != "" {
			found = append(found, taboo.why+": "+strconv.Quote(match))
		}
	}
	return found
}

// All SQL of this package is of the one dialect that MySQL 8 and MariaDB share: tests run on MariaDB alone.
func TestSQLIsOfOneDialect(t *testing.T) {
	texts := sqlFiles(t)
	for name, text := range sqlInGo(t) {
		texts[name] = text
	}
	if len(texts) < 40 {
		t.Fatalf("only %d texts were found", len(texts))
	}
	for name, text := range texts {
		for _, offence := range offences(text) {
			t.Errorf("%s: %s", name, offence)
		}
	}
}

// sqlFiles are the texts of the files of SQL.
func sqlFiles(t *testing.T) map[string]string {
	texts := make(map[string]string)
	for _, pattern := range []string{"../schema.sql", "migrations/*.sql", "queries/*.sql"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %v, %v", pattern, names, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			texts[name] = string(text)
		}
	}
	return texts
}

// sqlInGo are the string literals of the package that are statements or parts of one.
func sqlInGo(t *testing.T) map[string]string {
	isSQL := regexp.MustCompile(`\b(SELECT|INSERT|UPDATE|DELETE|ALTER|UNION|PARTITION|GET_LOCK|RELEASE_ALL_LOCKS)\b|ON DUPLICATE|ON v\.id`)
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	texts := make(map[string]string)
	files := token.NewFileSet()
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			literal, ok := node.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			if text, err := strconv.Unquote(literal.Value); err == nil && isSQL.MatchString(text) {
				texts[files.Position(literal.Pos()).String()] = text
			}
			return true
		})
	}
	return texts
}

// The check finds what it is there to find, and lets pass what both understand.
func TestDialectCheckFindsOffences(t *testing.T) {
	for _, bad := range []string{
		"INSERT INTO t (a) VALUES (1) RETURNING id",
		"SELECT flags->'$.a' FROM t",
		"SELECT * FROM a, LATERAL (SELECT 1) b",
		"CREATE TABLE t (\n a int,\n KEY k ((a + 1)))",
		"SELECT * FROM (VALUES ROW(1)) v",
		"INSERT INTO t (a) VALUES (1) AS new ON DUPLICATE KEY UPDATE a = new.a",
		"SELECT 1 FROM t FOR SHARE",
		"CREATE OR REPLACE TABLE t (a int)",
		"ALTER TABLE t ADD COLUMN IF NOT EXISTS a int",
		"CREATE TABLE t (\n  a uuid NOT NULL)",
		"CREATE TABLE t (a int) COLLATE=utf8mb4_0900_ai_ci",
		"CREATE TABLE t (a int) CHARSET=utf8",
		"CREATE TABLE t (\n  a text NOT NULL DEFAULT '')",
		"CREATE TABLE t (\n  rank int)",
		"CREATE TABLE t (\n  offset double)",
		"SELECT offset FROM log_scores",
		"SELECT l.offset, rtt FROM log_scores l",
		"SET a = 1 /*M!100100 , b = 2 */",
	} {
		if len(offences(bad)) == 0 {
			t.Errorf("nothing was found in %q", bad)
		}
	}
	for _, good := range []string{
		"SELECT `offset`, id -- offset\nFROM log_scores",
		"CREATE TABLE t (\n  a text DEFAULT NULL COMMENT 'a->b, offset',\n  b varchar(5) NOT NULL DEFAULT '')",
		"INSERT INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE a = VALUES(a)",
	} {
		if found := offences(good); len(found) != 0 {
			t.Errorf("%q: %v", good, found)
		}
	}
}
