package activation

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unitgen/unitgen/schema/value"
)

// Codes of waitid(2), as in the properties of commands.
const (
	codeExited = 1
	codeKilled = 2
	codeDumped = 3
)

// causeTimeout bounds the questions about one failure.
const causeTimeout = 5 * time.Second

// failure describes what a unit did when a step failed: the reason with the
// exit status, and the last lines of its log.
func (a *Activation) failure(t Target, unit, reason string) Failure {
	ctx, cancel := context.WithTimeout(context.Background(), causeTimeout)
	defer cancel()
	f := Failure{Target: t.name(), Unit: unit, Reason: reason}
	if cause := ended(ctx, t.Manager, unit); cause != "" {
		f.Reason += ": " + cause
	}
	if a.o.Log != nil {
		f.Log = a.o.Log(ctx, t, unit, a.queued)
	}
	return f
}

// commandProperties are the settings whose commands a unit runs, in the order of
// their significance for a failure: the one that went wrong last.
var commandProperties = []string{"ExecReload", "ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost", "ExecStop"}

// ended words how the command of a unit ended that ended badly last, "" where
// its manager knows of none.
func ended(ctx context.Context, m Manager, unit string) string {
	var last uint64
	text := ""
	for _, p := range commandProperties {
		v, err := m.GetUnitProperty(ctx, unit, p)
		if err != nil {
			continue
		}
		for _, row := range rows(v) {
			if how := endWords(integer(row, 8), integer(row, 9)); how != "" && uint64(integer(row, 6)) >= last {
				last, text = uint64(integer(row, 6)), p+"= "+how
			}
		}
	}
	if text != "" {
		return text
	}
	code, err1 := m.GetUnitProperty(ctx, unit, "ExecMainCode")
	status, err2 := m.GetUnitProperty(ctx, unit, "ExecMainStatus")
	if err1 != nil || err2 != nil {
		return ""
	}
	return endWords(integer([]any{code}, 0), integer([]any{status}, 0))
}

// endWords words a code and status of waitid(2), "" for a good end.
func endWords(code, status int64) string {
	switch code {
	case codeExited:
		if status == 0 {
			return ""
		}
		if name := value.ExitStatusName(int(status)); name != "" {
			return fmt.Sprintf("exit status %d/%s", status, name)
		}
		return fmt.Sprintf("exit status %d", status)
	case codeKilled, codeDumped:
		how := "killed by"
		if code == codeDumped {
			how = "dumped core on"
		}
		return fmt.Sprintf("%s signal %d/%s", how, status, unix.SignalName(unix.Signal(status)))
	}
	return ""
}

// rows gives the elements of an array of structures, as D-Bus hands them over.
func rows(v any) [][]any {
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Slice {
		return nil
	}
	var out [][]any
	for i := range rv.Len() {
		e := rv.Index(i)
		for e.Kind() == reflect.Interface {
			e = e.Elem()
		}
		var row []any
		switch e.Kind() {
		case reflect.Slice:
			for j := range e.Len() {
				row = append(row, e.Index(j).Interface())
			}
		case reflect.Struct:
			for j := range e.NumField() {
				row = append(row, e.Field(j).Interface())
			}
		}
		out = append(out, row)
	}
	return out
}

// integer gives a field of a row as a number, 0 where it is none.
func integer(row []any, n int) int64 {
	if n >= len(row) {
		return 0
	}
	switch v := reflect.ValueOf(row[n]); {
	case v.CanInt():
		return v.Int()
	case v.CanUint():
		return int64(v.Uint())
	}
	return 0
}
