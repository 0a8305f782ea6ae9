package main

import (
	"fmt"
	"strings"
)

// lineDiff shows how the lines of a text change, with three lines of context,
// in the form of diff -u. Equal texts give "".
func lineDiff(name, old, new string) string {
	if old == new {
		return ""
	}
	a, b := strings.Split(old, "\n"), strings.Split(new, "\n")
	ops := diffOps(a, b)
	var out strings.Builder
	fmt.Fprintf(&out, "--- %s\n+++ %s\n", name, name)
	const context = 3
	for i := 0; i < len(ops); {
		if ops[i].kind == ' ' {
			i++
			continue
		}
		start := max(0, i-context)
		end, last := i, i
		for end < len(ops) && end-last <= 2*context {
			if ops[end].kind != ' ' {
				last = end
			}
			end++
		}
		end = min(len(ops), last+context+1)
		na, nb := 0, 0
		for _, o := range ops[start:end] {
			if o.kind != '+' {
				na++
			}
			if o.kind != '-' {
				nb++
			}
		}
		fmt.Fprintf(&out, "@@ -%d,%d +%d,%d @@\n", ops[start].a+1, na, ops[start].b+1, nb)
		for _, o := range ops[start:end] {
			out.WriteByte(o.kind)
			out.WriteString(o.text + "\n")
		}
		i = end
	}
	return out.String()
}

type diffOp struct {
	kind byte // ' ', '-', '+'
	text string
	a, b int // the lines of both texts that it stands at
}

// maxDiffCells bounds the table of the longest common subsequence; larger
// differences are shown as one block that goes and one that comes.
const maxDiffCells = 4 << 20

func diffOps(a, b []string) []diffOp {
	pre := 0
	for pre < len(a) && pre < len(b) && a[pre] == b[pre] {
		pre++
	}
	post := 0
	for post < len(a)-pre && post < len(b)-pre && a[len(a)-1-post] == b[len(b)-1-post] {
		post++
	}
	var ops []diffOp
	for i := range pre {
		ops = append(ops, diffOp{' ', a[i], i, i})
	}
	ops = append(ops, diffMiddle(a[pre:len(a)-post], b[pre:len(b)-post], pre)...)
	for i := range post {
		ia, ib := len(a)-post+i, len(b)-post+i
		ops = append(ops, diffOp{' ', a[ia], ia, ib})
	}
	return ops
}

func diffMiddle(a, b []string, at int) []diffOp {
	var ops []diffOp
	i, j := 0, 0
	if len(a)*len(b) <= maxDiffCells {
		lcs := make([][]int32, len(a)+1)
		for k := range lcs {
			lcs[k] = make([]int32, len(b)+1)
		}
		for x := len(a) - 1; x >= 0; x-- {
			for y := len(b) - 1; y >= 0; y-- {
				if a[x] == b[y] {
					lcs[x][y] = lcs[x+1][y+1] + 1
				} else {
					lcs[x][y] = max(lcs[x+1][y], lcs[x][y+1])
				}
			}
		}
		for i < len(a) && j < len(b) {
			switch {
			case a[i] == b[j]:
				ops = append(ops, diffOp{' ', a[i], at + i, at + j})
				i, j = i+1, j+1
			case lcs[i+1][j] >= lcs[i][j+1]:
				ops = append(ops, diffOp{'-', a[i], at + i, at + j})
				i++
			default:
				ops = append(ops, diffOp{'+', b[j], at + i, at + j})
				j++
			}
		}
	}
	for ; i < len(a); i++ {
		ops = append(ops, diffOp{'-', a[i], at + i, at + j})
	}
	for ; j < len(b); j++ {
		ops = append(ops, diffOp{'+', b[j], at + i, at + j})
	}
	return ops
}
