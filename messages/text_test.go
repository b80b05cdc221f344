package messages

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Foreign words are made fit to be sent, logged and shown on a terminal, and left alone where they are already.
func TestForeignWordsBecomeLegible(t *testing.T) {
	long := strings.Repeat("ü", MaxText/2)
	for _, row := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"words", "no receive timestamp in response", "no receive timestamp in response"},
		{"words of elsewhere", "пример 例え é", "пример 例え é"},
		{"two lines", "a\nb", "a\ufffdb"},
		{"an escape sequence", "\x1b[2J", "\ufffd[2J"},
		{"writing backwards", "a\u202eb", "a\ufffdb"},
		{"not UTF-8", "a\xffb", "a\ufffdb"},
		{"just as long as it may be", long, long},
		{"longer", long + "x", long},
		{"cut between characters", "x" + long, "x" + long[:MaxText-2]},
	} {
		if have := Legible(row.text); have != row.want {
			t.Errorf("%s: want %q, have %q", row.name, row.want, have)
		}
	}
}

// What was made legible is taken, and doesn't change again.
func TestLegibleWordsAreTaken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := Legible(string(rapid.SliceOf(rapid.Byte()).Draw(t, "text")))
		if err := checkText("it", text, MaxText); err != nil {
			t.Errorf("refused: %v", err)
		}
		if again := Legible(text); again != text {
			t.Errorf("want %q, have %q", text, again)
		}
	})
}

// Words that aren't legible are refused, and never repeated in the error.
func TestIllegibleWordsAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"two lines": "secret\n", "not UTF-8": "secret\xc3", "too long": strings.Repeat("secret", MaxText),
	} {
		if err := checkText("it", text, MaxText); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: want an error without the text, have %v", name, err)
		}
	}
}
