package stage

// Argv0 is the name under which the program runs as a second stage.
const Argv0 = "unitgen-exec"

// Spec is all that the second stage does. Descriptors: 0, 1, 2 are the
// service's own already; 3 carries the Spec, 4 takes the report of a failure
// and is closed by a successful exec; 5 and on are passed to the service from
// 3 on.
type Spec struct {
	Path string
	Argv []string
	Env  []string

	Dir          string // working directory, inside Root
	DirOptional  bool   // no complaint when it is missing
	Root         string // new root directory, "" for none
	FDs          int    // how many descriptors are passed
	ListenNames  string // LISTEN_FDNAMES, "" without descriptors
	WatchdogUsec string // WATCHDOG_USEC, "" without

	SetGroups bool // the supplementary groups only
	SetUser   bool
	UID       uint32
	GID       uint32
	Groups    []uint32

	Umask       *uint32
	Nice        *int
	OOMScore    *int
	IOPrio      *int
	Timerslack  *uint64
	SchedPolicy *int
	SchedPrio   int
	ResetOnFork bool
	CPUs        []int
	Limits      []Limit
	KeepSIGPIPE bool // IgnoreSIGPIPE=no: the default action again
	TTY         string
	TTYControl  bool // make it the controlling terminal

	CapBounding *uint64
	CapAmbient  uint64
	SecureBits  *uint
	NoNewPrivs  bool
	CgroupFiles []string // the process writes itself into these
	Unshare     uintptr  // CLONE_NEW… of this thread
	NoSUID      bool     // in the private mount namespace
	Mounts      []Mount
	// PrivateUsers: a user namespace with root, the unit's user and nobody.
	// Second says that the process is in it already.
	PrivateUsers, Second bool
	// Keep are directories that stay visible below a tmpfs: the manager's own,
	// where they lie in /tmp.
	Keep        []string
	MountFlags  uintptr
	Personality *uint32
	// Filters are programs for seccomp(2), each an array of struct sock_filter.
	Filters [][]byte
	// NoFile is the soft limit of open files that the manager was started with:
	// the Go runtime raises its own.
	NoFile uint64
	// NetNS and IPCNS are files of namespaces to enter.
	NetNS, IPCNS string
}

// Limit is one resource limit.
type Limit struct {
	Resource   int
	Soft, Hard uint64
}

// Mount is one change of the private mount namespace. Kinds: "bind", "bind-ro",
// "tmpfs", "private-tmp" (a bind mount that hides what Keep names), "cover" (a
// directory of which nothing is seen but what else is mounted there), "inaccessible", "private-dev", "proc", "mqueue";
// and what only marks a path: "ro", "rw", "leave" (as it is, whatever is said
// above it), "exec", "noexec".
type Mount struct {
	Kind     string
	Source   string
	Target   string
	Options  string
	Optional bool // no complaint when Source or Target is missing
	Recurse  bool

	tree int  // of a bind mount: what it shows
	dir  bool // and whether that is a directory
}

// Exit statuses of a failed step (systemd.exec(5), "Process Exit Codes").
const (
	ExitChdir        = 200
	ExitNice         = 201
	ExitFDs          = 202
	ExitExec         = 203
	ExitMemory       = 204
	ExitLimits       = 205
	ExitOOMAdjust    = 206
	ExitSignalMask   = 207
	ExitStdin        = 208
	ExitStdout       = 209
	ExitChroot       = 210
	ExitIOPrio       = 211
	ExitTimerslack   = 212
	ExitSecureBits   = 213
	ExitScheduler    = 214
	ExitCPUAffinity  = 215
	ExitGroup        = 216
	ExitUser         = 217
	ExitCapabilities = 218
	ExitCgroup       = 219
	ExitStderr       = 222
	ExitNetwork      = 225
	ExitNamespace    = 226
	ExitNoNewPrivs   = 227
	ExitSeccomp      = 228
	ExitPersonality  = 230
	ExitRuntimeDir   = 233
	ExitStateDir     = 238
	ExitCacheDir     = 239
	ExitLogsDir      = 240
	ExitConfigDir    = 241
	ExitCredentials  = 243
)
