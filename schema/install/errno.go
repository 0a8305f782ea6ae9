package install

import (
	"errors"
	"syscall"
)

const (
	errIsDir      = syscall.EISDIR
	errBadFd      = syscall.EBADF
	errBadMessage = syscall.EBADMSG
)

func isNotDir(err error) bool { return errors.Is(err, syscall.ENOTDIR) }
