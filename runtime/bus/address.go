package bus

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/unitgen/unitgen/schema/tree"
)

// ErrNoManager is what Find reports, wrapped, when nothing answers.
var ErrNoManager = errors.New("no service manager answers")

// Sockets of the machine's own systemd, see systemd(1) and
// org.freedesktop.systemd1(5).
const (
	systemPrivate = "/run/systemd/private"
	systemBus     = "/run/dbus/system_bus_socket"
)

// PrivateSocket gives the path of a manager's private socket below its runtime
// directory (/run for the system, $XDG_RUNTIME_DIR for a user).
func PrivateSocket(runtimeDir string) string {
	return filepath.Join(runtimeDir, "systemd", "private")
}

// Address says where a manager listens.
type Address struct {
	Socket  string     // path of the unix socket
	Bus     bool       // a message bus with the manager on it, not the manager itself
	Scope   tree.Scope // system or user
	Bundled bool       // the manager is unitgen's own
	Record  *Record    // what the bundled manager left about itself, if it did
}

// String names the manager for messages.
func (a Address) String() string {
	who := "systemd"
	if a.Bundled {
		who = "the bundled manager"
	}
	return fmt.Sprintf("%s (%s, %s)", who, a.Scope, a.Socket)
}

// Record is what a bundled manager leaves about itself, in its state directory
// and in its runtime directory, for others to find it.
type Record struct {
	PID        int        `json:"pid"`
	Scope      tree.Scope `json:"scope"`
	Socket     string     `json:"socket"`
	RuntimeDir string     `json:"runtime_dir"`
	State      string     `json:"state"`
	LogDir     string     `json:"log_dir"`
	Started    time.Time  `json:"started"`
}

// RecordPath gives the file below a state directory that holds the record of
// the manager of a scope.
func RecordPath(state string, scope tree.Scope) string {
	return filepath.Join(state, "manager-"+string(scope)+".json")
}

// runtimeRecordPath gives the record's other place, beside the socket.
func runtimeRecordPath(runtimeDir string) string {
	return filepath.Join(runtimeDir, "systemd", "unitgen.json")
}

// WriteRecord leaves the record in r.State (unless empty) and r.RuntimeDir,
// each by one rename.
func WriteRecord(r Record) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	data = append(data, '\n')
	paths := []string{runtimeRecordPath(r.RuntimeDir)}
	if r.State != "" {
		paths = append(paths, RecordPath(r.State, r.Scope))
	}
	for _, p := range paths {
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			return err
		}
		tmp := fmt.Sprintf("%s.%d.new", p, os.Getpid())
		if err := os.WriteFile(tmp, data, 0o644); err != nil {
			return err
		}
		if err := os.Rename(tmp, p); err != nil {
			os.Remove(tmp)
			return err
		}
	}
	return nil
}

// RemoveRecord takes away what WriteRecord left, where it is still r's.
func RemoveRecord(r Record) {
	paths := []string{runtimeRecordPath(r.RuntimeDir)}
	if r.State != "" {
		paths = append(paths, RecordPath(r.State, r.Scope))
	}
	for _, p := range paths {
		if old, err := readRecord(p); err == nil && old.PID == r.PID && old.Socket == r.Socket {
			os.Remove(p)
		}
	}
}

// ReadRecord reads the record of the manager of a scope from a state
// directory. A missing one is fs.ErrNotExist. The manager may be gone since.
func ReadRecord(state string, scope tree.Scope) (*Record, error) {
	return readRecord(RecordPath(state, scope))
}

func readRecord(path string) (*Record, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() || st.Size() > 1<<16 {
		return nil, fmt.Errorf("%s is no manager record", path)
	}
	var r Record
	if err := json.NewDecoder(f).Decode(&r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if r.Socket == "" {
		return nil, fmt.Errorf("%s names no socket", path)
	}
	return &r, nil
}

// answers reports whether something accepts connections on a unix socket.
func answers(socket string) bool {
	c, err := net.DialTimeout("unix", socket, 2*time.Second)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// Find looks for the manager of a scope: the bundled manager by what it left
// in the state directory, then by what stands below the runtime directory
// (XDG_RUNTIME_DIR: a bundled manager of the scope, by the record that it left
// there; for the user scope also systemd's),
// then the machine's systemd. Empty arguments are left out of the search.
func Find(state, xdgRuntimeDir string, scope tree.Scope) (Address, error) {
	var tried []string
	if state != "" {
		if r, err := ReadRecord(state, scope); err == nil {
			if answers(r.Socket) {
				return Address{Socket: r.Socket, Scope: scope, Bundled: true, Record: r}, nil
			}
			tried = append(tried, r.Socket+" (left by a bundled manager that is gone)")
		}
	}
	// What a bundled manager of the other scope serves is not this scope's.
	others := ""
	if xdgRuntimeDir != "" {
		sock := PrivateSocket(xdgRuntimeDir)
		r, err := readRecord(runtimeRecordPath(xdgRuntimeDir))
		bundled := err == nil && r.Socket == sock
		switch {
		case bundled && r.Scope != scope:
			others = filepath.Join(xdgRuntimeDir, "bus")
		case bundled || scope == tree.User:
			if answers(sock) {
				a := Address{Socket: sock, Scope: scope, Bundled: bundled}
				if bundled {
					a.Record = r
				}
				return a, nil
			}
			tried = append(tried, sock)
		}
	}
	var last []Address
	if scope == tree.User {
		if b, ok := strings.CutPrefix(os.Getenv("DBUS_SESSION_BUS_ADDRESS"), "unix:path="); ok {
			b, _, _ = strings.Cut(b, ",")
			last = append(last, Address{Socket: b, Bus: true})
		}
		if xdgRuntimeDir != "" {
			last = append(last, Address{Socket: filepath.Join(xdgRuntimeDir, "bus"), Bus: true})
		}
	} else {
		if os.Geteuid() == 0 {
			last = append(last, Address{Socket: systemPrivate})
		}
		last = append(last, Address{Socket: systemBus, Bus: true})
	}
	for _, a := range last {
		if a.Socket == others {
			continue
		}
		a.Scope = scope
		if answers(a.Socket) {
			if !a.Bus && !a.Bundled {
				if r, err := readRecord("/run/systemd/unitgen.json"); err == nil && r.Socket == a.Socket {
					a.Bundled, a.Record = true, r
				}
			}
			return a, nil
		}
		tried = append(tried, a.Socket)
	}
	return Address{}, fmt.Errorf("%w for the %s scope; tried %s", ErrNoManager, scope, strings.Join(tried, ", "))
}
