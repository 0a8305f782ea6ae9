package durable

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

func syncTree(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return true, err
	}
	return true, errors.Join(unix.Syncfs(int(f.Fd())), f.Close())
}
