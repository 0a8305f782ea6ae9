package ctl

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/schema/value"
)

// ofType gives the units of one type that the options choose: all of them, or
// with no --all and no --state those that are not inactive.
func (r *run) ofType(typ string) ([]bus.UnitStatus, bool) {
	patterns, ok := r.mangleGlobs(typ)
	if !ok {
		return nil, false
	}
	r.types = []string{typ}
	us, err := r.units(patterns)
	if err != nil {
		r.tell("list units", err)
		return nil, false
	}
	return slices.DeleteFunc(us, func(u bus.UnitStatus) bool {
		return u.Followed != "" || len(r.states) == 0 && !r.all && u.ActiveState == "inactive" && u.JobID == 0
	}), true
}

// count ends a list of one type.
func (r *run) count(n int, what string) int {
	if r.legend && !r.quiet {
		r.print("\n%d %s listed.\n", n, what)
		if !r.all {
			r.print("Pass --all to see loaded but inactive %s, too.\n", what)
		}
	}
	return exitSuccess
}

// finish writes a table as text or JSON.
func (r *run) finish(t *table, what string) int {
	if r.output == "json" {
		return t.json(r)
	}
	t.print(r, r.legend && len(t.rows) > 0)
	if len(t.rows) == 0 {
		if r.legend && !r.quiet {
			r.print("0 %s listed.\n", what)
			if !r.all {
				r.print("Pass --all to see loaded but inactive %s, too.\n", what)
			}
		}
		return exitSuccess
	}
	return r.count(len(t.rows), what)
}

// stringsOf reads a property that is a list of names.
func (r *run) stringsOf(unit, property string) []string {
	v, err := r.c.GetUnitProperty(r.ctx, unit, property)
	if err != nil {
		return nil
	}
	l, _ := v.([]string)
	return l
}

func (r *run) listSockets() int {
	us, ok := r.ofType("socket")
	if !ok {
		return exitFailure
	}
	type listen struct{ addr, kind, unit, activates string }
	var all []listen
	for _, u := range us {
		v, err := r.c.GetUnitProperty(r.ctx, u.Name, "Listen")
		if err != nil {
			return r.tell("list sockets", err)
		}
		rows, _ := v.([][]any)
		act := strings.Join(r.stringsOf(u.Name, "Triggers"), ", ")
		for _, row := range rows {
			kind, _ := row[0].(string)
			addr, _ := row[1].(string)
			all = append(all, listen{addr, kind, u.Name, act})
		}
	}
	sort.SliceStable(all, func(i, j int) bool {
		if all[i].addr != all[j].addr {
			return all[i].addr < all[j].addr
		}
		return all[i].kind < all[j].kind
	})
	t := &table{columns: []column{{"LISTEN", false}, {"TYPE", false}, {"UNIT", false}, {"ACTIVATES", false}}}
	for _, l := range all {
		t.add(l.addr, l.kind, l.unit, l.activates)
	}
	if !r.showTypes {
		t.columns = slices.Delete(t.columns, 1, 2)
		for i := range t.rows {
			t.rows[i] = slices.Delete(t.rows[i], 1, 2)
		}
	}
	return r.finish(t, "sockets")
}

func (r *run) listTimers() int {
	us, ok := r.ofType("timer")
	if !ok {
		return exitFailure
	}
	now := r.Now()
	type timer struct {
		next, last      uint64
		unit, activates string
	}
	var all []timer
	for _, u := range us {
		p, err := r.c.GetUnitProperties(r.ctx, u.Name)
		if err != nil {
			return r.tell("list timers", err)
		}
		num := func(k string) uint64 { n, _ := p[k].(uint64); return n }
		next := num("NextElapseUSecRealtime")
		if m := num("NextElapseUSecMonotonic"); m != 0 && m != never {
			real := uint64(now.UnixMicro()) + m - min(m, monotonic())
			if next == 0 || next == never || real < next {
				next = real
			}
		}
		if next == 0 {
			next = never
		}
		trig, _ := p["Triggers"].([]string)
		all = append(all, timer{next, num("LastTriggerUSec"), u.Name, strings.Join(trig, ", ")})
	}
	sort.SliceStable(all, func(i, j int) bool {
		if all[i].next != all[j].next {
			return all[i].next < all[j].next
		}
		return all[i].unit < all[j].unit
	})
	t := &table{columns: []column{{"NEXT", false}, {"LEFT", false}, {"LAST", false}, {"PASSED", false}, {"UNIT", false}, {"ACTIVATES", false}}}
	for _, x := range all {
		t.add(r.stamp(x.next, "-"), r.relative(x.next, "-"), r.stamp(x.last, "-"), r.relative(x.last, "-"), x.unit, x.activates)
		var next any = x.next
		if x.next == never {
			next = nil
		}
		t.data = append(t.data, []any{next, next, x.last, x.last, nil, nil})
	}
	return r.finish(t, "timers")
}

func (r *run) listAutomounts() int {
	us, ok := r.ofType("automount")
	if !ok {
		return exitFailure
	}
	t := &table{columns: []column{{"WHAT", false}, {"WHERE", false}, {"MOUNTED", false}, {"IDLE TIMEOUT", false}, {"UNIT", false}}}
	for _, u := range us {
		p, err := r.c.GetUnitProperties(r.ctx, u.Name)
		if err != nil {
			return r.tell("list automounts", err)
		}
		where, _ := p["Where"].(string)
		idle, _ := p["TimeoutIdleUSec"].(uint64)
		what, mounted := "", "no"
		for _, m := range r.stringsOf(u.Name, "Triggers") {
			if q, err := r.c.GetUnitProperties(r.ctx, m); err == nil {
				what, _ = q["What"].(string)
				if q["ActiveState"] == "active" {
					mounted = "yes"
				}
			}
		}
		t.add(what, where, mounted, value.FormatTimeSpan(idle, 1e6), u.Name)
	}
	return r.finish(t, "automounts")
}

