package privatedb

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// causes are what mariadbd's complaints mean for whoever runs this; the first that fits counts.
var causes = []struct {
	signs   *regexp.Regexp
	meaning string
}{
	{
		regexp.MustCompile(`(?i)error 27\b|File too large`), // InnoDB takes it for a full disk, below
		"a limit keeps files from growing, raise it (ulimit -f)",
	},
	{
		regexp.MustCompile(`(?i)error 28\b|No space left|disk is full|out of disk space`),
		"the disk is full, make room",
	},
	{
		regexp.MustCompile(`(?i)permission denied|must be writable|read-only file system`),
		"a file is not ours to read and write, give it back to this user",
	},
	{
		regexp.MustCompile(`Bind on TCP/IP port|Address already in use`),
		"the port is taken, choose another",
	},
	{
		regexp.MustCompile(`(?i)cannot allocate memory|out of memory`),
		"there is too little memory, choose a smaller buffer pool",
	},
	{
		regexp.MustCompile(`(?i)corrupt|checksum|inconsistent|recovery failed|different size|not a directory|no such file|was not found|doesn't exist` +
			`|existing redo log|control file|privilege tables`),
		"its files are damaged, put back a copy of the folder, or move it away and start anew",
	},
}

// logTail is how much of the log's end is read: some hundred lines, a start writes about thirty.
const logTail = 32 << 10

// explain adds to the way in which mariadbd ended the reason that it wrote into its log.
func (s *site) explain(ended error) error {
	if ended == nil {
		ended = errors.New("it ended without being told to")
	}
	tail, err := readTail(s.errorLog(), logTail)
	if err != nil {
		return fmt.Errorf("mariadbd: %w (its log can't be read: %w)", ended, err)
	}
	if reason := reasonIn(tail); reason != "" {
		return fmt.Errorf("%s (mariadbd: %w; more in %s)", reason, ended, s.errorLog())
	}
	return fmt.Errorf("mariadbd: %w; it wrote no reason into %s", ended, s.errorLog())
}

func readTail(path string, limit int64) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", err
	}
	text := make([]byte, min(limit, info.Size()))
	n, err := file.ReadAt(text, info.Size()-int64(len(text)))
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return string(text[:n]), nil
}

// complaint matches what mariadbd writes when it is in trouble: with time and thread before it; without where it has no
// log yet; and the one warning after which it waits for ever.
var complaint = regexp.MustCompile(`(?m)(?: \[ERROR\] (?:\S*mariadbd: )?|^ERROR: |^\S*mariadbd: )(.*)$| \[Warning\] \S*mariadbd: (Disk is full .*)$`)

// reasonIn is one line that says why mariadbd ended, empty where its log doesn't tell.
func reasonIn(log string) string {
	var lines []string
	for _, found := range complaint.FindAllStringSubmatch(log, -1) {
		if line := strings.TrimSpace(found[1] + found[2]); line != "" && line != "Aborting" {
			lines = append(lines, line)
		}
	}
	for _, cause := range causes {
		for _, line := range lines {
			if cause.signs.MatchString(line) {
				return cause.meaning + ": " + line
			}
		}
	}
	if len(lines) > 0 {
		return lines[0] // what comes later follows from it
	}
	return ""
}
