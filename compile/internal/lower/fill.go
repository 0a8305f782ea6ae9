package lower

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/unitgen/unitgen/compile/internal/eval"
)

// forkFrom is the number of units from which their directives are evaluated on
// every core. It does not depend on the machine, nor does what comes out.
const forkFrom = 200

// filler adds the lines of directives to drafts.
type filler struct {
	e    *eval.Evaluator
	lone bool    // nothing reads a directive: one that stands alone needs no node
	work *[]line // for the lines of a draft that is built at once
}

// fill evaluates the directives of units. Where there are many, and nothing
// reads a directive, that is done on every core, and the files are built at
// once.
func (l *lowering) fill(drafts []*draft) {
	lone := !l.e.ReadsDirectives()
	if lone && len(drafts) >= forkFrom && l.e.Settle() {
		l.fork(drafts)
	}
	f := filler{e: l.e, lone: lone}
	for _, d := range drafts {
		if d.unit != nil {
			f.unit(d)
		}
		l.reads = append(l.reads, d.reads...)
		d.reads = nil
	}
}

// fork fills and builds the drafts on every core. Those about which there is
// something to say are left as they were.
func (l *lowering) fork(drafts []*draft) {
	n := l.o.Parallelism
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	const batch = 16
	forks := l.e.Fork(min(n, len(drafts)/batch+1))
	var next atomic.Int64
	var wg sync.WaitGroup
	for _, e := range forks {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var work []line
			f := filler{e, true, &work}
			for {
				from := int(next.Add(batch)) - batch
				if from >= len(drafts) || e.Stopped() {
					return
				}
				for _, d := range drafts[from:min(from+batch, len(drafts))] {
					was := *d
					if e.Clean(func() { f.unit(d) }) {
						d.build(l.o)
					} else {
						*d = was
					}
				}
			}
		}()
	}
	wg.Wait()
	if l.e.Stopped() {
		runtime.Goexit()
	}
	for _, e := range forks {
		l.e.Join(e)
	}
}

// unit adds the directives of a unit.
func (f filler) unit(d *draft) {
	tail := d.lines[d.own:]
	var lines []line
	if f.work != nil {
		lines = (*f.work)[:0]
	} else {
		lines = make([]line, 0, len(d.lines)+len(d.contribs[0].Block.Attrs)+4)
	}
	d.lines = append(lines, d.lines[:d.own]...)
	f.directives(d.unit, d.contribs, d)
	d.lines = append(d.lines, tail...)
	if f.work != nil {
		*f.work = d.lines
	}
	d.unit, d.contribs = nil, nil
}

// directives fills in the lines of an action or drop-in.
func (l *lowering) directives(u *eval.Unit, contribs []eval.Contrib, d *draft) {
	filler{e: l.e}.directives(u, contribs, d)
	l.reads = append(l.reads, d.reads...)
	d.reads = nil
}

func (f filler) directives(u *eval.Unit, contribs []eval.Contrib, d *draft) {
	if len(contribs) == 1 {
		srcs := f.e.Sources(u.Kind, contribs[0])
		for _, s := range srcs {
			f.source(u, s, srcs, d, false)
		}
		return
	}
	var all []eval.Source
	count := map[*eval.Fact]int{}
	for _, c := range contribs {
		for _, s := range f.e.Sources(u.Kind, c) {
			all = append(all, s)
			count[s.Fact]++
		}
	}
	done := map[*eval.Fact]bool{}
	for _, s := range all {
		if !done[s.Fact] {
			done[s.Fact] = true
			f.source(u, s, all, d, count[s.Fact] > 1)
		}
	}
}

// source adds the lines of one directive.
func (f filler) source(u *eval.Unit, s eval.Source, all []eval.Source, d *draft, several bool) {
	if !several && s.Plain {
		for _, o := range all {
			if o.Attr != s.Attr && o.Fact.Section == s.Fact.Section && o.Fact.Name == s.Fact.Name {
				several = true
			}
		}
	}
	name := nameRange(s)
	if !several {
		if texts, ok := eval.Literal(s); ok {
			for i, t := range texts {
				d.lines = append(d.lines, line{fact: s.Fact, value: t.Text, at: t.At, name: name, plain: s.Plain, first: i == 0})
			}
			return
		}
	}
	if s.Fact.Row == nil && !s.Fact.Extra && !s.Plain {
		// Unknown: reported once, where it stands; its value counts for nothing.
		d.lines = append(d.lines, line{fact: s.Fact, at: name, name: name, first: true})
		return
	}
	var v eval.Value
	var ok bool
	if f.lone {
		v, ok = f.e.Alone(u, all, s.Fact)
	} else {
		v, ok = f.e.Directive(u, s.Fact, name)
	}
	if !ok {
		return
	}
	if strongDeps[s.Fact.Name] {
		for _, r := range v.Reads {
			d.reads = append(d.reads, strongRead{s.Fact.Name, u.Name, r})
		}
	}
	for i, t := range v.Values {
		d.lines = append(d.lines, line{fact: s.Fact, value: t.Text, at: t.At, name: name, plain: s.Plain, first: i == 0})
	}
}
