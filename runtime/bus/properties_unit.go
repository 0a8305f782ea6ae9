//go:build linux

package bus

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"

	"github.com/unitgen/unitgen/runtime/unitstate"
)

// dependencyProperties are the properties of a unit that list other units.
var dependencyProperties = []string{"Requires", "Requisite", "Wants", "BindsTo", "PartOf", "Upholds",
	"RequiredBy", "RequisiteOf", "WantedBy", "BoundBy", "UpheldBy", "ConsistsOf", "Conflicts", "ConflictedBy",
	"Before", "After", "OnSuccess", "OnSuccessOf", "OnFailure", "OnFailureOf", "Triggers", "TriggeredBy",
	"PropagatesReloadTo", "ReloadPropagatedFrom", "PropagatesStopTo", "StopPropagatedFrom", "JoinsNamespaceOf",
	"SliceOf", "RequiresMountsFor"}

// condition is an element of a(sbbsi).
type condition struct {
	Type            string
	Trigger, Negate bool
	Param           string
	State           int32
}

// unitGetters adds the properties of the interface Unit.
func unitGetters(m map[string]getter) {
	set := func(name string, f getter) { m["Unit."+name] = f }
	str := func(name string, f func(*unitstate.Status) string) {
		set(name, func(v *view) any { return text8(f(v.st)) })
	}
	boolean := func(name string, f func(*unitstate.Status) bool) {
		set(name, func(v *view) any { return f(v.st) })
	}
	stamp := func(name string, f func(*unitstate.Status) unitstate.Stamp) {
		set(name, func(v *view) any { return f(v.st).Realtime })
		set(name+"Monotonic", func(v *view) any { return f(v.st).Monotonic })
	}
	str("Id", func(s *unitstate.Status) string { return s.Name })
	set("Names", func(v *view) any { return texts(v.st.Names) })
	str("Following", func(s *unitstate.Status) string { return s.Following })
	for _, d := range dependencyProperties {
		set(d, func(v *view) any { return texts(v.dependencies()[d]) })
	}
	str("Description", func(s *unitstate.Status) string {
		if s.Description == "" {
			return s.Name
		}
		return s.Description
	})
	str("LoadState", func(s *unitstate.Status) string { return string(s.Load) })
	str("ActiveState", func(s *unitstate.Status) string { return string(s.Active) })
	str("SubState", func(s *unitstate.Status) string { return string(s.Sub) })
	str("FreezerState", func(s *unitstate.Status) string {
		if s.Freezer == "" {
			return "running"
		}
		return s.Freezer
	})
	str("FragmentPath", func(s *unitstate.Status) string { return s.FragmentPath })
	str("SourcePath", func(s *unitstate.Status) string { return s.SourcePath })
	set("DropInPaths", func(v *view) any { return texts(v.st.DropIns) })
	set("UnitFileState", func(v *view) any {
		if v.st.FragmentPath == "" && !v.st.Transient {
			return ""
		}
		s, _ := v.s.files.State(v.st.Name)
		return text8(s)
	})
	set("UnitFilePreset", func(v *view) any {
		if v.st.FragmentPath == "" {
			return ""
		}
		return text8(v.s.files.Preset(v.st.Name))
	})
	stamp("StateChangeTimestamp", func(s *unitstate.Status) unitstate.Stamp { return s.StateChange })
	stamp("InactiveExitTimestamp", func(s *unitstate.Status) unitstate.Stamp { return s.InactiveExit })
	stamp("ActiveEnterTimestamp", func(s *unitstate.Status) unitstate.Stamp { return s.ActiveEnter })
	stamp("ActiveExitTimestamp", func(s *unitstate.Status) unitstate.Stamp { return s.ActiveExit })
	stamp("InactiveEnterTimestamp", func(s *unitstate.Status) unitstate.Stamp { return s.InactiveEnter })
	stamp("ConditionTimestamp", func(s *unitstate.Status) unitstate.Stamp { return s.ConditionStamp })
	stamp("AssertTimestamp", func(s *unitstate.Status) unitstate.Stamp { return s.AssertStamp })
	boolean("CanStart", func(s *unitstate.Status) bool { return s.CanStart })
	boolean("CanStop", func(s *unitstate.Status) bool { return s.CanStop })
	boolean("CanReload", func(s *unitstate.Status) bool { return s.CanReload })
	boolean("CanIsolate", func(s *unitstate.Status) bool { return s.CanIsolate })
	boolean("CanFreeze", func(s *unitstate.Status) bool { return s.CanFreeze })
	set("CanClean", func(v *view) any { return texts(v.st.CanClean) })
	boolean("NeedDaemonReload", func(s *unitstate.Status) bool { return s.NeedDaemonReload })
	boolean("ConditionResult", func(s *unitstate.Status) bool { return s.ConditionResult })
	boolean("AssertResult", func(s *unitstate.Status) bool { return s.AssertResult })
	boolean("Transient", func(s *unitstate.Status) bool { return s.Transient })
	boolean("Perpetual", func(s *unitstate.Status) bool { return s.Perpetual })
	set("Job", func(v *view) any {
		r := struct {
			ID   uint32
			Path dbus.ObjectPath
		}{v.st.JobID, "/"}
		if r.ID != 0 {
			r.Path = JobPath(r.ID)
		}
		return r
	})
	conditions := func(asserts bool) getter {
		return func(v *view) any {
			out := []condition{}
			for _, c := range v.st.Conditions {
				if c.IsAssert == asserts {
					out = append(out, condition{c.Type, c.Trigger, c.Negate, text8(c.Param), int32(c.Result)})
				}
			}
			return out
		}
	}
	set("Conditions", conditions(false))
	set("Asserts", conditions(true))
	set("LoadError", func(v *view) any { return pair2{v.st.LoadErrName, text8(v.st.LoadErr)} })
	set("InvocationID", func(v *view) any {
		if v.st.Invocation.IsZero() {
			return []byte{}
		}
		return v.st.Invocation[:]
	})
	set("Markers", func(v *view) any { return v.s.settings.marks(v.st.Name) })
	for _, n := range []string{"Refs"} {
		set(n, func(v *view) any { return []string{} })
	}
	set("ActivationDetails", func(v *view) any { return []pair2{} })
	set("AccessSELinuxContext", func(v *view) any { return "" })
}

