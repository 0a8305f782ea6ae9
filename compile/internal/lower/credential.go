package lower

import (
	"encoding/json"
	"fmt"
	"path"
	"sort"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/eval"
	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitfile"
	"github.com/unitgen/unitgen/schema/unitname"
)

var unitsType = eval.Type("either(string, list(string))")

// SecretsFile lists the encrypted files that activation decrypts.
const SecretsFile = tree.SecretsFile

// RuntimeSecrets is the directory of decrypted files, below the runtime
// directory (%t).
const RuntimeSecrets = tree.RuntimeSecrets

// credentials makes the lines and files of credential blocks. A credential
// comes from a file of the machine, from an age-encrypted file that activation
// decrypts, or encrypted for the machine as systemd-creds(1) does it.
func (l *lowering) credentials() {
	var list []tree.Secret
	first := map[tree.Scope]diag.Range{} // the first block of each scope
	for _, g := range l.e.Groups("credential", func(c eval.Contrib, name string) (string, bool) {
		return string(l.scopeOf(c)) + "/" + name, true
	}) {
		scope, name, _ := strings.Cut(g.Name, "/")
		at := labelAt(g.Contribs[0])
		thing := fmt.Sprintf("credential[%q]", name)
		if name == "" || len(name) > 255 || strings.ContainsAny(name, "/:\n\r\x00 ") || name == "." || name == ".." {
			l.err("E0217", "Invalid name", at, "%q cannot be the name of a credential: it is a file name without colon and blanks.", name)
			continue
		}
		file, ok1 := l.str(thing, "file", stringType, g.Contribs, "")
		age, ok2 := l.str(thing, "age", stringType, g.Contribs, "")
		enc, ok3 := l.str(thing, "encrypted", stringType, g.Contribs, "")
		units, ok4 := l.units(thing, g)
		if !ok1 || !ok2 || !ok3 || !ok4 {
			continue
		}
		n := 0
		for _, s := range []string{file, age, enc} {
			if s != "" {
				n++
			}
		}
		if n != 1 {
			l.lacks(g, "E0208", "Attributes contradict each other", g.Contribs[0].Header(), "A credential has exactly one of file (a file of the machine), age (an encrypted file of the module) and encrypted (the output of systemd-creds encrypt); this one has %d.", n)
			continue
		}
		x := extraLine{at: at}
		var trigger []extraLine // another secret restarts the unit
		switch {
		case file != "":
			x.key, x.value = "LoadCredential", name+":"+file
		case enc != "":
			x.key, x.value = "SetCredentialEncrypted", name+":"+strings.Join(strings.Fields(enc), "")
		default:
			fat, _ := attrAt(g.Contribs[0], "age")
			b, err := l.o.ReadFile(g.Contribs[0].Block.Module, age)
			if err != nil {
				l.err("E0105", "Source file cannot be read", fat, "%s: %s.", age, err)
				continue
			}
			if !strings.HasPrefix(string(b), "age-encryption.org/") && !strings.HasPrefix(string(b), "-----BEGIN AGE ENCRYPTED FILE-----") {
				l.err("E0902", "File is not encrypted", fat, "%s does not begin as a file of age does. Encrypt it first: age -r RECIPIENT -o %s.age %s. A readable secret never enters the tree.", age, age, age)
				continue
			}
			src := path.Join("secrets", scope, name+".age")
			l.addFile(&tree.File{Path: src, Mode: 0o600, Content: b, Origin: syntax.Range(at)})
			if s := tree.Scope(scope); first[s].IsZero() {
				first[s] = syntax.Range(at)
			}
			list = append(list, tree.Secret{Name: name, Source: src, Scope: tree.Scope(scope)})
			x.key, x.value = "LoadCredential", name+":%t/"+RuntimeSecrets+"/"+name
			trigger = []extraLine{{key: "X-Restart-Triggers", value: "credential " + name + " " + short(b), at: at, ours: true}}
		}
		for _, u := range units {
			l.creds[scope+"/"+u] = append(l.creds[scope+"/"+u], x)
			if len(trigger) > 0 {
				l.creds[scope+"/"+u] = append(l.creds[scope+"/"+u], trigger...)
			}
		}
	}
	if len(list) == 0 {
		return
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Source < list[j].Source })
	b, err := json.MarshalIndent(tree.Secrets{Secrets: list}, "", "  ")
	if err != nil {
		return
	}
	l.decrypter(first)
	l.addFile(&tree.File{Path: SecretsFile, Mode: 0o644, Content: append(b, '\n')})
}

