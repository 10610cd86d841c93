package control

import gosync "sync"

// room counts the commands of those who may not decide.
type room struct {
	mu  gosync.Mutex
	all int
	of  map[uint32]int // by user
}

func (r *room) enter(uid uint32) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all == lookers || r.of[uid] == ofOne {
		return false
	}
	r.all++
	r.of[uid]++
	return true
}

func (r *room) leave(uid uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all--
	if r.of[uid]--; r.of[uid] == 0 {
		delete(r.of, uid)
	}
}
