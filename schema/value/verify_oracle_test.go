package value

import (
	"bytes"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/unitgen/unitgen/internal/testenv"
	"github.com/unitgen/unitgen/schema/directive"
	"github.com/unitgen/unitgen/schema/specifier"
)

// assignment is one line that both sides judge.
type assigned struct {
	d     *directive.Directive
	value string
}

// complaints asks systemd-analyze verify which assignments of one section it
// warns of, and what it says. A mistake that makes it leave the file is found by
// a last line that must always be complained of; then the rest is asked anew.
func complaints(t *testing.T, unitType string, list []assigned) map[int]string {
	t.Helper()
	testenv.Need(t, "systemd-analyze")
	dir := t.TempDir()
	out := map[int]string{}
	section := directive.TypeSection(unitType)
	for round := 0; len(list) > 0; round++ {
		var b strings.Builder
		cur := ""
		line := 0
		at := map[int]int{} // line -> index
		add := func(s string) {
			b.WriteString(s + "\n")
			line++
		}
		first := 0
		if n := out[-1]; n != "" {
			first, _ = strconv.Atoi(n)
			delete(out, -1)
		}
		for i := first; i < len(list); i++ {
			if s := list[i].d.Section; s != cur {
				cur = s
				add("[" + s + "]")
			}
			add(list[i].d.Name + "=" + list[i].value)
			at[line] = i
		}
		add("[" + section + "]")
		add("NoSuchDirective=1")
		last := line
		file := filepath.Join(dir, fmt.Sprintf("t%d.%s", round, unitType))
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		c := exec.Command("systemd-analyze", "verify", "--man=no", "--recursive-errors=yes", file)
		c.Env = append(os.Environ(), "SYSTEMD_LOG_LEVEL=warning", "LC_ALL=C.UTF-8")
		var errs bytes.Buffer
		c.Stderr = &errs
		_ = c.Run()
		reached, highest := false, -1
		for _, m := range regexp.MustCompile(`(?m)^`+regexp.QuoteMeta(file)+`:(\d+): (.*)$`).FindAllStringSubmatch(errs.String(), -1) {
			n, _ := strconv.Atoi(m[1])
			if n == last {
				reached = true
				continue
			}
			if i, ok := at[n]; ok {
				out[i] = m[2]
				highest = max(highest, i)
			}
		}
		if reached {
			break
		}
		if highest < first {
			t.Fatalf("systemd-analyze verify leaves the file without a word:\n%s", errs.String())
		}
		out[-1] = strconv.Itoa(highest + 1)
	}
	delete(out, -1)
	return out
}

// samples are values that some kind takes, or nearly takes.
var samples = strings.Split(strings.TrimSpace(`
yes
no
1
0
true
foo
-1
+5
0x10
010
99999999999999999999
4294967295
4294967296
2147483647
65535
65536
10000
10001
20
19
-20
-21
1000
1001
-1000
5s
90
1min 30s
infinity
5 foo
1.5h
.5
daily
Mon..Fri 10:00
*-*-31
25:00
100M
1.5G
1G 500M
500M 1G
1K1
5Q
10%
150%
10.5%
10.555%
50‰
5‱
0%
0644
0999
07777
17777
SIGTERM
TERM
SIGFOO
RTMIN+3
SIGRTMIN+40
64
65
TEMPFAIL 250 SIGKILL
1 256
/usr/bin/true
/usr/bin/../true
//usr//bin/
relative/path
~
-~
-/etc/foo
+/etc/foo
-+/etc/foo
+-/etc/foo
/a /b c
/a:/b
/a:/b:norbind
/a:/b:foo
/a:rw,size=5
/a:/b:c:d
%t/foo
%t
%Z/foo
foo%
%%
nginx.service
foo@.service
foo@bar.service
foo.socket
foo.target bar.service
foo.slice
foo-bar.slice
foo--bar.slice
-.slice
foo.bar
foo/bar.service
app
app/sub
app:link
../app
private
private/x
A=b
A=b C=d
"A=b c"
"A=b
A
1A=b
A=b\x41
A=b\q
a.b=c
http://example.org
man:foo(8)
foo:bar
file:/x http://y
journal
syslog
file:/x
file:x
fd:foo
fd:
append:/x
truncate:/y
null
inherit
tty
80
[::1]:80
127.0.0.1:80
1.2.3:80
localhost:80
/run/foo.sock
@abstract
@
vsock::5
vsock:2:1234
[::1]
99999
0:80
kobject-uevent 1
route 5 6
foo 1
CAP_NET_ADMIN
cap_net_admin CAP_FOO
~CAP_SYS_ADMIN
CAP_NET_ADMIN,CAP_CHOWN
AF_INET AF_INET6
~AF_UNIX
AF_FOO
none
@system-service
@system-service ~open
~@clock open:EPERM
open:EFOO
openn
@foo
EPERM
kill
EFOO
0-3
0,2-5 7
5-3
9000
numa
all
default
10.0.0.0/8
10.0.0.0/33
::1/128
any
localhost
10.0.0.1 foo
ipv4:tcp:80-90
tcp:80
90-80
ipv6
mnt net
~user
yes mnt
native
x86-64 arm64
arm64x
/dev/null rw
/dev/null rwx
/dev/null rr
char-pts
block-* r
foo rw
/dev/../null
/dev/sda 100
/dev/sda 5M
/dev/sda foo
/dev/sda
/dev/sda 10ms
foo:bar
foo:/bar
foo:bar\qx
foo/bar:x
foo:YWJj
foo:%%x
cpu memory
cpu foo
eth0
eth0 lo
~lo
verylonginterfacename0
*
org.example.Foo
org
org.1x.Foo
keep-caps
keep-caps foo
0xff
private-anonymous
root:ro
root:ro,dev home:rw
foo:ro
ro
root
0:5
5:0
1:2:3
-5
+19
40
41
emerg
8
daemon
local7
local8
low-delay
256
x86
x86-64
udplite
mptcp
us
ns
ms
|foo
!foo
|!/foo
!/foo
!|/foo
:
;
/bin/a ; /bin/b
/bin/a \; b
/bin/a "b
@/bin/a
@/bin/a b
-+!!:/bin/a
!!!/bin/a
++/bin/a
|/bin/a
/bin/a\x41
/bin/
bin/a
bin
-
/bin/a $FOO ${BAR}
"/bin/a b" c
/bin/a \q
/bin/a %Z
/bin/a %i
root
0
www-data
www.data
a:b
-5x
1000000
root daemon
'a b'
äöü
identity
self
full
strict
read-only
tmpfs
restart
fifo
rr
realtime
best-effort
shared
slave
oneshot
notify-reload
on-failure
mixed
none
process
mixed,none
egress:/x
foo:/x
/x:foo:read-only
/x:foo:bar
/x::append,truncate
YWJj
YWJ
base64:YWJj
0123456789abcdef0123456789abcdef
0123
a=b
FOO=bar
_FOO=bar
foo=bar
FOO
`), "\n")

