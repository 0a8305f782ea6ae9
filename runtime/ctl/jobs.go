package ctl

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/schema/unitname"
	"github.com/unitgen/unitgen/schema/value"
)

// jobVerbs maps systemctl's verbs to methods and to the job type in messages.
var jobVerbs = map[string]struct{ method, word string }{
	"start":                 {"StartUnit", "start"},
	"stop":                  {"StopUnit", "stop"},
	"condstop":              {"StopUnit", "stop"},
	"reload":                {"ReloadUnit", "reload"},
	"restart":               {"RestartUnit", "restart"},
	"try-restart":           {"TryRestartUnit", "try-restart"},
	"condrestart":           {"TryRestartUnit", "try-restart"},
	"reload-or-restart":     {"ReloadOrRestartUnit", "reload-or-restart"},
	"force-reload":          {"ReloadOrRestartUnit", "reload-or-restart"},
	"try-reload-or-restart": {"ReloadOrTryRestartUnit", "reload-or-try-restart"},
	"reload-or-try-restart": {"ReloadOrTryRestartUnit", "reload-or-try-restart"},
	"condreload":            {"ReloadOrTryRestartUnit", "reload-or-try-restart"},
	"isolate":               {"StartUnit", "start"},
	"default":               {"StartUnit", "start"},
	"rescue":                {"StartUnit", "start"},
	"emergency":             {"StartUnit", "start"},
}

// enqueue is start, stop and their kin.
func (r *run) enqueue() int {
	v := jobVerbs[r.verb]
	mode := r.jobMode
	if mode == "" {
		mode = "replace"
	}
	suffix, args := "service", r.args
	switch r.verb {
	case "isolate":
		mode, suffix = "isolate", "target"
	case "default", "rescue", "emergency":
		mode, args = "isolate", []string{r.verb + ".target"}
	}
	if len(args) == 0 {
		if r.marked {
			return r.enqueueMarked()
		}
		r.say("Too few arguments.")
		return exitFailure
	}
	units, ok := r.names(args, suffix)
	if !ok {
		return exitFailure
	}
	return r.jobs(units, v.method, v.word, mode)
}

// start runs the method that queues a job.
func (r *run) queue(method, unit, mode string) (bus.Job, error) {
	switch method {
	case "StartUnit":
		return r.c.StartUnit(r.ctx, unit, mode)
	case "StopUnit":
		return r.c.StopUnit(r.ctx, unit, mode)
	case "ReloadUnit":
		return r.c.ReloadUnit(r.ctx, unit, mode)
	case "RestartUnit":
		return r.c.RestartUnit(r.ctx, unit, mode)
	case "TryRestartUnit":
		return r.c.TryRestartUnit(r.ctx, unit, mode)
	case "ReloadOrRestartUnit":
		return r.c.ReloadOrRestartUnit(r.ctx, unit, mode)
	}
	return r.c.ReloadOrTryRestartUnit(r.ctx, unit, mode)
}

// jobs queues a job for each unit, waits for all unless --no-block, and says
// what failed.
func (r *run) jobs(units []string, method, word, mode string) int {
	code := exitSuccess
	var jobs []bus.Job
	for _, u := range units {
		j, err := r.queue(method, u, mode)
		if err != nil {
			r.say("Failed to %s %s: %s", word, u, message(err))
			if !bus.IsError(err, "NoSuchUnit") && !bus.IsError(err, "UnitMasked") && !bus.IsError(err, "JobTypeNotApplicable") && !bus.IsError(err, "LoadFailed") {
				r.say("See %s logs and 'systemctl%s status%s %s' for details.", map[bool]string{true: "user", false: "system"}[r.User],
					r.scope(), map[bool]string{true: " --", false: ""}[strings.HasPrefix(u, "-")], u)
			}
			if code == exitSuccess {
				code = errorCode(err)
			}
			continue
		}
		r.needReload(u)
		jobs = append(jobs, j)
	}
	if r.noBlock || len(jobs) == 0 {
		return code
	}
	results, err := r.c.WaitJobs(r.ctx, jobs...)
	if err != nil {
		return r.tell("wait for jobs", err)
	}
	for _, res := range results {
		if res.Failed() {
			r.explain(res)
			code = exitFailure
		}
	}
	if method == "StopUnit" && !r.quiet {
		r.stillTriggered(units)
	}
	if r.wait && (method == "StartUnit" || method == "RestartUnit") && code == exitSuccess {
		return r.waitStopped(units)
	}
	return code
}

