package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// bundleMark begins the text of a configuration with all the files that it names, as
// the state keeps it and as a command sends it to the service.
const bundleMark = "# rosterd: a configuration and the files that it names\n"

// bundle puts the main file and the others into one text. A file that names none is
// itself.
func bundle(main []byte, others map[string][]byte) []byte {
	if len(others) == 0 && !bytes.HasPrefix(main, []byte(bundleMark)) {
		return main
	}
	var out bytes.Buffer
	out.WriteString(bundleMark)
	put := func(name string, text []byte) {
		fmt.Fprintf(&out, "# %q %d\n%s\n", name, len(text), text)
	}
	put("", main)
	for _, name := range slices.Sorted(maps.Keys(others)) {
		put(name, others[name])
	}
	return out.Bytes()
}

var errBundle = errors.New("this is no whole bundle of files")

// unbundle takes such a text apart; files is nil where it is one file.
func unbundle(text []byte) (main []byte, others map[string][]byte, err error) {
	rest, is := bytes.CutPrefix(text, []byte(bundleMark))
	if !is {
		return text, nil, nil
	}
	others = map[string][]byte{}
	for first := true; first || len(rest) > 0; first = false {
		head, after, _ := bytes.Cut(rest, []byte("\n"))
		words, ok := bytes.CutPrefix(head, []byte("# "))
		at := bytes.LastIndexByte(words, ' ')
		if !ok || at < 0 {
			return nil, nil, errBundle
		}
		name, err := strconv.Unquote(string(words[:at]))
		n, err2 := strconv.Atoi(string(words[at+1:]))
		if err != nil || err2 != nil || n < 0 || n >= len(after) || after[n] != '\n' || (name == "") != first {
			return nil, nil, errBundle
		}
		if first {
			main = after[:n]
		} else {
			others[name] = after[:n]
		}
		rest = after[n+1:]
	}
	return main, others, nil
}

// whole is the digest of the file and of those that it names.
func (l *loader) whole() (string, error) {
	main, err := l.d.Digest()
	if err != nil || len(l.texts) == 0 {
		return main, err
	}
	sum := sha256.New()
	fmt.Fprintln(sum, main)
	for _, name := range slices.Sorted(maps.Keys(l.texts)) {
		if strings.HasSuffix(name, ".csv") { // what is included is in the digest
			fmt.Fprintf(sum, "%q %d %s\n", name, len(l.texts[name]), l.texts[name])
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
