package state

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/rosterd/rosterd/identity"
)

// The buckets. Numbers in keys are big-endian, so that they sort.
var (
	bMeta      = []byte("meta")
	bSources   = []byte("sources")   // name → sourceRecord
	bCoverages = []byte("coverages") // number → names
	bIDs       = []byte("ids")       // source ‖ kind ‖ ID → ordinal, standing, digest
	bPeople    = []byte("people")    // ordinal → person
	bGroups    = []byte("groups")    // ordinal → group
	bMembers   = []byte("members")   // group ‖ chunk → refs
	bMemberOf  = []byte("memberof")  // hash of ref ‖ group → ref
	bNames     = []byte("names")     // hash of name ‖ ordinal → 1
	// bContainers is source ‖ ID → DN
	bContainers = []byte("containers")
	bStage      = []byte("stage")     // number → stage record
	bStageMeta  = []byte("stagemeta") // what the stage is, and how far it is drained
	bPins       = []byte("pins")      // source ‖ 0 ‖ written → pin
	bMarks      = []byte("marks")     // ordinal → mark
	bDue        = []byte("due")       // time ‖ ordinal ‖ reason → 1
	bFlips      = []byte("flips")     // ordinal → time of their next date, which is in due
	bLinks      = []byte("links")     // ordinal ‖ target → link
	bNatives    = []byte("natives")   // target ‖ 0 ‖ native ID → ordinal
	bTally      = []byte("tally")     // target ‖ 0 ‖ what of its links is counted → how many
	bIntents    = []byte("intents")   // number → intent
	bHolds      = []byte("holds")     // number in the ID → hold
	bUsed       = []byte("used")      // number of hold ‖ change key → 1: approved and since intended
	bSpends     = []byte("spends")    // time ‖ number → spend
	bParked     = []byte("parked")    // target ‖ 0 ‖ ordinal ‖ subject → parked
	bDenials    = []byte("denials")   // ordinal → denial
	bTargets    = []byte("targets")   // name → target state
	bCycles     = []byte("cycles")    // begin ‖ ID → cycle
	bJournal    = []byte("journal")   // number → record
	// bGiven is target ‖ 0 ‖ salted hash of a name → who had it, and until when. It
	// is made when the first name is given.
	bGiven = []byte("given")
	// bReferred says who names whom. It is made when the policy first asks for that.
	bReferred = []byte("referred")

	allBuckets = [][]byte{bMeta, bSources, bCoverages, bIDs, bPeople, bGroups, bMembers, bMemberOf, bContainers, bNames, bStage, bStageMeta,
		bPins, bMarks, bDue, bFlips, bLinks, bNatives, bTally, bIntents, bHolds, bUsed, bSpends, bParked, bDenials, bTargets, bCycles, bJournal}
)

// Keys of the bucket meta.
var (
	kSchema  = []byte("schema")
	kSerial  = []byte("serial")
	kOrdinal = []byte("ordinal") // the last one given
	kHold    = []byte("hold")    // the last one given
	kPolicy  = []byte("policy")
	kHead    = []byte("head") // hash of the last journal record
	// kGeneration counts the files that the state had.
	kGeneration = []byte("generation")
	kFormer     = []byte("former serials")
	kSalt       = []byte("salt") // of the hashes of given names
	kRestored   = []byte("restored")

	one       = []byte{1}
	nothingAt = time.Time{}
)

func u64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func ordKey(o identity.Ordinal) []byte { return u64(uint64(o)) }

func fromU64(b []byte) uint64 {
	if len(b) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

// nanos is the time as a key that sorts; times before 1970 are 0, and those that
// cannot be counted so, from 2262 on, are all the last one.
func nanos(t time.Time) uint64 {
	switch {
	case t.Unix() > math.MaxInt64/int64(time.Second)-1:
		return math.MaxInt64
	case t.IsZero() || t.Unix() < 0 || t.UnixNano() < 0:
		return 0
	}
	return uint64(t.UnixNano())
}

// next gives the number after the last one kept under key.
func next(tx *txn, key []byte, n uint64) (uint64, error) {
	meta := tx.Bucket(bMeta)
	first := fromU64(meta.Get(key)) + 1
	return first, meta.Put(key, u64(first+n-1))
}

func putJSON(b *bucket, key []byte, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write record: %w", err)
	}
	return b.Keep(key, text)
}

// getJSON says false where there is no record.
func getJSON(b *bucket, key []byte, v any) (bool, error) {
	text := b.Get(key)
	if text == nil {
		return false, nil
	}
	if err := json.Unmarshal(text, v); err != nil {
		return false, fmt.Errorf("%w (read record: %v)", ErrCorrupt, err)
	}
	return true, nil
}

// drop deletes every key that is collected first: a cursor that deletes while
// it goes skips keys.
func drop(b *bucket, keys [][]byte) error {
	for _, k := range keys {
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

// under collects copies of the keys with the prefix.
func under(b *bucket, prefix []byte) [][]byte {
	var out [][]byte
	c := b.Cursor()
	for k, _ := c.Seek(prefix); k != nil && hasPrefix(k, prefix); k, _ = c.Next() {
		out = append(out, append([]byte(nil), k...))
	}
	return out
}

func hasPrefix(k, prefix []byte) bool {
	return len(k) >= len(prefix) && string(k[:len(prefix)]) == string(prefix)
}
