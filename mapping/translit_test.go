package mapping

import (
	"testing"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestTranslit(t *testing.T) {
	for in, want := range map[string]string{
		"Weiß": "Weiss", "ẞ": "Ss", "André": "Andre", "Łódź": "Lodz", "Søren Ærø": "Soren AEro", "Þór": "Thor",
		"Иван Петров": "Ivan Petrov", "Щукин": "Shchukin", "Γιώργος": "Giorgos", "İstanbul ı": "Istanbul i",
		"plain": "plain", "": "", "a’b": "a'b", "x\u0301": "x",
	} {
		if got := translit(in); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "text")
		got := translit(s)
		if !ascii(got) {
			t.Fatalf("%q gives %q", s, got)
		}
		if again := translit(got); again != got {
			t.Fatalf("%q gives %q, and that %q", s, got, again)
		}
		if other := translit(norm.NFD.String(s)); other != translit(norm.NFC.String(s)) {
			t.Fatalf("%q gives %q decomposed and %q composed", s, other, translit(norm.NFC.String(s)))
		}
	})
}

func TestSlug(t *testing.T) {
	for in, want := range map[string]string{
		"Übersetzung & Lektorat": "ubersetzung-lektorat", "  O'Neill ": "oneill", "--a--b--": "a-b", "Игорь": "igor", "!?": "", "Größe 2": "grosse-2",
	} {
		if got := slug(in); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		got := slug(rapid.String().Draw(t, "text"))
		if slug(got) != got {
			t.Fatalf("%q gives %q", got, slug(got))
		}
	})
}
