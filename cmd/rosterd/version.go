package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", GroupID: groupBegin, Short: "say which build this is", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := build()
			if a.json {
				return a.printJSON(v)
			}
			fmt.Fprintf(a.stdout, "rosterd %s %s %s\n", v.Version, v.Go, v.Platform)
			if v.Revision != "" {
				fmt.Fprintf(a.stdout, "revision %s%s\n", v.Revision, map[bool]string{true: " with changes"}[v.Modified])
			}
			return nil
		},
	}
}

// buildInfo is what the build says of itself.
type buildInfo struct {
	FormatVersion int    `json:"format_version"`
	Version       string `json:"version"`
	Revision      string `json:"revision,omitempty"`
	Modified      bool   `json:"modified,omitempty"`
	Go            string `json:"go"`
	Platform      string `json:"platform"`
}

func build() buildInfo {
	out := buildInfo{FormatVersion: 1, Version: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return out
	}
	out.Version = info.Main.Version
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			out.Revision = s.Value
		case "vcs.modified":
			out.Modified = s.Value == "true"
		}
	}
	return out
}