// errorCode gives the exit code of a refused job, after the LSB.
func errorCode(err error) int {
	switch {
	case bus.IsError(err, "NoSuchUnit"):
		return exitNotLoaded
	case bus.IsError(err, "LoadFailed"), bus.IsError(err, "UnitMasked"):
		return 1
	case bus.IsError(err, "JobTypeNotApplicable"):
		return 3
	case bus.IsError(err, "org.freedesktop.DBus.Error.AccessDenied"):
		return 4
	}
	return exitFailure
}

// needReload warns of a unit whose file changed on disk.
func (r *run) needReload(unit string) {
	if v, err := r.c.GetUnitProperty(r.ctx, unit, "NeedDaemonReload"); err == nil && v == true && !r.quiet {
		r.say("Warning: The unit file, source configuration file or drop-ins of %s changed on disk. Run 'systemctl%s daemon-reload' to reload units.", unit, r.scope())
	}
}

// explain says why a job failed, in systemctl's words.
func (r *run) explain(res bus.JobResult) {
	if r.quiet {
		return
	}
	see := func() string {
		dash := ""
		if strings.HasPrefix(res.Unit, "-") {
			dash = "-- "
		}
		return fmt.Sprintf("See \"systemctl%s status %s%s\" and \"journalctl%s -xeu %s%s\" for details.", r.scope(), dash, res.Unit, r.scope(), dash, res.Unit)
	}
	switch res.Result {
	case "canceled":
		r.say("Job for %s canceled.", res.Unit)
	case "timeout":
		r.say("Job for %s timed out.", res.Unit)
	case "dependency":
		r.say("A dependency job for %s failed. See 'journalctl%s -xe' for details.", res.Unit, map[bool]string{true: " --user"}[false])
	case "invalid":
		r.say("%s is not active, cannot reload.", res.Unit)
	case "assert":
		r.say("Assertion failed on job for %s.", res.Unit)
	case "unsupported":
		r.say("Operation on or unit type of %s not supported on this system.", res.Unit)
	case "collected":
		r.say("Queued job for %s was garbage collected.", res.Unit)
	case "once":
		r.say("Unit %s was started already once and can't be started again.", res.Unit)
	case "disconnected":
		r.say("The manager went away before the job for %s ended.", res.Unit)
	default:
		if unitname.Type(res.Unit) != "service" {
			r.say("Job for %s failed.\n%s", res.Unit, see())
			return
		}
		result, _ := r.c.GetUnitProperty(r.ctx, res.Unit, "Result")
		why := map[any]string{
			"resources": "of unavailable resources or another system error", "protocol": "the service did not take the steps required by its unit configuration",
			"timeout": "a timeout was exceeded", "exit-code": "the control process exited with error code",
			"signal": "a fatal signal was delivered to the control process", "core-dump": "a fatal signal was delivered causing the control process to dump core",
			"watchdog": "the service failed to send watchdog ping", "start-limit-hit": "start of the service was attempted too often",
			"oom-kill": "of an out-of-memory (OOM) situation",
		}[result]
		switch {
		case result == "start-limit-hit":
			r.say("Job for %s failed because %s.\nSee \"systemctl%s status %s\" and \"journalctl%s -xeu %s\" for details.\nTo force a start use \"systemctl%s reset-failed %s\"\nfollowed by \"systemctl%s start %s\" again.",
				res.Unit, why, r.scope(), res.Unit, r.scope(), res.Unit, r.scope(), res.Unit, r.scope(), res.Unit)
		case why != "":
			r.say("Job for %s failed because %s.\n%s", res.Unit, why, see())
		default:
			r.say("Job for %s failed.\n%s", res.Unit, see())
		}
	}
}

// stillTriggered warns that a stopped unit can come back.
func (r *run) stillTriggered(units []string) {
	for _, u := range units {
		var up []string
		for _, t := range r.stringsOf(u, "TriggeredBy") {
			if v, err := r.c.GetUnitProperty(r.ctx, t, "ActiveState"); err == nil && (v == "active" || v == "reloading") {
				up = append(up, t)
			}
		}
		if len(up) > 0 {
			r.say("Warning: Stopping %s, but it can still be activated by:", u)
			for _, t := range up {
				r.say("  %s", t)
			}
		}
	}
}

// waitStopped waits until the units are down again; one that failed makes the
// exit code 1.
func (r *run) waitStopped(units []string) int {
	change := make(chan struct{}, 1)
	cancel, err := r.c.Subscribe(r.ctx, func(bus.Signal) {
		select {
		case change <- struct{}{}:
		default:
		}
	})
	if err != nil {
		return r.tell("wait", err)
	}
	defer cancel()
	for {
		up, failed := false, false
		us, err := r.c.ListUnitsByNames(r.ctx, units)
		if err != nil {
			return r.tell("wait", err)
		}
		for _, u := range us {
			up = up || u.ActiveState != "inactive" && u.ActiveState != "failed" || u.JobID != 0
			failed = failed || u.ActiveState == "failed"
		}
		if !up {
			if failed {
				return exitFailure
			}
			return exitSuccess
		}
		select {
		case <-change:
		case <-r.ctx.Done():
			return r.tell("wait", r.ctx.Err())
		}
	}
}

