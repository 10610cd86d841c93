package state

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Options are those of Open.
type Options struct {
	// Timeout is how long to wait for another process; 2 s if zero.
	Timeout time.Duration
	// Now is the clock; it must be set.
	Now func() time.Time
	// MustExist makes a missing file the error ErrMissing.
	MustExist bool
	// Committed is called after each commit, if it is set: something moves.
	Committed func()
}

// Store is an open state. Its methods may be called from several goroutines.
type Store struct {
	// gate is held shared while a transaction is open, and alone while another
	// file takes the place of this one. writer is held by the one who writes.
	gate   sync.RWMutex
	writer sync.Mutex
	// pins is held shared, and for as long as it takes, by who reads all of one
	// commit. Whoever needs it, and writer and gate too, takes it first.
	pins   sync.RWMutex
	db     *bolt.DB
	file   *os.File // that of db, which closes it
	path   string
	serial atomic.Pointer[string]
	// witness is told how far the state has come; nil where it cannot be.
	witness *witness
	opening Opening
	trouble atomic.Pointer[error]
	now     func() time.Time
	// before is called before each commit; an error undoes the transaction.
	// It is nil but in tests.
	before func() error
	// step is told in tests how far a change of files has come.
	step func(string)
	// committed hears of each commit.
	committed func()
	// later is what goes with the next commit.
	later later
	work  meter
}

// schema is the form of the file. The first byte of its value tells it in every
// form; since the second, values carry checksums; since the third, records of the
// journal have several personal parts; since the fourth, an entry has the dates
// between which an account may be used, links are counted, members are kept by their
// hash, and there are containers, cursors, and rehire keys among the names.
const schema = 4

// Open opens the state file, made with its folder if it is missing. While
// another process has it, the error is a *BusyError.
func Open(path string, o Options) (*Store, error) {
	if o.Now == nil {
		return nil, errors.New("open state: no clock was given")
	}
	if o.Timeout <= 0 {
		o.Timeout = 2 * time.Second
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	// A rename over a link would leave the file behind it as it is.
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	info, err := os.Stat(path)
	switch {
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("open state: %w", ours(err))
	// Whoever was killed while making the file leaves an empty one.
	case o.MustExist && (err != nil || info.Size() == 0):
		return nil, fmt.Errorf("open state %s: %w", path, ErrMissing)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("open state: %w", ours(err))
	}
	if err := refuseNetwork(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("open state %s: %w", path, err)
	}
	if err == nil {
		if err := private(path, info); err != nil {
			return nil, fmt.Errorf("open state %s: %w", path, err)
		}
	}
	s := &Store{path: path, now: o.Now, committed: o.Committed, step: func(string) {}}
	if s.committed == nil {
		s.committed = func() {}
	}
	if err := s.open(o.Timeout); err != nil {
		return nil, err
	}
	// What a killed process left half done.
	_ = errors.Join(os.Remove(compactPath(path)), os.Remove(restorePath(path)))
	s.sweepUnfinished()
	writeHolder(path, o.Now())
	return s, nil
}

// private takes from others what a copied or restored file may have given them.
func private(path string, info os.FileInfo) error {
	mode := info.Mode()
	if !mode.IsRegular() {
		return fmt.Errorf("%w: it is no regular file", ErrCorrupt)
	}
	if mode.Perm()&0o077 == 0 {
		return nil
	}
	if err := os.Chmod(path, mode.Perm()&0o700); err != nil {
		return fmt.Errorf("%w: %w", ErrOpenToOthers, err)
	}
	return nil
}

func (s *Store) open(timeout time.Duration) (err error) {
	// bbolt panics, or faults, on some damaged files.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("open state %s: %w (%v)", s.path, ErrCorrupt, p)
		}
		if err != nil && s.db != nil {
			defer func() { _ = recover() }()
			s.witness.close()
			s.db.Close()
		}
	}()
	var found inspection
	if s.db, s.file, err = openBolt(s.path, timeout, found.inspect); err != nil {
		return err
	}
	if s.witness, err = openWitness(s.path); err != nil {
		return fmt.Errorf("open state: %w", ours(err))
	}
	fresh, now := false, position{}
	err = s.view(func(tx *txn) error {
		meta := tx.Bucket(bMeta)
		if meta == nil {
			if !tx.empty() {
				return ErrCorrupt
			}
			fresh = true
			return nil
		}
		if err := readable(meta); err != nil {
			return err
		}
		for _, name := range allBuckets {
			if tx.Bucket(name) == nil {
				return ErrCorrupt
			}
		}
		serial := string(meta.Get(kSerial))
		s.serial.Store(&serial)
		now = positionOf(tx)
		return nil
	})
	switch {
	case err == nil && fresh:
		err = s.found()
	case err == nil:
		err = s.takeUp(now, found)
	}
	if err != nil {
		return fmt.Errorf("open state %s: %w", s.path, ours(err))
	}
	return nil
}

// bbolt maps a file anew when it outgrows what is mapped, and to do that waits for
// all who read: a backup or a check would stop every write, and so every read. It
// takes addresses and no memory to map far more than there is. The file grows by
// growth more than it needs.
const (
	mapped int64 = 8 << 30
	growth       = 256 << 10
)

