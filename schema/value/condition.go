package value

import (
	"sort"
	"strings"

	"github.com/unitgen/unitgen/schema/directive"
)

// Condition is one Condition…= or Assert…= setting (systemd.unit(5),
// "CONDITIONS AND ASSERTS").
type Condition struct {
	Name    string // without "Condition" or "Assert": "PathExists"
	Assert  bool
	Trigger bool // "|": one of these must hold
	Negate  bool // "!"
	Param   string
}

// String gives the condition as it would be assigned.
func (c Condition) String() string {
	s := "Condition"
	if c.Assert {
		s = "Assert"
	}
	s += c.Name + "="
	if c.Trigger {
		s += "|"
	}
	if c.Negate {
		s += "!"
	}
	return s + c.Param
}

// ParseCondition reads the value of a condition directive whose name is given
// in full, "ConditionPathExists"; specifiers in the parameter were expanded or
// are kept. The kinds of parameter are checked only as far as systemd does when
// it loads a unit.
func ParseCondition(name, s string) (Condition, error) {
	c := Condition{}
	var ok bool
	if c.Name, ok = strings.CutPrefix(name, "Condition"); !ok {
		if c.Name, ok = strings.CutPrefix(name, "Assert"); !ok {
			return c, wrong(name, "is no condition", "the name of a Condition…= or Assert…= directive")
		}
		c.Assert = true
	}
	// Every condition may be asserted, also the few that units cannot.
	d, known := directive.Lookup("", "Unit", "Condition"+c.Name)
	if !known {
		return c, wrong(name, "is no condition", "the name of a Condition…= or Assert…= directive")
	}
	path := d.Kind == "condition:path"
	c.Trigger, c.Negate, c.Param = cutMarks(s, path)
	if path {
		p, err := ParsePath(c.Param)
		if err != nil {
			return c, err
		}
		c.Param = p
	}
	return c, nil
}

// cutMarks takes "|" and "!" off the front of a condition, and the blanks that
// may follow them where it is not about a path.
func cutMarks(s string, path bool) (trigger, negate bool, param string) {
	blanks := trimLeftBlank
	if path {
		blanks = func(s string) string { return s }
	}
	s, trigger = strings.CutPrefix(s, "|")
	if trigger {
		s = blanks(s)
	}
	s, negate = strings.CutPrefix(s, "!")
	if negate {
		s = blanks(s)
	}
	return trigger, negate, s
}

var _ = register(func() map[directive.Kind]checker {
	m := map[directive.Kind]checker{}
	for name, f := range map[string]func(string) error{
		"path":           func(s string) error { _, err := ParsePath(s); return err },
		"bool":           func(s string) error { _, err := ParseBool(s); return advice(err) },
		"architecture":   oneOf("architecture", strings.Fields(conditionArchitectures)),
		"firmware":       func(string) error { return nil },
		"virtualization": conditionVirtualization,
		"string":         func(string) error { return nil },
		"kernel-version": conditionVersion, "version": conditionVersion,
		"security":   oneOf("security technology", strings.Fields("selinux apparmor tomoyo ima smack audit uefi-secureboot tpm2 cvm measured-uki measured-os")),
		"capability": conditionCapability,
		"memory": func(s string) error {
			_, rest := CutOperator(s, false)
			if _, err := ParsePermyriad(rest); err == nil {
				return nil
			}
			_, err := ParseSize(rest)
			return advice(err)
		},
		"cpus": func(s string) error {
			_, rest := CutOperator(s, false)
			_, err := ParseUnsigned(rest)
			return advice(err)
		},
		"controller": func(string) error { return nil },
		"os-release": conditionOSRelease,
		"pressure":   func(s string) error { _, err := ParsePressure(s); return advice(err) },
	} {
		m[directive.Kind("condition:"+name)] = conditionOf(f, name == "path")
	}
	return m
}())

// conditionOf makes a checker of a parameter's check.
func conditionOf(f func(string) error, path bool) checker {
	return whole(func(_ *Context, s string) error {
		_, _, param := cutMarks(s, path)
		return f(param)
	})
}

// advice marks an error as one that systemd finds only when it evaluates the
// condition, which then fails.
func advice(err error) error {
	if e, ok := err.(*Error); ok {
		e.Tolerated = true
	}
	return err
}

const conditionArchitectures = `native x86 x86-64 ppc ppc-le ppc64 ppc64-le ia64 parisc parisc64 s390 s390x sparc sparc64 mips mips-le
	mips64 mips64-le alpha arm arm-be arm64 arm64-be sh sh64 loongarch64 m68k tilegx cris arc arc-be riscv32 riscv64 nios2`

const conditionVirtualizations = `vm container qemu kvm amazon zvm vmware microsoft oracle powervm xen bochs uml parallels bhyve qnx apple
	sre google openvz lxc lxc-libvirt systemd-nspawn docker podman rkt wsl proot pouch acrn private-users vm-other container-other`

