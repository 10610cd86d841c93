package target

import "context"

// Creation is one account that is to be made, as Create takes it.
type Creation struct {
	Name string
	Set  []Value
	Mark string
}

// Created is what became of one: the account, or the error that Create would
// have returned.
type Created struct {
	Account Ref
	Err     error
}

// Batcher is a target that makes many accounts in fewer requests than one by
// one. It is part of the writing half: nobody but the apply stage calls it.
type Batcher interface {
	// CreateAll does what Create does for each, and tells each, once, with its
	// position and from one goroutine at a time, as the answers come. One that is
	// refused does not keep the others back. Of two with one name one is Exists.
	//
	// What was not told has not left. That is so after told returned false, when
	// nothing more is sent and what has left is still told, and where the target
	// broke: what left without an answer is told as InDoubt, or, if nothing was on
	// its way, one is told what is the matter.
	CreateAll(ctx context.Context, accounts []Creation, told func(int, Created) bool)
}