// openBolt locks and opens a file. Before bbolt reads it, its meta pages are
// looked at, and inspect may look further: bbolt trusts what it finds.
func openBolt(path string, timeout time.Duration, inspect func(*os.File, metas) error) (db *bolt.DB, file *os.File, err error) {
	// bbolt asks for the lock too, and has it: it is of the same open file.
	locked := func(path string, _ int, _ os.FileMode) (f *os.File, err error) {
		if file, err = lockFile(path, timeout); err != nil {
			return nil, err
		}
		if err := inspected(file, inspect); err != nil {
			return nil, errors.Join(err, file.Close())
		}
		return file, nil
	}
	defer func() {
		if db == nil && file != nil {
			_ = file.Close() // also where bbolt panics
		}
	}()
	db, err = bolt.Open(path, 0o600, &bolt.Options{Timeout: timeout, FreelistType: bolt.FreelistMapType, NoStatistics: true, OpenFile: locked,
		InitialMmapSize: int(min(mapped, math.MaxInt/4))})
	if db != nil {
		db.AllocSize = growth
	}
	var busy *BusyError
	switch {
	case errors.As(err, &busy):
		return nil, nil, err
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		err = fmt.Errorf("open state %s: %w (%v)", path, ErrCorrupt, err)
	case err != nil:
		err = fmt.Errorf("open state %s: %w", path, ours(err))
	}
	return db, file, err
}

func inspected(file *os.File, inspect func(*os.File, metas) error) error {
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return err // bbolt lays the first pages
	}
	m, err := readMetas(file, info.Size())
	if err != nil || inspect == nil {
		return err
	}
	return inspect(file, m)
}

// found lays the first stones of a new file.
func (s *Store) found() error {
	var raw [8]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return err
	}
	// The witness knows of the state before it is there: a state without one was
	// copied from somewhere. It is on disk before too, so that a loss of power
	// does not make the state one of those.
	if err := errors.Join(s.witness.tell(position{serial: raw, generation: 1}), s.witness.f.Sync(), syncFolder(s.path)); err != nil {
		return err
	}
	serial := hex.EncodeToString(raw[:])
	s.serial.Store(&serial)
	return s.update(func(tx *txn) error {
		for _, name := range allBuckets {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		meta := tx.Bucket(bMeta)
		for key, value := range map[string][]byte{string(kSchema): {schema}, string(kSerial): []byte(serial), string(kGeneration): u64(1)} {
			if err := meta.Put([]byte(key), value); err != nil {
				return err
			}
		}
		return nil
	})
}

// Close ends the use of the file.
func (s *Store) Close() error {
	// What is lost of it is run again, so a full disk is no reason to stay open.
	_ = s.putLater()
	s.pins.Lock()
	defer s.pins.Unlock()
	s.writer.Lock()
	defer s.writer.Unlock()
	s.gate.Lock()
	defer s.gate.Unlock()
	dropHolder(s.path)
	if err := errors.Join(s.db.Close(), s.witness.closed()); err != nil {
		return fmt.Errorf("close state: %w", err)
	}
	return nil
}

// Serial is a random text made with the file. It stands in ownership marks, so
// that another state is told apart. One that was restored gets another serial.
func (s *Store) Serial() string { return *s.serial.Load() }

// Path is where the file is.
func (s *Store) Path() string { return s.path }

func (s *Store) view(f func(*txn) error) (err error) {
	s.gate.RLock()
	defer s.gate.RUnlock()
	defer caught(&err)()
	return s.db.View(func(tx *bolt.Tx) error {
		w := wrap(tx)
		defer s.work.add(w)
		return f(w)
	})
}

// errUnchanged ends a transaction that wrote nothing.
var errUnchanged = errors.New("nothing was written")

// update commits what f writes; where it writes nothing, there is no commit.
func (s *Store) update(f func(*txn) error) (err error) {
	s.writer.Lock()
	defer s.writer.Unlock()
	s.gate.RLock()
	defer s.gate.RUnlock()
	defer caught(&err)()
	defer s.committed()
	// Whoever put another file in the place while this one is in use would lose
	// what is written now.
	if !leadsTo(s.path, s.file) {
		return ErrReplaced
	}
	var now position
	err = s.db.Update(func(tx *bolt.Tx) error {
		w := wrap(tx)
		defer s.work.add(w)
		if err := f(w); err != nil {
			return err
		}
		// Where the disk was full, a commit finds out whether it is still.
		if !w.changed && s.Trouble() == nil {
			return errUnchanged
		}
		if err := s.later.put(w); err != nil {
			return err
		}
		now = positionOf(w)
		if s.before != nil {
			return s.before()
		}
		return nil
	})
	if errors.Is(err, errUnchanged) {
		return nil
	}
	if err == nil {
		s.work.commits.Add(1)
		s.later.written()
		s.witness.told(now)
	}
	err = ours(err)
	s.tried(err)
	return err
}

// tried remembers whether the last write failed for want of a disk.
func (s *Store) tried(err error) {
	switch {
	case err == nil:
		s.trouble.Store(nil)
	case errors.Is(err, ErrDiskFull), errors.Is(err, ErrReadOnlyDisk), errors.Is(err, syscall.EIO):
		s.trouble.Store(&err)
	}
}

// Trouble is why nothing could be written the last time that somebody tried; nil
// if something could.
func (s *Store) Trouble() error {
	if err := s.trouble.Load(); err != nil {
		return *err
	}
	return nil
}

// caught turns a fault in the memory map (a truncated file, a dying disk) and a
// value with another checksum into ErrCorrupt; other panics go on.
func caught(err *error) func() {
	old := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(old)
		p := recover()
		if p == nil {
			return
		}
		if d, ok := p.(damage); ok {
			*err = d.err()
			return
		}
		if fault, ok := p.(interface{ Addr() uintptr }); ok {
			*err = fmt.Errorf("%w (%v)", ErrCorrupt, fault)
			return
		}
		panic(p)
	}
}
