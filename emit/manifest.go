package emit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitname"
)

// ManifestFile is the manifest's name in a tree.
const ManifestFile = "manifest.json"

// Manifest lists every path of a tree. Its bytes are what the tree's hash is
// taken over, so it says everything that makes two trees differ.
type Manifest struct {
	Version int    `json:"version"`
	Host    string `json:"host"`
	Variant string `json:"variant,omitempty"`
	Systemd int    `json:"systemd"` // the oldest systemd the tree loads on
	// Disabled are units from elsewhere that must not be enabled: the links that
	// enable them below the host's /etc/systemd go while the tree is active.
	Disabled []DisabledUnit  `json:"disabled,omitempty"`
	Entries  []ManifestEntry `json:"entries"`
}

// DisabledUnit is a unit of the distribution that a tree disables.
type DisabledUnit struct {
	Unit  string     `json:"unit"`
	Scope tree.Scope `json:"scope"`
}

// ManifestEntry is one path of a tree, in path order.
type ManifestEntry struct {
	Path   string `json:"path"`
	Kind   Kind   `json:"kind"`
	Mode   string `json:"mode,omitempty"`   // octal; links have none
	Owner  string `json:"owner,omitempty"`  // absent: root
	Group  string `json:"group,omitempty"`  // absent: root
	Size   int64  `json:"size,omitempty"`   // bytes of a file
	SHA256 string `json:"sha256,omitempty"` // of a file
	Target string `json:"target,omitempty"` // of a link
	Real   bool   `json:"real,omitempty"`   // copied into /etc, not linked
}

// disabledUnits gives the units that a tree disables, by scope and name.
func disabledUnits(t *tree.Tree) []DisabledUnit {
	var out []DisabledUnit
	for _, d := range t.Distro {
		if d.Disable {
			out = append(out, DisabledUnit{Unit: d.Name, Scope: d.Scope})
		}
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].Scope != out[j].Scope {
			return out[i].Scope < out[j].Scope
		}
		return out[i].Unit < out[j].Unit
	})
	return out
}

// disables reports whether a tree disables a unit, by its own name or as an
// instance of a template.
func disables(t *tree.Tree, scope tree.Scope, unit string) bool {
	for _, d := range t.Distro {
		if d.Disable && d.Scope == scope && (d.Name == unit || unitname.IsTemplate(d.Name) && unitname.Template(unit) == d.Name) {
			return true
		}
	}
	return false
}

// enablingLink gives the unit and scope that a link in a .wants, .requires or
// .upholds directory of the tree enables; "" for other paths.
func enablingLink(p string) (unit string, scope tree.Scope) {
	for _, scope := range []tree.Scope{tree.System, tree.User} {
		rest, ok := strings.CutPrefix(p, tree.UnitDir(tree.Etc, scope)+"/")
		dir, name := path.Split(rest)
		dir = strings.TrimSuffix(dir, "/")
		if ok && (strings.HasSuffix(dir, ".wants") || strings.HasSuffix(dir, ".requires") || strings.HasSuffix(dir, ".upholds")) {
			return name, scope
		}
	}
	return "", ""
}

// ManifestVersion is the version of the format.
const ManifestVersion = 1

// NewManifest lists the entries of a tree.
func NewManifest(t *tree.Tree, entries []Entry) *Manifest {
	m := &Manifest{Version: ManifestVersion, Host: t.Host, Variant: t.Variant, Systemd: t.Systemd, Disabled: disabledUnits(t)}
	for _, e := range entries {
		me := ManifestEntry{Path: e.Path, Kind: e.Kind, Owner: e.Owner, Group: e.Group, Real: e.Real}
		switch e.Kind {
		case File:
			me.Size, me.SHA256 = int64(len(e.Content)), hashOf(e.Content)
			me.Mode = modeString(e.Mode)
		case Directory:
			me.Mode = modeString(e.Mode)
		case Link:
			me.Target = e.Target
		}
		m.Entries = append(m.Entries, me)
	}
	return m
}

// Bytes gives manifest.json: one entry a line, so that trees can be compared
// with diff(1).
func (m *Manifest) Bytes() []byte {
	b := []byte("{\n")
	field := func(name string, v any) {
		j, err := json.Marshal(v)
		if err != nil {
			panic("unitgen: a string or number cannot be marshalled: " + err.Error())
		}
		b = append(b, "  "+strconv.Quote(name)+": "...)
		b = append(append(b, j...), ",\n"...)
	}
	field("version", m.Version)
	field("host", m.Host)
	if m.Variant != "" {
		field("variant", m.Variant)
	}
	field("systemd", m.Systemd)
	if len(m.Disabled) > 0 {
		field("disabled", m.Disabled)
	}
	b = append(b, "  \"entries\": ["...)
	for i, e := range m.Entries {
		j, err := json.Marshal(e)
		if err != nil {
			panic("unitgen: a manifest entry cannot be marshalled: " + err.Error())
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, "\n    "...), j...)
	}
	return append(b, "\n  ]\n}\n"...)
}

// ReadManifest reads the manifest of a tree on disk.
func ReadManifest(dir string) (*Manifest, error) {
	p := filepath.Join(dir, ManifestFile)
	b, err := os.ReadFile(p)
	if err != nil {
		return nil, err
	}
	m := new(Manifest)
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("%s: %w", p, err)
	}
	if m.Version != ManifestVersion {
		return nil, fmt.Errorf("%s: version %d of the manifest is not known to this unitgen", p, m.Version)
	}
	return m, nil
}

// FileMode gives the permission bits of an entry.
func (e ManifestEntry) FileMode() (fs.FileMode, error) {
	n, err := strconv.ParseUint(e.Mode, 8, 12)
	if err != nil {
		return 0, fmt.Errorf("%s: mode %q: %w", e.Path, e.Mode, err)
	}
	m := fs.FileMode(n & 0o777)
	for bit, flag := range map[uint64]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if n&bit != 0 {
			m |= flag
		}
	}
	return m, nil
}

func modeString(m fs.FileMode) string {
	n := uint32(m.Perm())
	for flag, bit := range map[fs.FileMode]uint32{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if m&flag != 0 {
			n |= bit
		}
	}
	return fmt.Sprintf("%04o", n)
}

func hashOf(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}
