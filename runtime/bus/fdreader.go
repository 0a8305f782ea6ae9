//go:build linux

package bus

import (
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"
)

// maxPassed bounds the descriptors that a message may bring along.
const maxPassed = 64

// fdReader reads a connection and keeps the descriptors that come with the
// bytes, in their order, once that was agreed on. More than are of use to
// anybody are closed at once.
type fdReader struct {
	conn *net.UnixConn
	keep bool
	fds  []int
}

// Read reads bytes; what comes beside them is put aside.
func (r *fdReader) Read(b []byte) (int, error) {
	oob := make([]byte, unix.CmsgSpace(4*253))
	n, oobn, _, _, err := r.conn.ReadMsgUnix(b, oob)
	if oobn > 0 {
		list, perr := unix.ParseSocketControlMessage(oob[:oobn])
		if perr != nil {
			list = nil
		}
		for i := range list {
			got, err := unix.ParseUnixRights(&list[i])
			if err != nil {
				continue
			}
			for _, fd := range got {
				if !r.keep || len(r.fds) >= maxPassed {
					unix.Close(fd)
					continue
				}
				unix.CloseOnExec(fd)
				r.fds = append(r.fds, fd)
			}
		}
	}
	if n == 0 && err == nil && len(b) > 0 {
		return 0, errMalformed // the end, as a message without bytes
	}
	if errors.Is(err, io.EOF) {
		err = io.EOF // without the address around it
	}
	return max(n, 0), err
}

// take gives the first n descriptors; they are the caller's then.
func (r *fdReader) take(n int) ([]int, error) {
	if n > len(r.fds) {
		return nil, fmt.Errorf("%w: %d descriptors announced, %d came", errMalformed, n, len(r.fds))
	}
	out := r.fds[:n:n]
	r.fds = r.fds[n:]
	return out, nil
}

func (r *fdReader) close() {
	for _, fd := range r.fds {
		unix.Close(fd)
	}
	r.fds = nil
}

// decodeWithFDs parses one message and gives it the descriptors it announces,
// which the caller closes.
func decodeWithFDs(raw []byte, in *fdReader) (*dbus.Message, []int, error) {
	m, err := decode(raw, nil)
	if err != nil {
		return nil, nil, err
	}
	n, _ := m.Headers[dbus.FieldUnixFDs].Value().(uint32)
	if n == 0 {
		return m, nil, nil
	}
	if n > maxPassed {
		return nil, nil, fmt.Errorf("%w: %d descriptors", errMalformed, n)
	}
	fds, err := in.take(int(n))
	if err != nil {
		return nil, nil, err
	}
	m, err = decode(raw, fds)
	return m, fds, err
}
