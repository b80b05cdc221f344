package selection

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The page about selection shows a scenario for each rule, and each that it shows is one of testdata, word for word.
func TestThePageShowsScenariosAsTheyAre(t *testing.T) {
	const page = "../../docs/selection.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	sources := scenariosIn(t, "testdata/scenarios")
	shown := make(map[string]bool)
	for _, block := range blocksIn(string(text))[1:] { // the first is the diagram
		file, known := sources[block]
		if !known {
			t.Errorf("%s shows what is no scenario:\n%s", page, block)
		}
		shown[file] = true
	}
	for _, rule := range []string{
		"block", "remove_gradually", "demote_excess", "promote_to_active", "swap_active", "promote_to_testing",
		"swap_testing", "trim_testing", "resume", "bootstrap", "same_subnet", "limit", "network_diversity", "welcome",
	} {
		if !shown[rule] {
			t.Errorf("%s shows no scenario of %s.txt", page, rule)
		}
	}
}

// scenariosIn is in which file each scenario is, its comment left out.
func scenariosIn(t *testing.T, folder string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string]string)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for scenario := range strings.SplitSeq(string(text), "\n\n") {
			var lines []string
			for line := range strings.Lines(scenario) {
				if !strings.HasPrefix(line, "#") {
					lines = append(lines, line)
				}
			}
			files[strings.TrimSpace(strings.Join(lines, ""))] = strings.TrimSuffix(filepath.Base(path), ".txt")
		}
	}
	return files
}

// blocksIn are the fenced blocks of a page.
func blocksIn(page string) []string {
	var blocks []string
	for i, part := range strings.Split(page, "```") {
		if i%2 == 1 {
			blocks = append(blocks, strings.TrimSpace(part))
		}
	}
	return blocks
}
