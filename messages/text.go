package messages

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxText is how many bytes a text on the link may have. It is room for a sentence, which is what reasons and
// errors are; a hub stores them by the million.
const MaxText = 200

// Legible makes a text fit for the link: what can't be printed becomes U+FFFD, and it is cut after MaxText bytes.
// Whoever puts foreign words into a message (an error, a reason) passes them through it, or protobuf refuses to
// encode them and the hub to take them.
func Legible(text string) string {
	if len(text) <= MaxText && isPrintable(text) {
		return text
	}
	var legible strings.Builder
	for _, r := range text {
		if !unicode.IsPrint(r) {
			r = utf8.RuneError
		}
		if legible.Len()+utf8.RuneLen(r) > MaxText {
			break
		}
		legible.WriteRune(r)
	}
	return legible.String()
}

// isPrintable tells whether a text is valid UTF-8 of letters, marks, numbers, punctuation, symbols and the plain
// space. So it holds no line break that would forge a line of a log, no escape sequence for a terminal, and nothing
// that reverses the direction of writing.
func isPrintable(text string) bool {
	for i, r := range text {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
				return false
			}
		}
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// checkText tells what keeps a text from being taken. The error never repeats the text.
func checkText(what, text string, most int) error {
	switch {
	case len(text) > most:
		return fmt.Errorf("%s has %d bytes, more than %d", what, len(text), most)
	case !isPrintable(text):
		return fmt.Errorf("%s can't be printed", what)
	}
	return nil
}
