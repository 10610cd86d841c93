package state

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// ours says what to do about an error of the file system: whom the state belongs
// to, or what the disk lacks.
func ours(err error) error {
	for _, c := range []struct {
		is    []error
		means error
	}{
		{[]error{os.ErrPermission}, ErrNotOurs},
		{[]error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG}, ErrDiskFull},
		{[]error{syscall.EROFS}, ErrReadOnlyDisk},
	} {
		for _, is := range c.is {
			if causedBy(err, is) && !errors.Is(err, c.means) {
				return fmt.Errorf("%w: %w", c.means, err)
			}
		}
	}
	return err
}

// causedBy knows an error also by its text: bbolt does not wrap all of them.
func causedBy(err, is error) bool {
	var number syscall.Errno
	return errors.Is(err, is) || err != nil && errors.As(is, &number) && strings.HasSuffix(err.Error(), ": "+number.Error())
}
