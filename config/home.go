package config

import (
	"io"
	"os"

	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/internal/tomltext"
)

// Home is what a file says of the state and of the socket, whatever is wrong in the rest
// of it and in those that it names. It is nil where just this cannot be read.
func Home(file string) *Config {
	c, _ := home(file)
	return c
}

// Place is the Home of a file that names others, with the digest Main; nil for one that
// names none.
func Place(file string) *Config {
	c, d := home(file)
	if c == nil || len(d.Names("include")) == 0 && len(d.Names("table")) == 0 {
		return nil
	}
	var err error
	if c.Main, err = d.Digest(); err != nil {
		return nil
	}
	return c
}

func home(file string) (*Config, *tomltext.Document) {
	text, err := readMain(file)
	if err != nil {
		return nil, nil
	}
	d := tomltext.Parse(file, text)
	if d.Problems().Broken() {
		return nil, nil
	}
	l := &loader{d: d, config: &Config{File: file}}
	report := problem.Report(d.Report)
	l.state(report)
	l.control(report)
	if d.Problems().Broken() {
		return nil, nil
	}
	return l.config, d
}

// readMain reads a file that is a configuration.
func readMain(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, tomltext.Limit+1))
}
