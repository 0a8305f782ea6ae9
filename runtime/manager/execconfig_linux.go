package manager

import (
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"github.com/unitgen/unitgen/runtime/manager/stage"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/value"
)

// execConfig is systemd.exec(5) of one unit, read once; it does not change and
// may be used by several goroutines.
type execConfig struct {
	user, group   string
	groups        []string
	dynamicUser   bool
	dir           string // WorkingDirectory=, "~" for the home directory
	dirOptional   bool
	root          string
	env           []string // NAME=value
	envFiles      []envFile
	passEnv       []string
	unsetEnv      []string
	stdin         string
	stdout        string
	stderr        string
	stdinData     []byte
	tty           string
	dirs          [5]dirConfig
	runtimeKeep   string
	creds         []credential
	umask         uint32
	umaskSet      bool
	nice          *int
	oomScore      *int
	ioPrio        *int
	timerslack    *uint64
	policy        *int
	priority      int
	resetOnFork   bool
	cpus          []int
	limits        []stage.Limit
	ignoreSIGPIPE bool
	bounding      *uint64
	ambient       uint64
	secureBits    *uint
	noNewPrivs    bool
	personality   *uint32
	sandbox       sandbox
	calls         callFilters
	pathEnv       string
	system        bool
	keep          []string // the manager's own directories
}

type envFile struct {
	path     string
	optional bool
}

// dirKinds are the directories a unit may ask for, with where they lie and the
// variable that names them.
var dirKinds = [5]struct{ setting, env, mode, clean string }{
	{"RuntimeDirectory", "RUNTIME_DIRECTORY", "RuntimeDirectoryMode", "runtime"},
	{"StateDirectory", "STATE_DIRECTORY", "StateDirectoryMode", "state"},
	{"CacheDirectory", "CACHE_DIRECTORY", "CacheDirectoryMode", "cache"},
	{"LogsDirectory", "LOGS_DIRECTORY", "LogsDirectoryMode", "logs"},
	{"ConfigurationDirectory", "CONFIGURATION_DIRECTORY", "ConfigurationDirectoryMode", "configuration"},
}

type dirConfig struct {
	base  string
	names []dirName
	mode  os.FileMode
	env   string
}

type dirName struct{ name, link string }

type credential struct {
	id, path string
	data     []byte
	literal  bool
	optional bool
}

func words(list []string) []string {
	var out []string
	for _, v := range list {
		w, err := value.Split(v, "", value.Unquote|value.CUnescape)
		if err != nil {
			w = strings.Fields(v)
		}
		out = append(out, w...)
	}
	return out
}

func newExecConfig(m *Manager, f *load.Unit) *execConfig {
	c := &execConfig{
		user: f.String("User"), group: f.String("Group"), groups: words(f.Strings("SupplementaryGroups")),
		dynamicUser: f.Bool("DynamicUser"), root: f.String("RootDirectory"),
		passEnv: words(f.Strings("PassEnvironment")), unsetEnv: words(f.Strings("UnsetEnvironment")),
		stdin: f.String("StandardInput"), stdout: f.String("StandardOutput"), stderr: f.String("StandardError"),
		tty: f.String("TTYPath"), runtimeKeep: f.String("RuntimeDirectoryPreserve"),
		noNewPrivs: f.Bool("NoNewPrivileges"), ignoreSIGPIPE: true, system: m.isSystem(),
		resetOnFork: f.Bool("CPUSchedulingResetOnFork"), umask: 0o022,
	}
	if s := f.String("IgnoreSIGPIPE"); s != "" {
		c.ignoreSIGPIPE = f.Bool("IgnoreSIGPIPE")
	}
	if c.stdin == "" {
		c.stdin = "null"
	}
	if c.stdout == "" {
		c.stdout = "journal"
		if c.stdin == "tty" || c.stdin == "tty-force" || c.stdin == "tty-fail" || c.stdin == "socket" {
			c.stdout = "inherit"
		}
	}
	if c.stderr == "" {
		c.stderr = "inherit"
	}
	if c.tty == "" {
		c.tty = "/dev/console"
	}
	c.dir = f.String("WorkingDirectory")
	c.dir, c.dirOptional = strings.CutPrefix(c.dir, "-")
	// The loader has taken the lines apart: one assignment, unquoted, each.
	for _, a := range f.Strings("Environment") {
		if n, _, ok := strings.Cut(a, "="); ok && value.ValidEnvName(n) {
			c.env = append(c.env, a)
		}
	}
	for _, p := range f.Strings("EnvironmentFile") {
		p, opt := strings.CutPrefix(p, "-")
		c.envFiles = append(c.envFiles, envFile{p, opt})
	}
	for _, s := range f.Strings("StandardInputText") {
		if w, err := value.UnescapeWords(s); err == nil {
			s = strings.Join(w, " ")
		}
		c.stdinData = append(append(c.stdinData, s...), '\n')
	}
	for _, s := range f.Strings("StandardInputData") {
		c.stdinData = append(c.stdinData, decodeBase64(s)...)
	}
	if c.stdinData != nil && f.String("StandardInput") == "" {
		c.stdin = "data"
	}
	m.directories(c, f)
	c.keep = []string{m.opt.RuntimeDir, m.opt.StateDir}
	c.readCredentials(m, f)
	c.readScheduling(f)
	c.readPrivileges(f)
	c.sandbox = newSandbox(m, f)
	c.calls = newCallFilters(f)
	c.pathEnv = "PATH=" + defaultPATH
	return c
}

const defaultPATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// directories reads RuntimeDirectory= and its like.
func (m *Manager) directories(c *execConfig, f *load.Unit) {
	facts := m.opt.Facts
	bases := [5]string{facts.RuntimeDir, facts.StateDir, facts.CacheDir, facts.LogsDir, facts.ConfigDir}
	for i, k := range dirKinds {
		d := &c.dirs[i]
		d.base, d.env, d.mode = bases[i], k.env, 0o755
		if s := f.String(k.mode); s != "" {
			if mode, err := value.ParseMode(s); err == nil {
				d.mode = mode
			}
		}
		for _, w := range words(f.Strings(k.setting)) {
			n, link, _ := strings.Cut(w, ":")
			d.names = append(d.names, dirName{n, link})
		}
	}
}

func (c *execConfig) readCredentials(m *Manager, f *load.Unit) {
	for _, s := range f.Strings("LoadCredential") {
		id, path, ok := strings.Cut(s, ":")
		if !ok {
			path = id
		}
		if !strings.HasPrefix(path, "/") {
			path = m.credentialStore() + "/" + path
		}
		c.creds = append(c.creds, credential{id: id, path: path, optional: !ok})
	}
	for _, s := range f.Strings("SetCredential") {
		id, data, _ := strings.Cut(s, ":")
		if w, err := value.UnescapeWords(data); err == nil && strings.Contains(data, `\`) {
			data = strings.Join(w, " ")
		}
		c.creds = append(c.creds, credential{id: id, data: []byte(data), literal: true})
	}
}

func (c *execConfig) readScheduling(f *load.Unit) {
	if s := f.String("UMask"); s != "" {
		if mode, err := value.ParseMode(s); err == nil {
			c.umask, c.umaskSet = uint32(mode.Perm()), mode.Perm() != 0o022
		}
	}
	if s := f.String("Nice"); s != "" && s != "0" {
		n := atoi(s, 0)
		c.nice = &n
	}
	if s := f.String("OOMScoreAdjust"); s != "" {
		n := atoi(s, 0)
		c.oomScore = &n
	}
	class, cs := -1, f.String("IOSchedulingClass")
	switch cs {
	case "none", "0":
		class = 0
	case "realtime", "1":
		class = 1
	case "best-effort", "2":
		class = 2
	case "idle", "3":
		class = 3
	}
	ps := f.String("IOSchedulingPriority")
	if class > 0 || ps != "" && ps != "4" {
		if class < 0 {
			class = 2
		}
		n := class<<13 | atoi(ps, 4)
		c.ioPrio = &n
	}
	policies := map[string]int{"other": 0, "fifo": 1, "rr": 2, "batch": 3, "idle": 5}
	if p, ok := policies[f.String("CPUSchedulingPolicy")]; ok && (p != 0 || c.resetOnFork) {
		c.policy = &p
		c.priority = atoi(f.String("CPUSchedulingPriority"), 0)
		if (p == 1 || p == 2) && c.priority == 0 {
			c.priority = 1
		}
	}
	for _, s := range f.Strings("CPUAffinity") {
		if set, err := value.ParseCPUSet(s); err == nil {
			for w, bits := range set {
				for b := range 64 {
					if bits>>b&1 != 0 {
						c.cpus = append(c.cpus, w*64+b)
					}
				}
			}
		}
	}
	if s := f.String("TimerSlackNSec"); s != "" {
		if n, err := value.ParseNanoseconds(s); err == nil && n > 0 {
			c.timerslack = &n
		}
	}
	for name, res := range rlimits {
		s := f.String("Limit" + name)
		if s == "" {
			continue
		}
		l, err := value.ParseRlimit(rlimitSort(name), s)
		if err == nil {
			c.limits = append(c.limits, stage.Limit{Resource: res, Soft: l.Soft, Hard: l.Hard})
		}
	}
}

var rlimits = map[string]int{
	"CPU": 0, "FSIZE": 1, "DATA": 2, "STACK": 3, "CORE": 4, "RSS": 5, "NPROC": 6, "NOFILE": 7,
	"MEMLOCK": 8, "AS": 9, "LOCKS": 10, "SIGPENDING": 11, "MSGQUEUE": 12, "NICE": 13, "RTPRIO": 14, "RTTIME": 15,
}

func (c *execConfig) readPrivileges(f *load.Unit) {
	if p, ok := map[string]uint32{"x86": 8, "i386": 8}[f.String("Personality")]; ok {
		c.personality = &p
	}
	if os.Geteuid() != 0 {
		return // an ordinary user has no capabilities to take away; said as not applied
	}
	if v := f.Strings("CapabilityBoundingSet"); len(v) > 0 || f.State == load.Loaded && f.String("StandardInput") != "" { // set to nothing
		set := uint64(0)
		for i, s := range v {
			b, inverted, err := value.ParseCapabilities(s)
			switch {
			case err != nil:
			case inverted && i == 0:
				set = ^b
			case inverted:
				set &^= b
			default:
				set |= b
			}
		}
		if set&(1<<41-1) != 1<<41-1 {
			c.bounding = &set
		}
	}
	for _, s := range f.Strings("AmbientCapabilities") {
		b, inverted, err := value.ParseCapabilities(s)
		if err == nil && inverted {
			b = ^b & (1<<41 - 1)
		}
		if err == nil {
			c.ambient |= b
		}
	}
	bits := map[string]uint{"noroot": 1, "noroot-locked": 2, "no-setuid-fixup": 4, "no-setuid-fixup-locked": 8, "keep-caps": 16, "keep-caps-locked": 32}
	for _, w := range words(f.Strings("SecureBits")) {
		if b, ok := bits[w]; ok {
			if c.secureBits == nil {
				c.secureBits = new(uint)
			}
			*c.secureBits |= b
		}
	}
}

// nobodyUID is the user who has nothing, no home directory either.
const nobodyUID = 65534

// account is what a user and group resolve to.
type account struct {
	set      bool
	uid, gid uint32
	groups   []uint32
	name     string
	home     string
	shell    string
}

// resolve finds the user and groups that the process runs as.
func (c *execConfig) resolve(unit string) (account, error) {
	var a account
	if os.Geteuid() != 0 || c.user == "" && c.group == "" && len(c.groups) == 0 && !c.dynamicUser {
		return a, nil
	}
	a.set = true
	name := c.user
	if c.dynamicUser {
		a.name = name
		if a.name == "" {
			a.name = strings.TrimSuffix(unit, ".service")
		}
		if u, err := user.Lookup(a.name); err == nil {
			name = u.Username
		} else {
			h := uint32(2166136261)
			for _, b := range []byte(a.name) {
				h = (h ^ uint32(b)) * 16777619
			}
			a.uid = 61184 + h%(65519-61184) // systemd's range for dynamic users
			a.gid = a.uid
			a.groups = []uint32{a.gid}
			a.home, a.shell = "/", "/usr/sbin/nologin"
			return a, nil
		}
	} else if name == "" {
		name = "root"
	}
	if name != "" {
		u, err := lookupUser(name)
		if err != nil {
			return a, step(stage.ExitUser, "USER", err)
		}
		a = u
		a.set = true
		if l, err := supplementary(a); err == nil {
			a.groups = l
		}
	}
	if c.group != "" {
		g, err := lookupGroup(c.group)
		if err != nil {
			return a, step(stage.ExitGroup, "GROUP", err)
		}
		a.gid = g
	}
	for _, n := range c.groups {
		g, err := lookupGroup(n)
		if err != nil {
			return a, step(stage.ExitGroup, "GROUP", err)
		}
		a.groups = append(a.groups, g)
	}
	return a, nil
}

func lookupUser(name string) (account, error) {
	var a account
	u, err := user.Lookup(name)
	if err != nil {
		if n, e := strconv.ParseUint(name, 10, 32); e == nil {
			a.uid, a.gid, a.home, a.name = uint32(n), uint32(n), "/", name
			if u, err = user.LookupId(name); err != nil {
				return a, nil
			}
		} else {
			return a, err
		}
	}
	uid, _ := strconv.ParseUint(u.Uid, 10, 32)
	gid, _ := strconv.ParseUint(u.Gid, 10, 32)
	return account{uid: uint32(uid), gid: uint32(gid), name: u.Username, home: u.HomeDir, shell: shellOf(u.Username)}, nil
}

func supplementary(a account) ([]uint32, error) {
	u := &user.User{Username: a.name, Gid: strconv.Itoa(int(a.gid)), Uid: strconv.Itoa(int(a.uid))}
	ids, err := u.GroupIds()
	if err != nil {
		return nil, err
	}
	var out []uint32
	for _, s := range ids {
		if n, err := strconv.ParseUint(s, 10, 32); err == nil {
			out = append(out, uint32(n))
		}
	}
	return out, nil
}

func lookupGroup(name string) (uint32, error) {
	g, err := user.LookupGroup(name)
	if err != nil {
		if n, e := strconv.ParseUint(name, 10, 32); e == nil {
			return uint32(n), nil
		}
		return 0, err
	}
	n, _ := strconv.ParseUint(g.Gid, 10, 32)
	return uint32(n), nil
}

// shellOf reads a user's shell; package user does not give it.
func shellOf(name string) string {
	b, err := os.ReadFile("/etc/passwd")
	if err != nil {
		return "/bin/sh"
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Split(strings.TrimRight(line, "\n"), ":")
		if len(f) == 7 && f[0] == name {
			if f[6] == "" {
				return "/bin/sh"
			}
			return f[6]
		}
	}
	return "/bin/sh"
}

func usec(d time.Duration) uint64 {
	if d == load.Infinity {
		return ^uint64(0)
	}
	if d < 0 {
		return 0
	}
	return uint64(d / time.Microsecond)
}