func oneOf(what string, list []string) func(string) error {
	return func(s string) error {
		if contains(list, s) {
			return nil
		}
		return &Error{Value: s, Wrong: "is no " + what, Want: strings.Join(list, " "), Tolerated: true}
	}
}

func conditionVirtualization(s string) error {
	if _, err := ParseBool(s); err == nil {
		return nil
	}
	return oneOf("kind of virtualization", strings.Fields(conditionVirtualizations))(s)
}

func conditionCapability(s string) error {
	if _, ok := Capability(s); !ok {
		return &Error{Value: s, Wrong: "is no capability", Want: "a name such as CAP_NET_ADMIN", Tolerated: true}
	}
	return nil
}

func conditionVersion(s string) error {
	_, err := ParseVersionTests(s)
	return advice(err)
}

func conditionOSRelease(s string) error {
	_, err := ParseOSReleaseTests(s)
	return advice(err)
}

// VersionTest is one expression of ConditionKernelVersion= or ConditionVersion=.
type VersionTest struct {
	Operator Operator
	Version  string
}

// ParseVersionTests reads the expressions of ConditionKernelVersion=. Without an
// operator an expression is a pattern.
func ParseVersionTests(s string) ([]VersionTest, error) {
	const want = `expressions such as ">=5.10", "<6" or "6.1.*"`
	var out []VersionTest
	for rest := s; ; {
		w, after, ok, err := Word(rest, "", Unquote)
		if err != nil {
			return out, err
		}
		if !ok {
			return out, nil
		}
		rest = after
		op, v := CutOperator(trimBlank(w), true)
		if op == "" {
			op = Glob
		}
		v = trimLeftBlank(v)
		if v == "" {
			// A blank behind the operator, in the first expression only.
			if len(out) > 0 {
				return out, wrong(s, "has an operator without a version", want)
			}
			if v, rest, ok, err = Word(rest, "", 0); err != nil || !ok {
				return out, wrong(s, "has an operator without a version", want)
			}
		}
		out = append(out, VersionTest{op, v})
	}
}

// OSReleaseTest is one expression of ConditionOSRelease=.
type OSReleaseTest struct {
	Key string
	VersionTest
}

// ParseOSReleaseTests reads the expressions of ConditionOSRelease=.
func ParseOSReleaseTests(s string) ([]OSReleaseTest, error) {
	const want = `expressions such as "ID=debian" or "VERSION_ID>=12"`
	ws, err := Split(s, "", CUnescape|Unquote)
	if err != nil {
		return nil, err
	}
	var out []OSReleaseTest
	for _, w := range ws {
		i := strings.IndexAny(w, "!<=>$")
		if i <= 0 {
			return out, wrong(w, "compares nothing", want)
		}
		op, v := CutOperator(w[i:], true)
		v = strings.TrimSpace(v)
		if op == "" || v == "" || !ValidEnvName(w[:i]) {
			return out, wrong(w, "is no comparison", want)
		}
		out = append(out, OSReleaseTest{w[:i], VersionTest{op, v}})
	}
	return out, nil
}

// Pressure is the parameter of ConditionMemoryPressure= and its kin.
type Pressure struct {
	Slice     string // "" for the whole system
	Permyriad int
	Window    string // "avg10", "avg60" or "avg300"
}

// ParsePressure reads [SLICE:]PERCENT[/SPAN].
func ParsePressure(s string) (Pressure, error) {
	const want = `[SLICE:]PERCENT[/SPAN] with the spans 10sec, 1min and 5min, such as "10%/1min"`
	p := Pressure{Window: "avg300"}
	rest := s
	if i := strings.LastIndexByte(s, ':'); i >= 0 {
		p.Slice, rest = s[:i], s[i+1:]
		if p.Slice != "" && !strings.HasSuffix(p.Slice, ".slice") {
			p.Slice += ".slice"
		}
		if p.Slice != "" && unitOfType(p.Slice, "slice") != nil {
			return p, wrong(p.Slice, "is no slice", want)
		}
	}
	level, span, has := strings.Cut(rest, "/")
	var err error
	if p.Permyriad, err = ParsePermyriad(trimBlank(level)); err != nil {
		return p, wrong(s, "is no share of pressure", want)
	}
	if has && span != "" {
		windows := map[string]string{"10sec": "avg10", "1min": "avg60", "5min": "avg300"}
		if p.Window = windows[trimBlank(span)]; p.Window == "" {
			return p, wrong(span, "is no span that the kernel measures", want)
		}
	}
	return p, nil
}

// ConditionNames gives the names of all conditions a version knows, without
// "Condition", sorted.
func ConditionNames(version int) []string {
	var out []string
	for _, d := range directive.All() {
		if n, ok := strings.CutPrefix(d.Name, "Condition"); ok && d.Group == "condition" && (version == 0 || d.KnownIn(version)) {
			out = append(out, n)
		}
	}
	sort.Strings(out)
	return out
}
