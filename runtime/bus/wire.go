//go:build linux

package bus

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/godbus/dbus/v5"
)

// Bounds on what a client may send. Header fields are names and signatures,
// each at most 255 bytes, and a path.
const (
	maxHeader  = 64 << 10
	maxMessage = 16 << 20
)

var errMalformed = errors.New("malformed message")

// readRaw reads the bytes of one message. A length beyond the bounds is
// refused before anything is read for it; memory grows with what arrives.
func readRaw(r io.Reader) ([]byte, error) {
	var head [16]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	var order binary.ByteOrder
	switch head[0] {
	case 'l':
		order = binary.LittleEndian
	case 'B':
		order = binary.BigEndian
	default:
		return nil, fmt.Errorf("%w: byte order %#x", errMalformed, head[0])
	}
	if head[3] != 1 {
		return nil, fmt.Errorf("%w: protocol version %d", errMalformed, head[3])
	}
	body, fields := uint64(order.Uint32(head[4:])), uint64(order.Uint32(head[12:]))
	if fields > maxHeader || body > maxMessage {
		return nil, fmt.Errorf("%w: %d bytes of header and %d of body are too much", errMalformed, fields, body)
	}
	if order.Uint32(head[8:]) == 0 {
		return nil, fmt.Errorf("%w: serial 0", errMalformed)
	}
	rest := int((fields+7)&^7 + body)
	var buf bytes.Buffer
	buf.Grow(16 + min(rest, 64<<10))
	buf.Write(head[:])
	if n, err := io.CopyN(&buf, r, int64(rest)); err != nil {
		if errors.Is(err, io.EOF) && n > 0 {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return buf.Bytes(), nil
}

// decode parses one message. Whatever the bytes are, the answer is a message
// or an error.
func decode(raw []byte, fds []int) (m *dbus.Message, err error) {
	defer func() {
		if p := recover(); p != nil {
			m, err = nil, fmt.Errorf("%w: %v", errMalformed, p)
		}
	}()
	m, err = dbus.DecodeMessageWithFDs(bytes.NewReader(raw), fds)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errMalformed, err)
	}
	return m, nil
}

// encode makes the bytes of a message with its serial. The signature in the
// headers is the caller's: a slice of pairs may stand for a dictionary, which
// has the same bytes and keeps its order. fds are the descriptors to pass.
func encode(m *dbus.Message, serial uint32) (raw []byte, fds []int, err error) {
	defer func() {
		if p := recover(); p != nil {
			raw, fds, err = nil, nil, fmt.Errorf("cannot encode: %v", p)
		}
	}()
	var buf bytes.Buffer
	if fds, err = m.EncodeToWithFDs(&buf, binary.LittleEndian); err != nil {
		return nil, nil, err
	}
	if len(fds) > 0 && m.Headers[dbus.FieldUnixFDs].Value() == nil {
		m.Headers[dbus.FieldUnixFDs] = dbus.MakeVariant(uint32(len(fds)))
		return encode(m, serial)
	}
	raw = buf.Bytes()
	binary.LittleEndian.PutUint32(raw[8:], serial)
	return raw, fds, nil
}

// headers makes the header fields of a message.
func headers(fs ...any) map[dbus.HeaderField]dbus.Variant {
	h := make(map[dbus.HeaderField]dbus.Variant, len(fs)/2)
	for i := 0; i < len(fs); i += 2 {
		h[fs[i].(dbus.HeaderField)] = dbus.MakeVariant(fs[i+1])
	}
	return h
}

// field gives a header field as a string, "" when it is missing.
func field(m *dbus.Message, f dbus.HeaderField) string {
	switch v := m.Headers[f].Value().(type) {
	case string:
		return v
	case dbus.ObjectPath:
		return string(v)
	case dbus.Signature:
		return v.String()
	}
	return ""
}
