package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/rosterd/rosterd/config"
	"github.com/rosterd/rosterd/internal/control"
	"github.com/rosterd/rosterd/state"
	rostersync "github.com/rosterd/rosterd/sync"
)

// standing says whether a file is in force: as a service says, or the state.
// What of its exceptions and conflicts needs somebody is noted besides.
func (a *app) standing(ctx context.Context, c *config.Config, note func(where, level, text, hint string)) (level, text, hint string) {
	const inForce = "this file is in force"
	conn, err := control.Dial(ctx, c.Control.Socket)
	if err == nil {
		var out, errs bytes.Buffer
		ask := control.Request{Args: []string{"status", "--json", "-c", c.File}, Config: c.Digest, Sudo: a.getenv("SUDO_USER")}
		exit, err := control.Call(ctx, conn, ask, control.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}, nil)
		var said struct {
			Policy     *pendingDocument
			Exceptions []exceptionDocument
			Together   []togetherDocument `json:"held_together"`
		}
		switch {
		case err != nil:
			return "warning", "whether the file is in force is not known: " + err.Error(), ""
		case exit == rostersync.ExitUsage:
			return "warning", "the service has not taken this file yet", "rosterd reload"
		case json.Unmarshal(out.Bytes(), &said) != nil:
			return "warning", "whether the file is in force is not known: " + strings.TrimSpace(errs.String()), ""
		}
		noteOdd(said.Exceptions, said.Together, note)
		if said.Policy == nil {
			return "ok", inForce, ""
		}
		return "warning", said.Policy.Text, said.Policy.Hint
	}
	store, err := a.openState(c, waitBriefly, true)
	if errors.Is(err, state.ErrMissing) {
		return "ok", "there is no state yet: the first cycle takes this file", ""
	}
	if err != nil {
		return "warning", "whether the file is in force is not known: " + err.Error(), hintOf(err)
	}
	defer store.Close()
	e, closeTargets, err := a.engine(c, store)
	if err != nil {
		return "warning", "whether the file is in force is not known: " + err.Error(), hintOf(err)
	}
	defer closeTargets()
	if st, err := e.Status(0); err == nil {
		noteOdd(newExceptions(st.Exceptions), newTogether(st.Together), note)
	}
	p, err := e.Pending()
	switch {
	case err != nil:
		return "warning", "whether the file is in force is not known: " + err.Error(), hintOf(err)
	case p == nil:
		return "ok", inForce, ""
	case e.Frozen != "":
		return "error", e.Frozen, "look and decide: rosterd plan"
	}
	text, hint = pendingText(p)
	return "warning", text, hint
}
