package handover

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"golang.org/x/crypto/ssh"
	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/internal/secret"
)

// keys are one of age and one of ssh, each with what opens it.
func keys(t *testing.T) (public []string, private []age.Identity) {
	t.Helper()
	one, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	pub, priv, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	two, err := agessh.NewEd25519Identity(priv)
	if err != nil {
		t.Fatal(err)
	}
	return []string{one.Recipient().String(), strings.TrimSpace(string(ssh.MarshalAuthorizedKey(shown)))}, []age.Identity{one, two}
}

// Each file can be read by the holder of any of the keys, and by nobody else; a later
// one of the account takes the place of the earlier.
func TestSealed(t *testing.T) {
	public, private := keys(t)
	folder := filepath.Join(t.TempDir(), "passwords")
	d := made(t, Config{Age: public, Folder: folder})
	if found, err := d.Ready(); err != nil || !strings.Contains(found, "made with the first") {
		t.Errorf("%q, %v", found, err)
	}
	l := letter()
	l.Account = "writer1"
	for _, text := range []string{"Canary.first", "Canary.4711"} {
		l.Password = secret.NewText(text)
		if err := d.Give(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != 1 || files[0].Name() != "wiki~writer1.age" {
		t.Fatalf("%v: %v", err, files)
	}
	path := filepath.Join(folder, files[0].Name())
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v: mode %v", err, info.Mode())
	}
	if up, err := os.Stat(folder); err != nil || up.Mode().Perm() != 0o700 {
		t.Fatalf("%v: mode of the folder %v", err, up.Mode())
	}
	sealed, err := os.ReadFile(path)
	if err != nil || bytes.Contains(sealed, []byte("Canary")) || bytes.Contains(sealed, []byte("writer1")) {
		t.Fatalf("%v: the file shows something", err)
	}
	for _, key := range private {
		r, err := age.Decrypt(bytes.NewReader(sealed), key)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		var got struct{ Password, Login string }
		if err := json.Unmarshal(text, &got); err != nil || got.Password != "Canary.4711" || got.Login != "writer1" {
			t.Errorf("%v: %+v", err, got)
		}
	}
	stranger, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := age.Decrypt(bytes.NewReader(sealed), stranger); err == nil {
		t.Error("anybody can read it")
	}
	if found, err := d.Ready(); err != nil || !strings.Contains(found, folder) {
		t.Errorf("%q, %v", found, err)
	}
}

// A folder that is none, or that everyone may write to, is told before and at the
// time; what is left of a file that was cut off is in nobody's way.
func TestSealedFails(t *testing.T) {
	public, _ := keys(t)
	l := letter()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{file, filepath.Join(file, "below"), filepath.Join(t.TempDir(), "no", "such")} {
		d := made(t, Config{Age: public, Folder: folder})
		err := d.Give(t.Context(), l)
		var e *Error
		if !errors.As(err, &e) || strings.Contains(err.Error(), "Canary") {
			t.Errorf("%s: %v", folder, err)
		}
		if _, err := d.Ready(); err == nil {
			t.Errorf("%s is ready", folder)
		}
	}
	open := t.TempDir()
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	d := made(t, Config{Age: public, Folder: open})
	if _, err := d.Ready(); err == nil {
		t.Error("a folder that everyone may write to is ready")
	}
	if err := os.Chmod(open, 0o700); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(open, "."+fileName(l.Target, l.Account)+".new")
	if err := os.WriteFile(left, []byte("cut"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := d.Give(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(open, fileName(l.Target, l.Account))); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v: %v", err, info)
	}
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("what was cut off is still there: %v", err)
	}
}

// Whatever an account is called, its file lies in the folder, and no other account has
// the same.
func TestFileName(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		one, two := fileName("wiki", a), fileName("wiki", b)
		if filepath.Base(one) != one || len(one) > 200 || strings.ContainsAny(one, "/\x00 \n") || strings.HasPrefix(one, ".") {
			t.Fatalf("%q has the file %q", a, one)
		}
		if (one == two) != (a == b) {
			t.Fatalf("%q and %q have the files %q and %q", a, b, one, two)
		}
	})
	seen := map[string]string{}
	for _, name := range []string{"a", "a~", "a_", "a/", "a\\", ".", "..", "../a", ".a", "", strings.Repeat("a", 99), strings.Repeat("a", 100), strings.Repeat("a", 101), strings.Repeat("a", 5000), "a~ca978112ca1bbdca"} {
		f := fileName("wiki", name)
		if was, is := seen[f]; is {
			t.Errorf("%q and %q have one file", was, name)
		}
		if seen[f] = name; filepath.Base(f) != f || len(f) > 200 {
			t.Errorf("%q has the file %q", name, f)
		}
	}
}

// TestLaw12KeysAreNotShown: a private key that stands where a public one belongs is in
// no message.
func TestLaw12KeysAreNotShown(t *testing.T) {
	one, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{one.String(), strings.ToLower(one.String()), "ssh-ed25519 " + one.String(), "age1" + one.String(), one.Recipient().String() + "\n" + one.String()} {
		found := 0
		Config{Age: []string{key}, Folder: "/var/lib/rosterd/passwords"}.Validate([]string{"x"}, func(p problem.Problem) {
			found++
			if strings.Contains(strings.ToUpper(p.Message+p.Hint), strings.ToUpper(one.String()[:24])) {
				t.Errorf("shown: %s", p.Message)
			}
		})
		if found != 1 {
			t.Errorf("%d problems with a private key", found)
		}
	}
}
