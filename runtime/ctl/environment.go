package ctl

import (
	"fmt"
	"os"
	"strings"

	"github.com/unitgen/unitgen/schema/value"
)

func (r *run) showEnvironment() int {
	v, err := r.c.GetManagerProperty(r.ctx, "Environment")
	if err != nil {
		return r.tell("get environment", err)
	}
	env, _ := v.([]string)
	if r.output == "json" {
		m := map[string]string{}
		for _, e := range env {
			k, x, _ := strings.Cut(e, "=")
			m[k] = x
		}
		return r.printJSON(m)
	}
	for _, e := range env {
		k, x, _ := strings.Cut(e, "=")
		r.print("%s=%s\n", k, shellQuote(x))
	}
	return exitSuccess
}

// shellQuote quotes a value as show-environment does: $'…' where a shell would
// read it differently.
func shellQuote(s string) string {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		c := s[i]
		plain = c > ' ' && c < 0x7f && strings.IndexByte("\"\\`$*?['()<>|&;!{}~#", c) < 0 || c >= 0x80
	}
	if plain {
		return s
	}
	var b strings.Builder
	b.WriteString("$'")
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '\'', '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case '\n':
			b.WriteString("\\n")
		case '\t':
			b.WriteString("\\t")
		default:
			if c < ' ' || c == 0x7f {
				fmt.Fprintf(&b, "\\%03o", c)
			} else {
				b.WriteByte(c)
			}
		}
	}
	b.WriteByte('\'')
	return b.String()
}

func (r *run) setEnvironment() int {
	method := map[string]string{"set-environment": "SetEnvironment", "unset-environment": "UnsetEnvironment"}[r.verb]
	if err := r.c.Call(r.ctx, method, []any{r.args}); err != nil {
		return r.tell("set environment", err)
	}
	return exitSuccess
}

func (r *run) importEnvironment() int {
	var out []string
	if len(r.args) == 0 {
		r.say("Calling import-environment without a list of variable names is deprecated.")
		out = environment()
	}
	for _, k := range r.args {
		if !value.ValidEnvName(k) {
			r.say("Not a valid environment variable name: %s", k)
			return exitFailure
		}
		v, ok := os.LookupEnv(k)
		if !ok {
			r.say("Environment variable $%s not set, ignoring.", k)
			continue
		}
		out = append(out, k+"="+v)
	}
	if len(out) == 0 {
		return exitSuccess
	}
	if err := r.c.Call(r.ctx, "SetEnvironment", []any{out}); err != nil {
		return r.tell("import environment", err)
	}
	return exitSuccess
}