func (r *run) listPaths() int {
	us, ok := r.ofType("path")
	if !ok {
		return exitFailure
	}
	t := &table{columns: []column{{"PATH", false}, {"CONDITION", false}, {"UNIT", false}, {"ACTIVATES", false}}}
	for _, u := range us {
		v, err := r.c.GetUnitProperty(r.ctx, u.Name, "Paths")
		if err != nil {
			return r.tell("list paths", err)
		}
		rows, _ := v.([][]any)
		act := strings.Join(r.stringsOf(u.Name, "Triggers"), ", ")
		for _, row := range rows {
			t.add(fmt.Sprint(row[1]), fmt.Sprint(row[0]), u.Name, act)
		}
	}
	sort.SliceStable(t.rows, func(i, j int) bool { return t.rows[i][0] < t.rows[j][0] })
	return r.finish(t, "paths")
}

func (r *run) listJobs() int {
	jobs, err := r.c.ListJobs(r.ctx)
	if err != nil {
		return r.tell("list jobs", err)
	}
	jobs = slices.DeleteFunc(jobs, func(j bus.JobStatus) bool { return !fits(r.args, j.Unit) })
	skipped := 0
	if len(jobs) == 0 {
		if r.output == "json" {
			r.print("[]\n")
		} else if r.legend {
			if len(r.args) > 0 || skipped > 0 {
				r.print("No jobs listed.\n")
			} else {
				r.print("No jobs running.\n")
			}
		}
		return exitSuccess
	}
	sort.Slice(jobs, func(i, j int) bool { return jobs[i].ID < jobs[j].ID })
	t := &table{columns: []column{{"JOB", false}, {"UNIT", false}, {"TYPE", false}, {"STATE", false}}}
	for _, j := range jobs {
		t.add(strconv.FormatUint(uint64(j.ID), 10), j.Unit, j.Type, j.State)
		t.data = append(t.data, []any{j.ID, nil, nil, nil})
		for _, side := range []struct {
			on           bool
			method, word string
		}{{r.after, "GetJobAfter", "waiting for job"}, {r.before, "GetJobBefore", "blocking job"}} {
			var others []bus.JobStatus
			if side.on && r.c.Call(r.ctx, side.method, []any{j.ID}, &others) == nil {
				for _, o := range others {
					t.add("", fmt.Sprintf("└─ %s %d (%s/%s)", side.word, o.ID, o.Unit, o.Type), "-", "-")
					t.data = append(t.data, []any{nil, nil, nil, nil})
				}
			}
		}
	}
	if r.output == "json" {
		return t.json(r)
	}
	t.print(r, r.legend)
	if r.legend {
		r.print("\n%d jobs listed.\n", len(jobs))
	}
	return exitSuccess
}

const never = ^uint64(0)

// stamp spells an instant as the option --timestamp= wants; 0 and never are
// none.
func (r *run) stamp(usec uint64, none string) string {
	if usec == 0 || usec == never {
		return none
	}
	t := time.UnixMicro(int64(usec)).Local()
	switch r.timestamp {
	case "us", "µs":
		return t.Format("Mon 2006-01-02 15:04:05.000000 MST")
	case "utc":
		return t.UTC().Format("Mon 2006-01-02 15:04:05 MST")
	case "us+utc", "µs+utc":
		return t.UTC().Format("Mon 2006-01-02 15:04:05.000000 MST")
	case "unix":
		return "@" + strconv.FormatInt(t.Unix(), 10)
	}
	return t.Format("Mon 2006-01-02 15:04:05 MST")
}

// relative spells how far an instant is: "3 days ago", "59min left".
func (r *run) relative(usec uint64, none string) string {
	if usec == 0 || usec == never {
		return none
	}
	now := uint64(r.Now().UnixMicro())
	d, word := now-usec, "ago"
	if usec > now {
		d, word = usec-now, "left"
	}
	const (
		second = uint64(1e6)
		minute = 60 * second
		hour   = 60 * minute
		day    = 24 * hour
		week   = 7 * day
		month  = 2629800 * second
		year   = 31557600 * second
	)
	n := func(x uint64, word string) string {
		if x == 1 {
			return "1 " + word
		}
		return strconv.FormatUint(x, 10) + " " + word + "s"
	}
	switch {
	case d >= year:
		return n(d/year, "year") + " " + n(d%year/month, "month") + " " + word
	case d >= month:
		return n(d/month, "month") + " " + n(d%month/day, "day") + " " + word
	case d >= week:
		return n(d/week, "week") + " " + n(d%week/day, "day") + " " + word
	case d >= 2*day:
		return n(d/day, "day") + " " + word
	case d >= 25*hour:
		return fmt.Sprintf("1 day %dh %s", (d-day)/hour, word)
	case d >= 6*hour:
		return fmt.Sprintf("%dh %s", d/hour, word)
	case d >= hour:
		return fmt.Sprintf("%dh %dmin %s", d/hour, d%hour/minute, word)
	case d >= 5*minute:
		return fmt.Sprintf("%dmin %s", d/minute, word)
	case d >= minute:
		return fmt.Sprintf("%dmin %ds %s", d/minute, d%minute/second, word)
	case d >= second:
		return fmt.Sprintf("%ds %s", d/second, word)
	case d >= 1000:
		return fmt.Sprintf("%dms %s", d/1000, word)
	case d > 0:
		return fmt.Sprintf("%dus %s", d, word)
	}
	return "now"
}