func (r *run) enqueueMarked() int {
	if err := r.c.Call(r.ctx, "EnqueueMarkedJobs", nil); err != nil {
		return r.tell("start marked jobs", err)
	}
	return exitSuccess
}

func (r *run) cancel() int {
	if len(r.args) == 0 {
		if err := r.c.Call(r.ctx, "ClearJobs", nil); err != nil {
			return r.tell("cancel jobs", err)
		}
		return exitSuccess
	}
	code := exitSuccess
	for _, a := range r.args {
		id, err := strconv.ParseUint(a, 10, 32)
		if err != nil {
			r.say("Failed to parse job id \"%s\": Invalid argument", a)
			return exitFailure
		}
		if err := r.c.CancelJob(r.ctx, uint32(id)); err != nil {
			r.say("Failed to cancel job %d: %s", id, message(err))
			code = exitFailure
		}
	}
	return code
}

func (r *run) kill() int {
	sig := int(syscall.SIGTERM)
	if r.signal != "" {
		if r.signal == "help" || r.signal == "list" {
			for n := 1; n < 32; n++ {
				r.print("%s\n", value.SignalName(n))
			}
			return exitSuccess
		}
		n, err := value.ParseSignal(r.signal)
		if err != nil {
			r.say("Failed to parse signal string \"%s\".", r.signal)
			return exitFailure
		}
		sig = n
	}
	who := r.killWhom
	if who == "" {
		who = "all"
	}
	units, ok := r.names(r.args, "service")
	if !ok {
		return exitFailure
	}
	code := exitSuccess
	for _, u := range units {
		if err := r.c.KillUnit(r.ctx, u, who, syscall.Signal(sig)); err != nil {
			r.say("Failed to kill unit %s: %s", u, message(err))
			code = exitFailure
		}
	}
	return code
}

func (r *run) clean() int {
	what := []string{"cache", "runtime", "fdstore"}
	if r.what != "" {
		what = strings.Split(r.what, ",")
	} else {
		what = []string{"cache", "runtime"}
	}
	return r.each("service", "clean unit", func(u string) error { return r.c.Call(r.ctx, "CleanUnit", []any{u, what}) })
}

func (r *run) freeze() int {
	method := map[string]string{"freeze": "FreezeUnit", "thaw": "ThawUnit"}[r.verb]
	units, ok := r.names(r.args, "service")
	if !ok {
		return exitFailure
	}
	code := exitSuccess
	for _, u := range units {
		if err := r.c.Call(r.ctx, "RefUnit", []any{u}); err != nil {
			r.say("Failed to add reference to unit %s: %s", u, message(err))
			code = exitFailure
			continue
		}
		if err := r.c.Call(r.ctx, method, []any{u}); err != nil {
			r.say("Failed to %s unit %s: %s", r.verb, u, message(err))
			code = exitFailure
		}
	}
	return code
}

// each calls f for every unit that the arguments name.
func (r *run) each(suffix, what string, f func(string) error) int {
	units, ok := r.names(r.args, suffix)
	if !ok {
		return exitFailure
	}
	code := exitSuccess
	for _, u := range units {
		if err := f(u); err != nil {
			r.say("Failed to %s %s: %s", what, u, message(err))
			code = exitFailure
		}
	}
	return code
}

func (r *run) resetFailed() int {
	if len(r.args) == 0 {
		if err := r.c.ResetFailed(r.ctx); err != nil {
			return r.tell("reset failed state", err)
		}
		return exitSuccess
	}
	units, ok := r.names(r.args, "service")
	if !ok {
		return exitFailure
	}
	code := exitSuccess
	for _, u := range units {
		if err := r.c.ResetFailed(r.ctx, u); err != nil {
			r.say("Failed to reset failed state of unit %s: %s", u, message(err))
			code = exitFailure
		}
	}
	return code
}

// action starts the oneshot that a module's action block made: the units
// MODULE-NAME.service with X-Action, see the language's action block.
func (r *run) action() int {
	module, name := r.args[0], r.args[1]
	unit := module + "-" + name + ".service"
	for _, candidate := range []string{"unitgen-action-" + module + "-" + name + ".service", unit} {
		if us, err := r.c.ListUnitsByNames(r.ctx, []string{candidate}); err == nil && len(us) == 1 && us[0].LoadState == "loaded" {
			return r.jobs([]string{candidate}, "StartUnit", "start", "replace")
		}
	}
	r.say("There is no action %s of %s in the running tree.", name, module)
	return exitNotLoaded
}
