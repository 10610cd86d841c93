package secret

import (
	"fmt"
	"io"
	"log/slog"
)

// Text is a secret in memory. It does not print, is not marshalled, and shows only
// where it stands when a struct around it is printed.
type Text struct{ text *string }

// NewText makes one. An empty text is one, too; the zero value is none.
func NewText(s string) Text { return Text{&s} }

// IsSet says whether there is a text.
func (t Text) IsSet() bool { return t.text != nil }

// Reveal is the text itself. Whoever calls it hands it on and forgets it.
func (t Text) Reveal() string {
	if t.text == nil {
		return ""
	}
	return *t.text
}

// String prints [secret].
func (Text) String() string { return shown }

// GoString prints [secret].
func (Text) GoString() string { return shown }

// Format prints [secret] for every verb.
func (Text) Format(w fmt.State, _ rune) { io.WriteString(w, shown) }

// LogValue logs [secret].
func (Text) LogValue() slog.Value { return slog.StringValue(shown) }

// MarshalText writes [secret].
func (Text) MarshalText() ([]byte, error) { return []byte(shown), nil }

// MarshalJSON writes "[secret]".
func (Text) MarshalJSON() ([]byte, error) { return []byte(`"` + shown + `"`), nil }
