package ctl

import (
	"bufio"
	"container/heap"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// LogLine is one line that a unit wrote, as the bundled manager keeps it
// ("<RFC 3339 time> source: text").
type LogLine struct {
	Time   time.Time
	Unit   string
	Source string // the identifier of who wrote it; "unitgen" is the manager
	Text   string
}

// MarshalJSON gives the keys time, unit, source and message.
func (l LogLine) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Time   string `json:"time"`
		Unit   string `json:"unit"`
		Source string `json:"source"`
		Text   string `json:"message"`
	}{l.Time.UTC().Format("2006-01-02T15:04:05.000000Z"), l.Unit, l.Source, l.Text})
}

// String shows a line as journalctl does: local time, source, text.
func (l LogLine) String() string {
	return l.Time.Local().Format("Jan 02 15:04:05") + " " + l.Source + ": " + l.Text
}

// LogQuery chooses lines.
type LogQuery struct {
	Dir   string   // the manager's log directory
	Units []string // unit names or patterns; none: all
	Since time.Time
	Last  int // only the last so many; < 0: all
}

const maxLogLine = 128 << 10

// parseLog reads one line of a log file; what is no such line, such as the
// first one after a cut, has no time of its own.
func parseLog(unit, s string) LogLine {
	l := LogLine{Unit: unit, Text: s}
	stamp, rest, ok := strings.Cut(s, " ")
	if !ok {
		return l
	}
	t, err := time.Parse("2006-01-02T15:04:05.000000Z", stamp)
	if err != nil {
		return l
	}
	l.Time = t
	if l.Source, l.Text, ok = strings.Cut(rest, ": "); !ok {
		l.Source, l.Text = strings.TrimSuffix(rest, ":"), ""
	}
	return l
}

// logUnits gives the units that have a log and fit the query.
func (q LogQuery) logUnits() ([]string, error) {
	es, err := os.ReadDir(q.Dir)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, err
	}
	seen := map[string]bool{}
	var out []string
	for _, e := range es {
		u, ok := strings.CutSuffix(strings.TrimSuffix(e.Name(), ".1"), ".log")
		if ok && !seen[u] && fits(q.Units, u) {
			seen[u] = true
			out = append(out, u)
		}
	}
	sort.Strings(out)
	return out, nil
}

// logSource is one unit's log while it is read: the rotated file, then the
// present one.
type logSource struct {
	unit  string
	files []string
	f     *os.File
	r     *bufio.Reader
	next  LogLine
	end   int64 // offset behind the last line read of the present file
}

func (s *logSource) advance() bool {
	for {
		if s.r == nil {
			if len(s.files) == 0 {
				return false
			}
			f, err := os.Open(s.files[0])
			s.files = s.files[1:]
			if err != nil {
				continue
			}
			s.f, s.r, s.end = f, bufio.NewReaderSize(f, 64<<10), 0
		}
		line, err := readLogLine(s.r)
		if err != nil {
			s.f.Close()
			s.r = nil
			continue
		}
		s.end += int64(len(line))
		before := s.next.Time
		if s.next = parseLog(s.unit, strings.TrimSuffix(line, "\n")); s.next.Time.IsZero() {
			s.next.Time = before
		}
		return true
	}
}

// readLogLine reads up to a newline. A line without one is still being
// written: it is an end of file.
func readLogLine(r *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		part, err := r.ReadSlice('\n')
		b.Write(part)
		if err == nil || b.Len() > maxLogLine {
			return b.String(), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return "", err
		}
	}
}

// logHeap orders sources by the time of their next line.
type logHeap []*logSource

