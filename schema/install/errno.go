package install

import (
	"errors"
	"syscall"
)

const (
	errIsDir      = syscall.EISDIR
	errNotDir     = syscall.ENOTDIR
	errBadFd      = syscall.EBADF
	errBadMessage = syscall.EBADMSG
)

func isNotDir(err error) bool { return errors.Is(err, syscall.ENOTDIR) }
