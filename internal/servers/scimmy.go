package servers

import (
	"bufio"
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

//go:embed testdata/scimmy
var scimmyFiles embed.FS

// ScimmyToken is the bearer token that a SCIMMY wants.
const ScimmyToken = "scimmy-token"

// Scimmy is a SCIM server of the npm packages scimmy and scimmy-routers under
// node, with its storage in memory. Its URL ends with the path of the service.
type Scimmy struct {
	URL     string
	process *process
	stdin   io.WriteCloser
	store   string
}

// scimmyFolder is where .ci/prepare puts the packages.
func scimmyFolder(express int) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the packages of npm: %w", err)
	}
	name := fmt.Sprintf("express%d", express)
	folder := filepath.Join(cache, "rosterd", "scimmy", name)
	want, err := scimmyFiles.ReadFile("testdata/scimmy/" + name + "/package-lock.json")
	if err != nil {
		return "", fmt.Errorf("there is no SCIMMY on express %d", express)
	}
	have, err := os.ReadFile(filepath.Join(folder, "package-lock.json"))
	if err != nil || !bytes.Equal(have, want) {
		return "", fmt.Errorf("the packages of SCIMMY on express %d are not in %s; run .ci/prepare servers", express, folder)
	}
	return folder, nil
}

// StartScimmy starts SCIMMY on express 4, or on 5 where its paging is broken, and
// ends it with the test.
func StartScimmy(t TB, express int) *Scimmy {
	t.Helper()
	Require(t, "node")
	s, err := startScimmy(express)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Logf("%v", err)
		}
	})
	return s
}

func startScimmy(express int) (*Scimmy, error) {
	folder, err := scimmyFolder(express)
	if err != nil {
		return nil, err
	}
	source, err := scimmyFiles.ReadFile("testdata/scimmy/server.mjs")
	if err != nil {
		return nil, fmt.Errorf("read the server: %w", err)
	}
	node, err := Find("node")
	if err != nil {
		return nil, err
	}
	// A module finds packages beside where it is read from, so its text is handed
	// to node with that folder as the place it stands in.
	cmd := exec.Command(node, "--input-type=module", "--eval", string(source))
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "SCIMMY_TOKEN="+ScimmyToken)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start node: %w", err)
	}
	// A pipe of our own: that of the command is closed as soon as it ends.
	out, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start node: %w", err)
	}
	defer out.Close()
	cmd.Stdout = in
	p, err := startProcess(cmd)
	in.Close()
	if err != nil {
		return nil, fmt.Errorf("start node: %w", err)
	}
	if err := out.SetReadDeadline(time.Now().Add(readyWithin)); err != nil {
		return nil, errors.Join(fmt.Errorf("start node: %w", err), p.kill())
	}
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start SCIMMY: no port within %s: %w", readyWithin, err), p.kill(), errors.New(errs.String()))
	}
	host := "http://127.0.0.1:" + strings.TrimSpace(port)
	return &Scimmy{URL: host + "/scim", store: host + "/store", process: p, stdin: stdin}, nil
}

func (s *Scimmy) stop() error {
	s.stdin.Close()
	return s.process.stop()
}

// ScimmyStore is what a SCIMMY holds, and which requests it had.
type ScimmyStore struct {
	// Requests are "METHOD /path?query", in order.
	Requests      []string
	Users, Groups []map[string]any
}

// Store reads the store past the protocol.
func (s *Scimmy) Store() (ScimmyStore, error) {
	var out ScimmyStore
	err := s.past(http.MethodGet, "", nil, &out)
	return out, err
}

// Put stores a resource of kind Users or Groups past the protocol.
func (s *Scimmy) Put(kind, id string, resource map[string]any) error {
	return s.past(http.MethodPut, "/"+kind+"/"+url.PathEscape(id), resource, nil)
}

// Drop removes a resource past the protocol.
func (s *Scimmy) Drop(kind, id string) error {
	return s.past(http.MethodDelete, "/"+kind+"/"+url.PathEscape(id), nil, nil)
}

func (s *Scimmy) past(method, path string, body map[string]any, into any) error {
	sent, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("reach the store of SCIMMY: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.store+path, bytes.NewReader(sent))
	if err != nil {
		return fmt.Errorf("reach the store of SCIMMY: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	// No connection outlives the test.
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("reach the store of SCIMMY: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("reach the store of SCIMMY: %s", res.Status)
	}
	if into == nil {
		return nil
	}
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		return fmt.Errorf("reach the store of SCIMMY: %w", err)
	}
	return nil
}
