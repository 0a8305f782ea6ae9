package main

import (
	"slices"
	"testing"
)

func TestTelling(t *testing.T) {
	t.Parallel()
	got := telling([]string{
		"Started app.service.", "one", "two", "three", "four", "five", "nginx: [emerg] unknown directive",
		"app.service: Main process exited, code=exited, status=1/FAILURE", "app.service: Failed with result 'exit-code'.",
		"app.service: Scheduled restart job, restart counter is at 1.", "Main process 12 ended, exit status 1 (FAILURE).",
		"ExecStartPre= process 12 ended, exit status 3 (NOTIMPLEMENTED).", "app.service failed with result 'exit-code'.",
		"Scheduled restart job, restart counter is at 2.", "Start request repeated too quickly: 5 starts within 10s. Run reset-failed to try again.",
	})
	if want := []string{"two", "three", "four", "five", "nginx: [emerg] unknown directive"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
