//go:build linux

package bus

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// maxAuthLine bounds a line of the handshake, maxAuthLines their number.
const (
	maxAuthLine  = 16 << 10
	maxAuthLines = 64
)

var errAuth = errors.New("the peer did not authenticate")

// authenticate is the server's side of the D-Bus handshake: a NUL byte, then
// AUTH EXTERNAL with or without an initial response, NEGOTIATE_UNIX_FD, BEGIN.
// uid is what the kernel says of the peer; a peer that claims another one is
// rejected, as is every other mechanism (ANONYMOUS, DBUS_COOKIE_SHA1). Clients
// may send all lines at once; what follows BEGIN stays in r. fds is true when
// descriptors may be passed.
func authenticate(r *bufio.Reader, w io.Writer, uid uint32, guid string) (fds bool, err error) {
	if b, err := r.ReadByte(); err != nil {
		return false, err
	} else if b != 0 {
		return false, fmt.Errorf("%w: the first byte is not NUL", errAuth)
	}
	say := func(s string) error {
		_, err := io.WriteString(w, s+"\r\n")
		return err
	}
	const rejected = "REJECTED EXTERNAL"
	ok, waiting := false, false // authenticated; waiting for DATA
	claim := func(data string) string {
		waiting = false
		raw, err := hex.DecodeString(data)
		if err != nil {
			return rejected
		}
		// An empty identity means: the one that the socket shows.
		if len(raw) > 0 {
			n, err := strconv.ParseUint(string(raw), 10, 32)
			if err != nil || uint32(n) != uid {
				return rejected
			}
		}
		ok = true
		return "OK " + guid
	}
	for range maxAuthLines {
		line, err := readAuthLine(r)
		if err != nil {
			return false, err
		}
		verb, rest, _ := strings.Cut(line, " ")
		answer := "ERROR"
		switch verb {
		case "AUTH":
			mech, data, given := strings.Cut(rest, " ")
			ok, waiting = false, false
			switch {
			case mech != "EXTERNAL":
				answer = rejected
			case given:
				answer = claim(data)
			default:
				waiting, answer = true, "DATA"
			}
		case "DATA":
			if waiting {
				answer = claim(rest)
			}
		case "CANCEL", "ERROR":
			ok, waiting, answer = false, false, rejected
		case "NEGOTIATE_UNIX_FD":
			if ok {
				fds, answer = true, "AGREE_UNIX_FD"
			}
		case "BEGIN":
			if !ok {
				return false, fmt.Errorf("%w: BEGIN before OK", errAuth)
			}
			return fds, nil
		}
		if err := say(answer); err != nil {
			return false, err
		}
	}
	return false, fmt.Errorf("%w: too many lines", errAuth)
}

// readAuthLine reads one line that ends in CR LF.
func readAuthLine(r *bufio.Reader) (string, error) {
	var line []byte
	for {
		b, err := r.ReadByte()
		if err != nil {
			return "", err
		}
		if b == '\n' && len(line) > 0 && line[len(line)-1] == '\r' {
			return string(line[:len(line)-1]), nil
		}
		if b == 0 || b >= 0x80 || len(line) >= maxAuthLine {
			return "", fmt.Errorf("%w: a line that is none", errAuth)
		}
		line = append(line, b)
	}
}
