package state

import "sync/atomic"

// Work is what was done with the file since it was opened, in values and their
// bytes. A test says by it that something does not grow with the people.
type Work struct {
	Commits               int
	Read, ReadBytes       int
	Written, WrittenBytes int
}

// meter adds up the work of all transactions.
type meter struct {
	commits, read, readBytes, written, writtenBytes atomic.Int64
}

func (m *meter) add(tx *txn) {
	m.read.Add(int64(tx.work.Read))
	m.readBytes.Add(int64(tx.work.ReadBytes))
	m.written.Add(int64(tx.work.Written))
	m.writtenBytes.Add(int64(tx.work.WrittenBytes))
}

// Work says what was done so far.
func (s *Store) Work() Work {
	m := &s.work
	return Work{Commits: int(m.commits.Load()), Read: int(m.read.Load()), ReadBytes: int(m.readBytes.Load()),
		Written: int(m.written.Load()), WrittenBytes: int(m.writtenBytes.Load())}
}

// Less is the work since an earlier moment.
func (w Work) Less(before Work) Work {
	return Work{w.Commits - before.Commits, w.Read - before.Read, w.ReadBytes - before.ReadBytes,
		w.Written - before.Written, w.WrittenBytes - before.WrittenBytes}
}