func (h logHeap) Len() int { return len(h) }
func (h logHeap) Less(i, j int) bool {
	if !h[i].next.Time.Equal(h[j].next.Time) {
		return h[i].next.Time.Before(h[j].next.Time)
	}
	return h[i].unit < h[j].unit
}
func (h logHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push and Pop implement heap.Interface.
func (h *logHeap) Push(x any) { *h = append(*h, x.(*logSource)) }

// Pop implements heap.Interface.
func (h *logHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

// ReadLogs hands the chosen lines to f, oldest first over all units. Memory
// does not grow with the size of the logs. It gives how far each unit's file
// was read, for FollowLogs.
func ReadLogs(q LogQuery, f func(LogLine) error) (map[string]int64, error) {
	units, err := q.logUnits()
	if err != nil {
		return nil, err
	}
	ends := map[string]int64{}
	var h logHeap
	for _, u := range units {
		p := filepath.Join(q.Dir, u+".log")
		s := &logSource{unit: u, files: []string{p + ".1", p}}
		if s.advance() {
			h = append(h, s)
		}
	}
	heap.Init(&h)
	var last []LogLine
	at := 0
	for len(h) > 0 {
		s := h[0]
		l := s.next
		if s.advance() {
			heap.Fix(&h, 0)
		} else {
			ends[s.unit] = s.end
			heap.Pop(&h)
		}
		switch {
		case l.Time.Before(q.Since) || q.Last == 0:
		case q.Last < 0:
			if err := f(l); err != nil {
				return ends, err
			}
		case len(last) < q.Last:
			last = append(last, l)
		default:
			last[at%q.Last] = l
			at++
		}
	}
	for i := range last {
		if err := f(last[(at+i)%len(last)]); err != nil {
			return ends, err
		}
	}
	return ends, nil
}

// FollowLogs hands new lines to f until ctx ends. ends is what ReadLogs gave.
func FollowLogs(ctx context.Context, q LogQuery, ends map[string]int64, f func(LogLine) error) error {
	type open struct {
		f    *os.File
		r    *bufio.Reader
		rest string
	}
	files := map[string]*open{}
	defer func() {
		for _, o := range files {
			o.f.Close()
		}
	}()
	drain := func(u string, o *open) error {
		for {
			part, err := o.r.ReadString('\n')
			o.rest += part
			if err != nil && len(o.rest) <= maxLogLine {
				if errors.Is(err, io.EOF) {
					return nil
				}
				return err
			}
			l := parseLog(u, strings.TrimSuffix(o.rest, "\n"))
			o.rest = ""
			if err := f(l); err != nil {
				return err
			}
		}
	}
	tick := time.NewTicker(150 * time.Millisecond)
	defer tick.Stop()
	for {
		units, err := q.logUnits()
		if err != nil {
			return err
		}
		for _, u := range units {
			p := filepath.Join(q.Dir, u+".log")
			o := files[u]
			if o != nil {
				if err := drain(u, o); err != nil {
					return err
				}
				// A log that was moved away is read to its end, then the new
				// one from its beginning.
				a, err1 := o.f.Stat()
				b, err2 := os.Stat(p)
				if err2 != nil || err1 == nil && os.SameFile(a, b) {
					continue
				}
				o.f.Close()
				delete(files, u)
				ends[u] = 0
			}
			nf, err := os.Open(p)
			if err != nil {
				continue
			}
			if st, err := nf.Stat(); err == nil && st.Size() < ends[u] {
				ends[u] = 0
			}
			if _, err := nf.Seek(ends[u], io.SeekStart); err != nil {
				nf.Close()
				continue
			}
			o = &open{f: nf, r: bufio.NewReader(nf)}
			files[u] = o
			if err := drain(u, o); err != nil {
				return err
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// LastLines gives the last lines of a unit as status shows them.
func LastLines(dir, unit string, n int) []string {
	var out []string
	_, err := ReadLogs(LogQuery{Dir: dir, Units: []string{quoteGlob(unit)}, Last: n}, func(l LogLine) error {
		out = append(out, l.String())
		return nil
	})
	if err != nil {
		return []string{fmt.Sprintf("(the log cannot be read: %v)", err)}
	}
	return out
}

func quoteGlob(s string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(s)
}
