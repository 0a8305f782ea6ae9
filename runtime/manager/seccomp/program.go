//go:build linux

package seccomp

import (
	"encoding/binary"
	"runtime"
	"sort"

	"golang.org/x/net/bpf"
)

// Program is a filter, one classic BPF program.
type Program []bpf.RawInstruction

// Bytes gives the program as an array of struct sock_filter of this machine.
func (p Program) Bytes() []byte {
	var b []byte
	for _, in := range p {
		b = binary.NativeEndian.AppendUint16(b, in.Op)
		b = append(b, in.Jt, in.Jf)
		b = binary.NativeEndian.AppendUint32(b, in.K)
	}
	return b
}

// action is what a filter answers (seccomp(2)).
type action uint32

const (
	allow action = 0x7fff0000
	logIt action = 0x7ffc0000
	kill  action = 0x80000000 // the whole process
)

func errno(n int) action {
	if n < 0 {
		return kill
	}
	return action(0x00050000 | uint32(n)&0xffff)
}

// Offsets in struct seccomp_data.
const (
	offNumber = 0
	offArch   = 4
	offArgs   = 16
)

// low is the offset of the lower half of an argument.
func low(arg int) uint32 {
	off := uint32(offArgs + 8*arg)
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 { // big endian
		off += 4
	}
	return off
}

const equal = bpf.JumpEqual

type code []bpf.Instruction

func load(off uint32) bpf.Instruction { return bpf.LoadAbsolute{Off: off, Size: 4} }
func ret(a action) bpf.Instruction    { return bpf.RetConstant{Val: uint32(a)} }

// when runs the body where the test on the loaded value holds, and goes on
// behind it otherwise.
func when(cond bpf.JumpTest, val uint32, body code) code {
	return append(code{bpf.JumpIf{Cond: cond, Val: val, SkipTrue: 1}, bpf.Jump{Skip: uint32(len(body))}}, body...)
}

// assemble makes a program of one body for each architecture; other
// architectures get the answer otherwise. A body begins with the number of the
// system call loaded, and what falls off its end is allowed.
func assemble(archs []architecture, otherwise action, body func(a architecture) code) Program {
	all := code{load(offArch)}
	for _, a := range archs {
		c := code{load(offNumber)}
		if a.x32 {
			c = append(c, bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xbfffffff})
		}
		c = append(append(c, body(a)...), ret(allow))
		all = append(all, when(bpf.JumpEqual, a.audit, c)...)
	}
	all = append(all, ret(otherwise))
	raw, err := bpf.Assemble(all)
	if err != nil {
		panic("seccomp: " + err.Error()) // a bug here, never input
	}
	return raw
}

func local(body func(a architecture) code) Program {
	return assemble(native(runtime.GOARCH), allow, body)
}

// span is a run of numbers with one answer; it goes up to the next one's first.
type span struct {
	first uint32
	do    action
}

// decide finds the answer for a number by halving.
func decide(list []span) code {
	if len(list) == 1 {
		return code{ret(list[0].do)}
	}
	mid := len(list) / 2
	return append(when(bpf.JumpGreaterOrEqual, list[mid].first, decide(list[mid:])), decide(list[:mid])...)
}

// spans orders answers by number; all others get otherwise.
func spans(answers map[uint32]action, otherwise action) []span {
	var nrs []uint32
	for n := range answers {
		nrs = append(nrs, n)
	}
	sort.Slice(nrs, func(i, j int) bool { return nrs[i] < nrs[j] })
	out := []span{{0, otherwise}}
	add := func(first uint32, do action) {
		last := &out[len(out)-1]
		switch {
		case last.first == first:
			last.do = do
		case last.do != do:
			out = append(out, span{first, do})
			return
		}
		if n := len(out); n > 1 && out[n-2].do == out[n-1].do {
			out = out[:n-1]
		}
	}
	for _, n := range nrs {
		add(n, answers[n])
		add(n+1, otherwise)
	}
	return out
}

// test is one condition on an argument: argument & mask == value, or with not
// anything else.
type test struct {
	arg         int
	mask, value uint32
	not         bool
}

// rule answers a system call where all tests hold.
type rule struct {
	call  string
	do    action
	tests []test
}

// code gives the rule for one architecture; the number is loaded before and
// after.
func (r rule) code(a architecture) code {
	var out code
	for _, nr := range a.numbers(r.call) {
		inner := code{ret(r.do)}
		for i := len(r.tests) - 1; i >= 0; i-- {
			t := r.tests[i]
			cond := bpf.JumpEqual
			if t.not {
				cond = bpf.JumpNotEqual
			}
			c := code{load(low(t.arg))}
			if t.mask != ^uint32(0) {
				c = append(c, bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: t.mask})
			}
			inner = append(c, when(cond, t.value, inner)...)
		}
		inner = append(inner, load(offNumber))
		if a.x32 {
			inner = append(inner, bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xbfffffff})
		}
		out = append(out, when(bpf.JumpEqual, nr, inner)...)
	}
	return out
}

func rules(list ...rule) Program {
	return local(func(a architecture) code {
		var out code
		for _, r := range list {
			out = append(out, r.code(a)...)
		}
		return out
	})
}