func (l *lowering) units(thing string, g *eval.Group) ([]string, bool) {
	v, at, set, ok := l.e.Attr(thing, "unit", unitsType, g.Contribs)
	if !ok || !set {
		return nil, ok
	}
	v, _ = v.UnmarkDeep()
	var out []string
	if v.Type() == cty.String {
		out = []string{v.AsString()}
	} else {
		for it := v.ElementIterator(); it.Next(); {
			_, x := it.Element()
			out = append(out, x.AsString())
		}
	}
	for _, u := range out {
		switch unitname.Type(u) {
		case "service", "socket", "mount", "swap":
			if unitname.Valid(u) {
				continue
			}
		}
		l.err("E0602", "Invalid unit name", at, "%s.unit must be the full name of a service, socket, mount or swap unit, not %q. Write a reference such as service.app.", thing, u)
		return nil, false
	}
	return out, true
}

// credentialDropIns hands credentials to units that no block of the tree
// declares.
func (l *lowering) credentialDropIns() []*draft {
	var keys []string
	for k := range l.creds {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	var out []*draft
	for _, k := range keys {
		scope, unit, _ := strings.Cut(k, "/")
		xs := l.creds[k]
		kind := unitname.Type(unit)
		d := &draft{name: unit, kind: kind, dropIn: "unitgen-credentials", scope: tree.Scope(scope), at: tree.Etc, origin: syntax.Range(xs[0].at)}
		d.path = path.Join(tree.UnitDir(tree.Etc, d.scope), unit+".d", d.dropIn+".conf")
		for _, x := range xs {
			d.lines = append(d.lines, l.extra(kind, x))
		}
		out = append(out, d)
	}
	return out
}

// extra makes the line of a credential.
func (l *lowering) extra(kind string, x extraLine) line {
	f := l.e.Fact(kind, x.key)
	if x.ours {
		f = l.e.SectionFact(kind, "Unit", x.key)
	}
	return line{fact: f, value: x.value, at: x.at, name: x.at, ours: x.ours}
}

// decrypter adds the unit that decrypts the credentials after a boot, before
// anything that may load them. A switch, and the bundled manager, have done it
// before any unit starts: there its condition leaves it alone.
func (l *lowering) decrypter(scopes map[tree.Scope]diag.Range) {
	for _, scope := range []tree.Scope{tree.System, tree.User} {
		origin, ok := scopes[scope]
		if !ok {
			continue
		}
		command := "unitgen credentials --runtime-dir %t"
		if scope == tree.User {
			command += " --user"
		}
		f := &unitfile.File{}
		for _, a := range [][3]string{
			{"Unit", "Description", "Decrypt the credentials of the current generation"},
			{"Unit", "DefaultDependencies", "no"},
			{"Unit", "Conflicts", "shutdown.target"},
			{"Unit", "Before", "basic.target shutdown.target"},
			{"Unit", "ConditionPathExists", "!%t/" + RuntimeSecrets},
			{"Service", "Type", "oneshot"},
			{"Service", "RemainAfterExit", "yes"},
			{"Service", "ExecStart", command},
			{"Install", "WantedBy", "basic.target"},
		} {
			if err := f.Add(a[0], a[1], a[2], origin); err != nil {
				return
			}
		}
		l.t.Units = append(l.t.Units, &tree.Unit{Name: "unitgen-credentials.service", Scope: scope, Place: tree.Etc, File: f, Origin: origin})
	}
}