func (v *view) dependencies() map[string][]string {
	if v.deps == nil {
		v.deps, _ = v.s.backend.Dependencies(v.st.Name)
		if v.deps == nil {
			v.deps = map[string][]string{}
		}
	}
	return v.deps
}

func (v *view) usage() *unitstate.Resources {
	if v.resources == nil {
		const u = unitstate.Unknown
		v.resources = &unitstate.Resources{MemoryCurrent: u, MemoryPeak: u, MemorySwap: u, TasksCurrent: u, CPUUsageNSec: u,
			IOReadBytes: u, IOWriteBytes: u, IPIngressBytes: u, IPEgressBytes: u}
		if v.st.ControlGroup != "" || !v.st.Active.IsInactiveOrFailed() {
			if r, err := v.s.backend.Resources(v.st.Name); err == nil {
				v.resources = &r
			}
		}
	}
	return v.resources
}

// resourceGetters adds what the types with control groups share.
func resourceGetters(m map[string]getter) {
	use := func(name string, f func(*unitstate.Resources) uint64) {
		m[name] = func(v *view) any { return f(v.usage()) }
	}
	use("MemoryCurrent", func(r *unitstate.Resources) uint64 { return r.MemoryCurrent })
	use("TasksCurrent", func(r *unitstate.Resources) uint64 { return r.TasksCurrent })
	use("CPUUsageNSec", func(r *unitstate.Resources) uint64 { return r.CPUUsageNSec })
	use("IOReadBytes", func(r *unitstate.Resources) uint64 { return r.IOReadBytes })
	use("IOWriteBytes", func(r *unitstate.Resources) uint64 { return r.IOWriteBytes })
	use("IPIngressBytes", func(r *unitstate.Resources) uint64 { return r.IPIngressBytes })
	use("IPEgressBytes", func(r *unitstate.Resources) uint64 { return r.IPEgressBytes })
	for _, n := range []string{"IOReadOperations", "IOWriteOperations", "IPIngressPackets", "IPEgressPackets", "MemoryAvailable"} {
		m[n] = func(*view) any { return uint64(unitstate.Unknown) }
	}
	m["ControlGroup"] = func(v *view) any { return text8(v.group()) }
	m["Slice"] = func(v *view) any {
		if v.st.Slice != "" {
			return text8(v.st.Slice)
		}
		return text8(unitstate.Value(v.st.Unit, v.section, "Slice"))
	}
	m["ControlGroupId"] = func(v *view) any {
		if v.st.ControlGroup == "" {
			return uint64(0)
		}
		var st unix.Stat_t
		for _, root := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
			if unix.Stat(filepath.Join(root, v.st.ControlGroup, "cgroup.procs"), &st) == nil &&
				unix.Stat(filepath.Join(root, v.st.ControlGroup), &st) == nil {
				return st.Ino
			}
		}
		return uint64(0)
	}
	for _, n := range []string{"EffectiveCPUs", "EffectiveMemoryNodes"} {
		file := map[string]string{"EffectiveCPUs": "cpuset.cpus.effective", "EffectiveMemoryNodes": "cpuset.mems.effective"}[n]
		m[n] = func(v *view) any {
			if v.st.ControlGroup == "" {
				return []byte{}
			}
			b, err := os.ReadFile(filepath.Join("/sys/fs/cgroup", v.st.ControlGroup, file))
			if err != nil {
				return []byte{}
			}
			return cpuMask(strings.TrimSpace(string(b)))
		}
	}
}
