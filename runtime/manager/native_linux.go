package manager

import (
	"encoding/binary"
	"strconv"
	"unsafe"
)

var nativeEndian = binary.NativeEndian

func ptr(b *[128]byte) unsafe.Pointer { return unsafe.Pointer(b) }

func atoi(s string, otherwise int) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return otherwise
	}
	return n
}

func bytePtr(p *byte) uintptr { return uintptr(unsafe.Pointer(p)) }

func addressOf[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }
