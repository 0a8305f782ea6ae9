package compile

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// TestSecretsStay sends a secret to every place that is readable: each is
// refused, and neither a message nor a snippet shows it.
func TestSecretsStay(t *testing.T) {
	const secret = "hunter2hunter2"
	const head = "host \"h\" {}\nmodule \"m\" {}\noption \"pw\" { type = secret }\nconfig \"m\" { pw = \"" + secret + "\" }\n"
	service := func(s string) string {
		return "service \"a\" {\n  ExecStart = \"/bin/true\"\n  " + s + "\n}\n"
	}
	text := func(x string) string { return "etc \"a\" { text = " + x + " }\n" }
	for name, c := range map[string]struct{ text, code string }{
		"key of a file":         {"etc \"a\" { json = { (option.pw) = 1 } }\n", "E0901"},
		"section of a file":     {"etc \"a\" { ini = { (option.pw) = { b = 1 } } }\n", "E0901"},
		"key of an option":      {"option \"x\" { type = map(string) }\nconfig \"m\" { x = { (option.pw) = \"x\" } }\netc \"a\" { json = option.x }\n", "E0901"},
		"name of a variable":    {service("Environment = { (option.pw) = \"x\" }"), "E0901"},
		"alias":                 {service("aliases = [\"${option.pw}.service\"]"), "E0901"},
		"wanted by":             {service("wanted_by = [\"${option.pw}.target\"]"), "E0901"},
		"policy":                {service("restart_if_changed = option.pw == \"x\""), "E0901"},
		"owner":                 {"etc \"a\" {\n  text = \"x\"\n  owner = option.pw\n}\n", "E0901"},
		"mode":                  {"etc \"a\" {\n  text = \"x\"\n  mode = option.pw\n}\n", "E0403"},
		"groups":                {"user \"a\" { groups = [option.pw] }\n", "E0901"},
		"drop-in":               {"dropin \"ssh.service\" {\n  name = option.pw\n  LimitNOFILE = 5\n}\n", "E0901"},
		"program":               {"generate \"g\" { program = option.pw }\n", "E0901"},
		"data":                  {"generate \"g\" {\n  program = \"p\"\n  data = [option.pw]\n}\n", "E0901"},
		"condition of a block":  {"etc \"a\" {\n  when = option.pw == \"x\"\n  text = \"t\"\n}\n", "E0901"},
		"success of a value":    {text("can(regex(\"^x\", option.pw)) ? \"a\" : \"b\""), "E0901"},
		"fallback of a value":   {text("try(regex(\"^x\", option.pw), \"b\")"), "E0901"},
		"condition of a value":  {text("when(option.pw == \"x\", \"t\")"), "E0901"},
		"message of a function": {text("parseint(option.pw, 10)"), "E0304"},
		"name of a file":        {text("file(option.pw)"), "E0304"},
		"pattern":               {text("regex(\"(${option.pw}\", \"x\")"), "E0304"},
		"own secret":            {text("seconds(sensitive(\"" + secret + "\"))"), "E0304"},
		"own secret in a file":  {text("sensitive(\"" + secret + "\")"), ""},
		"enum":                  {"option \"x\" {\n  type = enum(\"a\")\n  default = option.pw\n}\n" + text("option.x"), "E0403"},
		"match":                 {"option \"x\" { type = match(\"[0-9]+\") }\nconfig \"m\" { x = option.pw }\n" + text("option.x"), "E0403"},
		"match of a secret":     {"option \"x\" { type = nonempty(secret) }\nconfig \"m\" { x = [\"" + secret + "\"] }\n" + text("option.x"), "E0403"},
		"repetition":            {"option \"x\" { type = unique(list(secret)) }\nconfig \"m\" { x = [\"" + secret + "\", \"" + secret + "\"] }\n" + text("option.x[0]"), "E0403"},
		"default of a field":    {"option \"x\" { type = map(submodule({ p = optional(secret, \"" + secret + "\") })) }\nconfig \"m\" { x = { a = {} } }\netc \"a\" { json = option.x }\n", "E0901"},
		"unknown option":        {"config \"m\" { pww = \"" + secret + "\" }\n", "E0303"},
		"removed option":        {"option \"x\" {\n  type = secret\n  removed = \"gone\"\n}\nconfig \"m\" { x = \"" + secret + "\" }\n", "E0404"},
		"syntax error":          {"config \"m\" { pw = \"" + secret + "\" zz }\n", "E0101"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			put(t, dir, "host.ug.hcl", head+c.text)
			r, d := Compile(context.Background(), Options{Dir: dir})
			out, err := render(r, d)
			if err != nil {
				t.Fatal(err)
			}
			if c.code != "" && !has(d, c.code) {
				t.Errorf("no %s, but\n%s", c.code, out)
			}
			if !d.HasErrors() {
				t.Error("no error")
			}
			if strings.Contains(out, "hunter2") {
				t.Errorf("the secret is shown:\n%s", out)
			}
		})
	}
}

// The reference of options shows defaults and examples, and no secret in them.
func TestReferenceKeepsSecrets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "host.ug.hcl", `module "m" {}
option "s" {
  type    = secret
  default = "hidden1"
  example = "hidden2"
}
option "made" { default = sensitive("hidden3") }
option "map" {
  type    = map(secret)
  default = { a = "hidden4", b = <<-EOT
    hidden5
  EOT
  }
}
option "open" { default = "shown" }
`)
	mods, diags := Reference(context.Background(), Options{Dir: dir}, nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	text := fmt.Sprintf("%+v", mods)
	if strings.Contains(text, "hidden") || !strings.Contains(text, "shown") || !strings.Contains(text, `sensitive("(secret)")`) {
		t.Error(text)
	}
}
