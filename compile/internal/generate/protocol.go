package generate

import "encoding/json"

// A program runs in a process of its own, so that its time, memory and stack
// are bounded by the kernel whatever it does: this binary started again under
// the name childName. This file is what the two processes say to each other.

const childName = "unitgen-jsonnet"

type request struct {
	Dir       string
	Files     bundled // in place of Dir, where they are not nil
	Program   string
	Input     json.RawMessage
	Data      []string
	Restrict  bool // only Data and *.jsonnet, *.libsonnet may be imported
	MaxStack  int
	MaxMemory uint64
	Seconds   uint64
}

// place is a stretch of a Jsonnet file; columns count characters from 1.
type place struct {
	File                   string
	Line, Col, Byte        int
	EndLine, EndCol, EndBy int
}

type frame struct {
	Name string
	At   place
}

type failure struct {
	Message string
	At      *place
	Frames  []frame
}

type response struct {
	Output json.RawMessage    `json:",omitempty"`
	Fields map[string][]place // the literal fields of all objects of all files
	Files  map[string]string  // sha256 of each file that was read, by name
	Failed *failure
}
