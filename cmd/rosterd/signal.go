package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// listen makes the first signal end the work in good order and the second abort
// it. The function that it returns ends the listening. Where nobody listens (at
// a question, or while another process has the state) a signal ends the program
// at once: the state is whole at any instant.
func (a *app) listen(abort func()) func() {
	if a.listening {
		return func() {}
	}
	a.listening = true
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		first := true
		for {
			select {
			case <-done:
				return
			case <-signals:
				if !first {
					abort()
					signal.Stop(signals) // a third one kills
					return
				}
				first = false
				close(a.stop)
				if f, is := a.stderr.(*os.File); is {
					fmt.Fprintln(f, "rosterd: stopping: what is under way is finished; another signal aborts it")
				}
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(done)
		<-ended
		a.listening = false
	}
}

// relay hands the signals on to whoever runs the verb elsewhere. The function
// that it returns ends it.
func relay() (<-chan struct{}, func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	out := make(chan struct{})
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-signals:
			case <-done:
				return
			}
			select {
			case out <- struct{}{}:
			case <-done:
				return
			}
		}
	}()
	return out, func() {
		signal.Stop(signals)
		close(done)
		<-ended
	}
}
