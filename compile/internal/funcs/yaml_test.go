package funcs

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestYAMLAliases(t *testing.T) {
	t.Parallel()
	ctx := Context(NewFiles(t.TempDir(), nil))
	if v, err := eval(t, ctx, `tostring(yamldecode("a: &a [1, 2]\nb: *a\nc: { d: *a }\n").c.d[1])`); err != nil || v.AsString() != "2" {
		t.Errorf("%s %v", v.GoString(), err)
	}
	var bomb strings.Builder
	bomb.WriteString(`a: &l0 [x]\n`)
	for i := 1; i < 30; i++ {
		a := fmt.Sprintf("*l%d", i-1)
		fmt.Fprintf(&bomb, `l%d: &l%d [%s]\n`, i, i, strings.Join([]string{a, a, a, a, a, a, a, a, a}, ","))
	}
	began := time.Now()
	for text, want := range map[string]string{
		bomb.String():       "aliases",
		`a: &a [*a]\n`:      "",
		`a: &a { b: *a }\n`: "",
	} {
		if _, err := eval(t, ctx, `yamldecode("`+text+`")`); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30s: %v", text, err)
		}
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("took %s", took)
	}
}

func TestNumbersAreBounded(t *testing.T) {
	t.Parallel()
	ctx := Context(NewFiles(t.TempDir(), nil))
	for _, x := range []string{`1 / 0`, `-1 / 0`, `pow(0, -1)`, `log(0, 2)`, `tonumber("1e99999999")`, `jsondecode("[1e99999999]")`, `yamldecode("1e99999999")`,
		`"1e99999999" * 1`, `-"1e99999999"`, `abs("1e-99999999")`, `1e308 * "1e9000"`} {
		if v, err := eval(t, ctx, x); err == nil {
			t.Errorf("%s is %.40s", x, v.GoString())
		}
	}
	for x, want := range map[string]string{`1e308 * 10`: "1" + strings.Repeat("0", 309), `7 % 4`: "3", `max([1, 2]...)`: "2"} {
		if v, err := eval(t, ctx, "tostring("+x+")"); err != nil || v.AsString() != want {
			t.Errorf("%s is %.60s, %v", x, v.GoString(), err)
		}
	}
}
