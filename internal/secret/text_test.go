package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// A text in memory prints in no way that Go has, not even in a field that no method
// of it reaches.
func TestLaw12TextsDoNotPrint(t *testing.T) {
	text := NewText("hunter2")
	hidden := struct {
		Shown  Text
		hidden Text
		many   map[string]*Text
	}{text, text, map[string]*Text{"a": &text}}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T %[1]v"} {
		fmt.Fprintf(&out, verb+"\n", text)
		fmt.Fprintf(&out, verb+"\n", &text)
		fmt.Fprintf(&out, verb+"\n", hidden)
	}
	fmt.Fprintln(&out, text.String(), text.GoString())
	if err := json.NewEncoder(&out).Encode(hidden); err != nil {
		t.Fatal(err)
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("set", "password", text, "in", hidden)
	}
	marshalled, err := text.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	out.Write(marshalled)
	if got := out.String(); strings.Contains(got, "hunter2") || strings.Contains(got, fmt.Sprintf("%x", "hunter2")) {
		t.Errorf("a secret was printed:\n%s", got)
	}
	if text.Reveal() != "hunter2" || !text.IsSet() || (Text{}).IsSet() || (Text{}).Reveal() != "" {
		t.Error("the text is not what was put into it")
	}
}
