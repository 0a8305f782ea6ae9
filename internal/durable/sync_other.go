//go:build !linux

package durable

func syncTree(string) (bool, error) { return false, nil }
