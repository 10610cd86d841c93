package main

import (
	"slices"
	"time"

	"github.com/rosterd/rosterd/mapping/words"
)

// policyDocument is the policy for machines: what each role gives where.
type policyDocument struct {
	FormatVersion int                  `json:"format_version"`
	File          string               `json:"file"`
	Version       string               `json:"version"`
	Since         *time.Time           `json:"since,omitempty"`
	Roles         []policyRoleDocument `json:"roles"`
}

type policyRoleDocument struct {
	Role        string               `json:"role"`
	Where       string               `json:"where"`
	Description string               `json:"description,omitempty"`
	Owner       string               `json:"owner,omitempty"`
	Owners      []string             `json:"owners,omitempty"`
	Birthright  bool                 `json:"birthright,omitempty"`
	From        string               `json:"from,omitempty"`
	Until       string               `json:"until,omitempty"`
	Groups      []string             `json:"groups,omitempty"`
	When        string               `json:"when,omitempty"`
	Requires    []string             `json:"requires,omitempty"`
	Includes    []string             `json:"includes,omitempty"`
	Excludes    []string             `json:"excludes,omitempty"`
	Gives       []policyGiveDocument `json:"gives"`
}

type policyGiveDocument struct {
	Target       string   `json:"target"`
	Account      bool     `json:"account"`
	Entitlements []string `json:"entitlements,omitempty"`
}

func newPolicyDocument(in words.Input) policyDocument {
	d := policyDocument{FormatVersion: 1, File: in.File, Version: in.Version}
	if !in.Since.IsZero() {
		d.Since = &in.Since
	}
	c := in.Policy.Config()
	for _, name := range in.Policy.Roles() {
		r := c.Roles[name]
		x := policyRoleDocument{Role: name, Where: in.Policy.Where("role", name), Description: r.Description, Owner: r.Owner, Owners: r.Owners, Birthright: r.Birthright,
			From: string(r.From), Until: string(r.Until), Groups: r.Groups,
			When: r.When, Requires: r.Requires, Includes: r.Includes, Excludes: r.Excludes, Gives: []policyGiveDocument{}}
		for _, app := range in.Policy.Targets() {
			t := c.Targets[app]
			accounts, entitlements := t.Account.For, t.Entitlements[name]
			if accounts == nil {
				accounts = sortedKeys(t.Entitlements)
			}
			if account := slices.Contains(accounts, name); account || len(entitlements) > 0 {
				x.Gives = append(x.Gives, policyGiveDocument{app, account, entitlements})
			}
		}
		d.Roles = append(d.Roles, x)
	}
	return d
}
