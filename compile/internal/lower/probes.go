package lower

import (
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/unitgen/unitgen/compile/internal/eval"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/value"
)

type checkJSON struct {
	Name    string `json:"name"`
	HTTP    string `json:"http,omitempty"`
	TCP     string `json:"tcp,omitempty"`
	Exec    string `json:"exec,omitempty"`
	Timeout string `json:"timeout,omitempty"`
	Retries int    `json:"retries,omitempty"`
	Source  string `json:"source,omitempty"`
}

var (
	timeoutType = eval.Type("either(number, string)")
	retriesType = eval.Type("range(number, 0, 1000)")
)

// checks makes checks.json of the check blocks: the probes of the health gate.
func (l *lowering) checks() {
	var list []checkJSON
	for _, g := range l.e.Groups("check", nil) {
		if c, ok := l.probe(g); ok {
			list = append(list, c)
		}
	}
	if len(list) == 0 {
		return
	}
	b, err := json.MarshalIndent(map[string]any{"checks": list}, "", "  ")
	if err != nil {
		l.err("E0001", "Internal error", hcl.Range{}, "The checks cannot be written: %s. This is a bug in unitgen.", err)
		return
	}
	l.addFile(&tree.File{Path: "checks.json", Mode: 0o644, Content: append(b, '\n')})
}

func (l *lowering) probe(g *eval.Group) (checkJSON, bool) {
	thing := fmt.Sprintf("check[%q]", g.Name)
	at := g.Contribs[0].Header()
	c := checkJSON{Name: g.Name, Source: at.Filename}
	n := 0
	fine := true
	for _, k := range []struct {
		name  string
		to    *string
		fault func(string) string
	}{{"http", &c.HTTP, httpFault}, {"tcp", &c.TCP, tcpFault}, {"exec", &c.Exec, nil}} {
		v, ok := l.str(thing, k.name, stringType, g.Contribs, "")
		fine = fine && ok
		if v == "" {
			continue
		}
		*k.to = v
		n++
		if k.fault == nil {
			continue
		}
		if why := k.fault(v); why != "" {
			l.err("E0403", "Value has the wrong type", l.attrAt(thing, k.name, stringType, g.Contribs), "%s.%s %s, not %q.", thing, k.name, why, v)
			fine = false
		}
	}
	timeout, ok := l.str(thing, "timeout", timeoutType, g.Contribs, "")
	retries, ok2 := l.str(thing, "retries", retriesType, g.Contribs, "0")
	if timeout != "" {
		usec, err := value.ParseTimeSpan(timeout)
		if err != nil || usec == 0 {
			l.err("E0403", "Value has the wrong type", l.attrAt(thing, "timeout", timeoutType, g.Contribs), "%s.timeout must be a time span above zero, such as \"5s\", not %q.", thing, timeout)
			fine = false
		}
		c.Timeout = fmt.Sprintf("%dus", uint64(usec))
	}
	var err error
	if c.Retries, err = strconv.Atoi(retries); ok2 && err != nil {
		l.err("E0403", "Value has the wrong type", l.attrAt(thing, "retries", retriesType, g.Contribs), "%s.retries must be a whole number, not %s.", thing, retries)
		fine = false
	}
	if !fine || !ok || !ok2 {
		return c, false
	}
	if n != 1 {
		l.lacks(g, "E0208", "Attributes contradict each other", at, "A check has exactly one of http, tcp and exec; this one has %d.", n)
		return c, false
	}
	return c, true
}

// httpFault says what a URL to probe must be, "" when it is such.
func httpFault(s string) string {
	const want = `must be a URL such as "http://127.0.0.1:8080/health" or "unix:/run/app.sock:/health"`
	if rest, ok := strings.CutPrefix(s, "unix:"); ok {
		if socket, _, _ := strings.Cut(rest, ":"); !strings.HasPrefix(socket, "/") && !strings.HasPrefix(socket, "@") {
			return want
		}
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || !portFits(u.Port()) {
		return want
	}
	return ""
}

// tcpFault says what an address to connect to must be, "" when it is such.
func tcpFault(s string) string {
	if strings.HasPrefix(s, "/") || strings.HasPrefix(s, "@") {
		return ""
	}
	_, port, err := net.SplitHostPort(s)
	if err != nil || port == "" || !portFits(port) {
		return `must be HOST:PORT, such as "127.0.0.1:5432", or the absolute path of a socket`
	}
	return ""
}

func portFits(s string) bool {
	if s == "" {
		return true
	}
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}