func TestCheckLikeSystemdVerify(t *testing.T) {
	for _, typ := range []string{"service", "socket", "mount", "timer", "path", "swap", "automount", "slice"} {
		t.Run(typ, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewSource(31))
			var list []assigned
			// A mistake in these makes systemd leave the file, and costs a call.
			costly := map[directive.Kind]bool{"command": true, "user": true, "user-list": true, "working-directory": true, "path": true, "exec-directory": true}
			asked := map[directive.Kind]int{}
			for _, d := range directive.All() {
				if !d.KnownIn(252) || d.Section == "Install" {
					continue
				}
				// Each directive once: the shared ones with services.
				if d.Section != directive.TypeSection(typ) && !(typ == "service" && d.Section == "Unit") {
					continue
				}
				if typ != "service" && (d.Group == "exec" || d.Group == "cgroup" || d.Group == "kill") {
					continue
				}
				list = append(list, assigned{d, ""})
				if asked[d.Kind]++; asked[d.Kind] > 1 {
					continue
				}
				for i, v := range samples {
					if costly[d.Kind] && i%5 != len(d.Name)%5 {
						continue
					}
					if v = mutate(r, v); !strings.HasSuffix(v, `\`) {
						list = append(list, assigned{d, v})
					}
				}
			}
			said := complaints(t, typ, list)
			wrong := map[string]int{}
			for i, a := range list {
				_, err := CheckDirective(a.d, strings.Trim(a.value, " \t"), Context{Systemd: 252, UnitType: typ, Names: oracleNames(typ)})
				if e, ok := err.(*Error); ok && e.Tolerated || exception(a, said[i]) {
					continue
				}
				if a.d.Deprecated != 0 && a.d.Deprecated <= 252 {
					if said[i] == "" {
						t.Errorf("%s= is not warned of by systemd 252", a.d.Name)
					}
					continue // the name is the complaint
				}
				if (err == nil) == (said[i] == "") {
					continue
				}
				k := fmt.Sprintf("%s (%s)", a.d.Name, a.d.Kind)
				if wrong[string(a.d.Kind)]++; wrong[string(a.d.Kind)] < 6 {
					t.Errorf("%s=%s: %v; systemd: %q", k, a.value, err, said[i])
				}
			}
			t.Logf("%d assignments, %d complaints", len(list), len(said))
		})
	}
}

// exception names the answers of systemd 252 that are not followed.
func exception(a assigned, said string) bool {
	switch {
	case strings.Contains(said, "Multiple units to trigger"):
		return true // it remembers the line before
	case strings.Contains(a.value, "4294967295"):
		return true // it wraps around to no CPU at all
	case strings.Contains(a.value, "%r"), strings.Contains(a.value, "%R"), strings.Contains(a.value, "%c"):
		return true // names of control groups, which systemd.unit(5) does not have
	}
	return false
}

// mutate changes one value in a few.
func mutate(r *rand.Rand, v string) string {
	if r.Intn(5) > 0 || v == "" {
		return v
	}
	i := r.Intn(len(v))
	switch r.Intn(5) {
	case 0:
		return strings.ToValidUTF8(v[:i]+v[i+1:], "")
	case 1:
		return strings.ToValidUTF8(v[:i]+string("abZ019:-./ ,=%\"'\\+@~!"[r.Intn(21)])+v[i:], "")
	case 2:
		return v + " " + v
	case 3:
		return strings.ToUpper(v)
	}
	return v + "x"
}

// oracleNames gives the specifiers' context of the units that are verified.
func oracleNames(typ string) *specifier.Context {
	c := specifier.System()
	c.Unit = "t0." + typ
	c.Fragment = "/tmp/t0." + typ
	c.Host = specifier.ReadHost("/")
	return &c
}
