package value

import (
	_ "embed"
	"sort"
	"strings"
	"sync"

	"github.com/unitgen/unitgen/schema/directive"
)

//go:embed syscalls.txt
var syscallData string

// syscallTable holds the groups with their members and every known name.
type syscallTable struct {
	groups map[string][]string
	known  map[string]bool
}

var syscallNames = sync.OnceValue(func() syscallTable {
	t := syscallTable{groups: map[string][]string{}, known: map[string]bool{}}
	for _, l := range strings.Split(syscallData, "\n") {
		f := strings.Fields(l)
		if len(f) == 0 || f[0] == "#" {
			continue
		}
		if f[0] != "+" {
			t.groups[f[0]] = f[1:]
		}
		for _, n := range f[1:] {
			if n[0] != '@' {
				t.known[n] = true
			}
		}
	}
	return t
})

// SyscallGroups gives the names of the groups of system calls, sorted.
func SyscallGroups() []string {
	var out []string
	for g := range syscallNames().groups {
		out = append(out, g)
	}
	sort.Strings(out)
	return out
}

// SyscallGroup gives the system calls of a group with those of the groups in
// it, sorted; nil for an unknown group.
func SyscallGroup(name string) []string {
	seen := map[string]bool{}
	var add func(g string, depth int)
	add = func(g string, depth int) {
		for _, m := range syscallNames().groups[g] {
			if m[0] != '@' {
				seen[m] = true
			} else if depth < 8 {
				add(m, depth+1)
			}
		}
	}
	add(name, 0)
	var out []string
	for n := range seen {
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}

// SyscallRule is one word of SystemCallFilter=.
type SyscallRule struct {
	Name  string // a system call, or a group "@…"
	Errno string // what it answers: "EPERM", "13", "kill", or "" for the default
}

// ParseSyscallFilter reads a value of SystemCallFilter= or SystemCallLog=:
// names and groups, each with ":ERRNO" if need be; "~" before the list denies.
func ParseSyscallFilter(s string) (rules []SyscallRule, deny bool, err error) {
	const want = `names of system calls or groups such as @system-service, with ":EPERM" behind them where that is to be answered, and ~ before the list to deny them`
	t, deny := strings.CutPrefix(s, "~")
	ws, err := Split(t, "", 0)
	if err != nil {
		return nil, deny, err
	}
	table := syscallNames()
	for _, w := range ws {
		name, errno, has := strings.Cut(w, ":")
		if has {
			if _, err := ParseErrno(errno); err != nil {
				return rules, deny, err
			}
		}
		if strings.HasPrefix(name, "@") {
			if table.groups[name] == nil {
				return rules, deny, wrong(name, "is no group of system calls", strings.Join(SyscallGroups(), " "))
			}
		} else if !table.known[name] {
			return rules, deny, wrong(name, "is no system call", want)
		}
		rules = append(rules, SyscallRule{name, errno})
	}
	return rules, deny, nil
}

var _ = register(map[directive.Kind]checker{
	"syscall-filter": func(_ *Context, s string) (string, error) {
		_, _, err := ParseSyscallFilter(s)
		return s, err
	},
	"syscall-log": func(_ *Context, s string) (string, error) {
		rules, _, err := ParseSyscallFilter(s)
		for _, r := range rules {
			if r.Errno != "" {
				return s, wrong(r.Name+":"+r.Errno, "names an error, which a log of system calls cannot give", "names of system calls and groups")
			}
		}
		return s, err
	},
	"errno": func(_ *Context, s string) (string, error) {
		n, err := ParseErrno(s)
		if err == nil && n == 0 {
			err = wrong(s, "is no error", wantErrno)
		}
		return s, err
	},
})

const wantErrno = `the name or number of an error such as "EPERM", or "kill"`

// ParseErrno reads an error by name or number, or "kill", which gives -1.
func ParseErrno(s string) (int, error) {
	if s == "kill" {
		return -1, nil
	}
	if n, ok := errnoNumbers()[s]; ok {
		return n, nil
	}
	if n, err := ParseInteger(s, 0, 4095); err == nil {
		return int(n), nil
	}
	return 0, wrong(s, "is no error", wantErrno)
}

// errnoNames are Linux's errors by number, from 1 (errno(3)); a number without
// a name is "-".
var errnoNames = strings.Fields(`EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY
	EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EDEADLK
	ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP - ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG EUNATCH ENOCSI EL2HLT EBADE EBADR
	EXFULL ENOANO EBADRQC EBADSLT - EBFONT ENOSTR ENODATA ETIME ENOSR ENONET ENOPKG EREMOTE ENOLINK EADV ESRMNT ECOMM EPROTO EMULTIHOP
	EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD EREMCHG ELIBACC ELIBBAD ELIBSCN ELIBMAX ELIBEXEC EILSEQ ERESTART ESTRPIPE EUSERS ENOTSOCK
	EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE
	EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT
	ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL EISNAM EREMOTEIO EDQUOT ENOMEDIUM
	EMEDIUMTYPE ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED EOWNERDEAD ENOTRECOVERABLE ERFKILL EHWPOISON`)

var errnoNumbers = sync.OnceValue(func() map[string]int {
	m := map[string]int{"EWOULDBLOCK": 11, "EDEADLOCK": 35, "ENOTSUP": 95}
	for i, n := range errnoNames {
		if n != "-" {
			m[n] = i + 1
		}
	}
	return m
})

// ErrnoName gives the name of an error, or "".
func ErrnoName(n int) string {
	if n < 1 || n > len(errnoNames) || errnoNames[n-1] == "-" {
		return ""
	}
	return errnoNames[n-1]
}
