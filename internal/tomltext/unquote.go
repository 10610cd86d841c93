package tomltext

import (
	"strconv"
	"strings"
)

// unquote gives the text that a quoted token stands for, and for each of its
// bytes, and for its end, the offset in the token.
func unquote(token string) (string, []int) {
	size := 1
	if strings.HasPrefix(token, `"""`) || strings.HasPrefix(token, "'''") {
		size = 3
	}
	from, to := size, len(token)-size
	if to < from {
		return "", []int{0}
	}
	if size == 3 {
		// The line end right after the opening quotes is not part of the text.
		if strings.HasPrefix(token[from:to], "\r\n") {
			from += 2
		} else if strings.HasPrefix(token[from:to], "\n") {
			from++
		}
	}
	var out strings.Builder
	var offsets []int
	emit := func(text string, at int) {
		for range len(text) {
			offsets = append(offsets, at)
		}
		out.WriteString(text)
	}
	for i := from; i < to; {
		if token[0] == '\'' || token[i] != '\\' || i+1 >= to {
			emit(token[i:i+1], i)
			i++
			continue
		}
		if rest := strings.TrimLeft(token[i+1:to], " \t\r\n"); size == 3 && strings.Contains(token[i+1:to-len(rest)], "\n") {
			i = to - len(rest)
			continue
		}
		text, width := escape(token[i+1 : to])
		emit(text, i)
		i += 1 + width
	}
	return out.String(), append(offsets, to)
}

// escape reads what follows a backslash.
func escape(rest string) (text string, width int) {
	if i := strings.IndexByte(`btnfre"\`, rest[0]); i >= 0 {
		return "\b\t\n\f\r\x1b\"\\"[i : i+1], 1
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[rest[0]]
	if digits == 0 || len(rest) < 1+digits {
		return rest[:1], 1
	}
	code, err := strconv.ParseUint(rest[1:1+digits], 16, 32)
	if err != nil {
		return rest[:1], 1
	}
	return string(rune(code)), 1 + digits
}
