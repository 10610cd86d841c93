package words

import "strings"

// standsIn says in which file and line something stands, if that is not the main file: the
// owner of an application keeps it, and is whom to ask.
func (w *writer) standsIn(path ...string) Text {
	where := w.Policy.Where(path...)
	if file, _, found := strings.Cut(where, ":"); !found || file == w.File {
		return nil
	}
	return text(" ", asQuiet("("+where+")"))
}
