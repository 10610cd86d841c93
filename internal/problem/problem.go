// Package problem is how a room says what is wrong with its part of the
// configuration, without knowing where in the file that part stands.
package problem

// Problem is one mistake.
type Problem struct {
	// Path is the key, one element a table or key: {"role", "writer", "when"}.
	Path []string
	// Offset is the byte in the text value at which the mistake stands, or -1.
	Offset int
	// Message says what is wrong, lower case, without a full stop.
	Message string
	// Hint says what to write instead; may be empty.
	Hint string
	// Warning is set for what works and is probably not meant.
	Warning bool
}

// Report takes a problem. It is called by one goroutine at a time.
type Report func(Problem)

// At reports a mistake at a key.
func (r Report) At(path []string, message, hint string) {
	r(Problem{Path: path, Offset: -1, Message: message, Hint: hint})
}
