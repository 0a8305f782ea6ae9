package lsp

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	maxHeader  = 8 << 10           // bytes of one message's header
	maxMessage = 2*maxText + 1<<20 // bytes of one message
)

// unreadable is the notification that stands for a message that is no JSON.
const unreadable = "$/unreadable"

// codec reads and writes messages with a header, as the base protocol has them.
// Each is bounded, and read whole before it is looked at, so that one that is no
// JSON costs no other.
type codec struct{}

// WriteObject writes one message (jsonrpc2.ObjectCodec).
func (codec) WriteObject(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "Content-Length: %d\r\n\r\n", len(b)); err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// ReadObject reads one message (jsonrpc2.ObjectCodec).
func (codec) ReadObject(r *bufio.Reader, v any) error {
	n, err := header(r)
	if err != nil {
		return err
	}
	body := make([]byte, 0, min(n, 64<<10))
	for len(body) < n {
		if len(body) == cap(body) {
			body = append(body, 0)[:len(body)]
		}
		got, err := r.Read(body[len(body):min(cap(body), n)])
		body = body[:len(body)+got]
		if err != nil {
			return err
		}
	}
	if json.Unmarshal(body, v) == nil {
		return nil
	}
	return json.Unmarshal([]byte(`{"jsonrpc":"2.0","method":"`+unreadable+`"}`), v)
}

// header reads the lines before a message and gives its length.
func header(r *bufio.Reader) (int, error) {
	length, read := -1, 0
	for {
		var line []byte
		for {
			b, err := r.ReadByte()
			if err != nil {
				return 0, err
			}
			if read++; read > maxHeader {
				return 0, errors.New("the header of a message is too long")
			}
			if b == '\n' {
				break
			}
			line = append(line, b)
		}
		text := strings.TrimSuffix(string(line), "\r")
		if text == "" {
			break
		}
		name, val, _ := strings.Cut(text, ":")
		if !strings.EqualFold(strings.TrimSpace(name), "Content-Length") {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(val), 10, 63)
		if err != nil {
			return 0, fmt.Errorf("the header of a message says %q", text)
		}
		if n > maxMessage {
			return 0, fmt.Errorf("a message of %d bytes is more than the %d that are taken", n, maxMessage)
		}
		length = int(n)
	}
	if length < 0 {
		return 0, errors.New("a message has no Content-Length")
	}
	return length, nil
}
