package manager

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"

	us "github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/unitname"
)

// snapshot is the unit's status now.
func (u *unit) snapshot() *us.Status {
	f := u.file
	st := &us.Status{
		Name: u.name(), Names: f.Names, Type: u.typ, Description: f.String("Description"),
		Load: u.node.Load, LoadErr: u.node.LoadErr, Active: u.active(), Sub: u.sub, FragmentPath: f.Fragment,
		SourcePath: f.String("SourcePath"), DropIns: f.DropIns, Transient: u.transient, Perpetual: u.node.Perpetual,
		StateChange: u.stateChange, InactiveExit: u.inactiveExit, ActiveEnter: u.activeEnter, ActiveExit: u.activeExit, InactiveEnter: u.inactiveEnter,
		NeedDaemonReload: u.fileChanged(), CanStart: u.node.Load == us.LoadLoaded && !u.node.NoStart && !u.node.RefuseManualStart,
		CanStop: !u.node.Perpetual && !u.node.RefuseManualStop, CanReload: u.node.Reloadable(), CanIsolate: u.node.AllowIsolate && u.node.Load == us.LoadLoaded,
		CanFreeze: u.freezable(), ConditionResult: u.condOK, AssertResult: u.assertOK, ConditionStamp: u.condStamp, AssertStamp: u.assertStamp,
		Conditions: u.conds, Invocation: u.invocation, ControlGroup: u.group.path, Slice: u.slice, Freezer: "running",
		NotApplied: u.notApplied, Unit: f,
	}
	if _, ok := u.kind.(*unsupported); ok {
		st.CanStart = false
	}
	if st.Description == "" {
		st.Description = u.name()
	}
	if u.frozen {
		st.Freezer = "frozen"
	}
	if u.job != nil {
		st.JobID, st.JobType = u.job.id, u.job.typ
	}
	switch st.Load {
	case us.LoadNotFound:
		st.LoadErrName, st.LoadErr = us.ErrNoSuchUnit, "Unit "+u.name()+" not found."
	case us.LoadMasked:
		st.LoadErrName, st.LoadErr = us.ErrUnitMasked, "Unit "+u.name()+" is masked."
	case us.LoadBadSetting:
		st.LoadErrName = us.ErrBadUnitSetting
	case us.LoadErrored:
		st.LoadErrName = us.ErrLoadFailed
	}
	if c, ok := u.kind.(*service); ok {
		for i, k := range dirKinds {
			if len(c.c.exec.dirs[i].names) > 0 {
				st.CanClean = append(st.CanClean, k.clean)
			}
		}
	}
	if u.typ == "timer" && u.file.Bool("Persistent") {
		st.CanClean = append(st.CanClean, "state")
	}
	u.kind.status(st)
	return st
}

// freezable reports whether the unit's processes can be frozen as one.
func (u *unit) freezable() bool {
	return u.m.fsRoot.ok() && (u.typ == "service" || u.typ == "scope" || u.typ == "slice")
}

// stampOf identifies a file as it was read.
func stampOf(path string) string {
	st, err := os.Stat(path)
	if err != nil {
		return "-"
	}
	s := st.Sys().(*syscall.Stat_t)
	return itoa(int(s.Dev)) + ":" + itoa(int(s.Ino)) + ":" + st.ModTime().String() + ":" + itoa(int(st.Size()))
}

func stampsOf(f *load.Unit) []string {
	var out []string
	if f.Fragment != "" && strings.HasPrefix(f.Fragment, "/") {
		out = append(out, stampOf(f.Fragment))
	}
	for _, d := range f.DropIns {
		out = append(out, stampOf(d))
	}
	return out
}

// fileChanged reports whether the unit's files are others than were read.
func (u *unit) fileChanged() bool {
	if u.m.opt.Edge != nil || u.transient {
		return false
	}
	if u.node.Load == us.LoadNotFound && u.file.State == load.Loaded {
		return false // it vanished, and a reload has noticed
	}
	now := stampsOf(u.file)
	if len(now) != len(u.stamps) {
		return true
	}
	for i := range now {
		if now[i] != u.stamps[i] {
			return true
		}
	}
	return false
}

// dropInsChanged looks for drop-ins that came or went.
func (u *unit) dropInsChanged() bool {
	if u.m.opt.Edge != nil || u.transient {
		return false
	}
	names := map[string]bool{}
	for _, n := range u.file.Names {
		names[n] = true
		if t := unitname.Template(n); t != "" {
			names[t] = true
		}
	}
	have := map[string]bool{}
	for _, d := range u.file.DropIns {
		have[d] = true
	}
	for _, dir := range u.m.unitPath() {
		for n := range names {
			l, _ := filepath.Glob(filepath.Join(dir, n+".d", "*.conf"))
			for _, p := range l {
				if !have[p] && !masksOther(p, u.file.DropIns) {
					return true
				}
			}
		}
	}
	return false
}

// masksOther: a drop-in of the same name with a higher rank is in force.
func masksOther(p string, dropins []string) bool {
	for _, d := range dropins {
		if filepath.Base(d) == filepath.Base(p) {
			return true
		}
	}
	return false
}
