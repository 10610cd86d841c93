package followtest

import rostersync "github.com/rosterd/rosterd/sync"

// asked is a cycle that somebody typed; scheduled is one of the service.
func asked(verb string) rostersync.Request { return rostersync.Request{Verb: verb, By: "test"} }

func scheduled() rostersync.Request { return rostersync.Request{Verb: "changes", Scheduled: true} }
