package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/compile"
	"github.com/unitgen/unitgen/emit"
	"github.com/unitgen/unitgen/runtime/ctl"
	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/tree"
)

// completer gives what may stand next on a command line, each with an
// explanation after a tab where there is one.
type completer func(a *app, cmd *cobra.Command, args []string, word string) []string

// Where files are meant, the shell offers them itself.
const (
	completeDirs  = cobra.ShellCompDirectiveFilterDirs
	completeFiles = cobra.ShellCompDirectiveDefault
	completeNone  = cobra.ShellCompDirectiveNoFileComp
)

// argumentWords are the arguments of commands by their path. Where none is
// given, the second entry says which files are offered.
var argumentWords = map[string]struct {
	words completer
	files cobra.ShellCompDirective
}{
	"unitgen check": {nil, completeDirs}, "unitgen build": {nil, completeDirs}, "unitgen plan": {nil, completeDirs}, "unitgen switch": {nil, completeDirs},
	"unitgen run": {nil, completeDirs}, "unitgen graph": {nil, completeDirs}, "unitgen get": {nil, completeDirs}, "unitgen new": {nil, completeDirs},
	"unitgen import": {nil, completeFiles}, "unitgen fmt": {nil, completeFiles}, "unitgen test": {nil, completeFiles},
	"unitgen explain": {explainWords, completeDirs},
	"unitgen options": {moduleWords, completeNone},
	"unitgen help":    {helpWords, completeNone},
	"unitgen ctl":     {ctlWords, completeNone},
	"unitgen logs": {func(a *app, c *cobra.Command, _ []string, _ string) []string {
		return a.unitWords(c, flagText(c, "state"))
	}, completeNone},
	"unitgen rollback":                 {generationWords, completeNone},
	"unitgen generations diff":         {generationWords, completeNone},
	"unitgen generations pin":          {generationWords, completeNone},
	"unitgen generations unpin":        {generationWords, completeNone},
	"unitgen generations delete":       {generationWords, completeNone},
	"unitgen analyze transaction":      {transactionWords, completeNone},
	"unitgen analyze dump":             {rootUnitWords, completeNone},
	"unitgen analyze security":         {rootUnitWords, completeFiles},
	"unitgen analyze verify":           {rootUnitWords, completeFiles},
	"unitgen analyze dot":              {rootUnitWords, completeNone},
	"unitgen status":                   {nil, completeNone},
	"unitgen gc":                       {nil, completeNone},
	"unitgen recover":                  {nil, completeNone},
	"unitgen lsp":                      {nil, completeNone},
	"unitgen credentials":              {nil, completeNone},
	"unitgen escape":                   {nil, completeNone},
	"unitgen generations":              {nil, completeNone},
	"unitgen generations list":         {nil, completeNone},
	"unitgen analyze blame":            {nil, completeNone},
	"unitgen analyze plot":             {nil, completeNone},
	"unitgen analyze unit-paths":       {nil, completeNone},
	"unitgen analyze calendar":         {nil, completeNone},
	"unitgen analyze timespan":         {nil, completeNone},
	"unitgen analyze timestamp":        {nil, completeNone},
	"unitgen analyze condition":        {nil, completeNone},
	"unitgen analyze compare-versions": {nil, completeNone},
}

// flagWords are the values of flags, by name, and by the command where one name
// means several things.
var flagWords = map[string]completer{
	"host": hostWords, "variant": variantWords,
	"unitgen build --format": fixedWords(slices.Sorted(maps.Keys(emit.Formats))...),
	"unitgen graph --format": fixedWords(slices.Sorted(maps.Keys(graphFormats))...),
	"units":                  fixedWords("directory", "generator", "links"),
	"unitgen switch --etc":   fixedWords("links", "overlay"),
	"unitgen rollback --etc": fixedWords("links", "overlay"),
	"unitgen run --etc":      fixedWords("auto", "private", "links", "none"),
	"on-failure":             fixedWords("rollback", "keep"),
	"unitgen import --host":  fixedWords("imported"),
}

// flagDirs are the flags whose values are directories.
var flagDirs = []string{"state", "sysroot", "root", "dir", "runtime-dir", "html", "from", "to"}

func fixedWords(list ...string) completer {
	return func(*app, *cobra.Command, []string, string) []string { return list }
}

// addCompletions gives every command below root its completions. Each is asked
// when the shell asks, and answers with nothing rather than with an error.
func addCompletions(a *app, cmd *cobra.Command) {
	if w, ok := argumentWords[cmd.CommandPath()]; ok {
		cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
			if w.words == nil {
				return nil, w.files
			}
			found := starting(w.words(a, cmd, args, word), word)
			if len(found) == 0 {
				return nil, w.files
			}
			return found, completeNone
		}
	}
	for name, w := range flagWords {
		if path, flag, ok := strings.Cut(name, " --"); ok && path == cmd.CommandPath() {
			registerFlag(a, cmd, flag, w)
		}
	}
	for name, w := range flagWords {
		if !strings.Contains(name, " ") {
			registerFlag(a, cmd, name, w)
		}
	}
	for _, name := range flagDirs {
		if cmd.Flags().Lookup(name) != nil {
			_ = cmd.MarkFlagDirname(name)
		}
	}
	for _, c := range cmd.Commands() {
		addCompletions(a, c)
	}
}

// registerFlag completes a flag where the command has it and nothing completes
// it yet.
func registerFlag(a *app, cmd *cobra.Command, flag string, w completer) {
	if cmd.Flags().Lookup(flag) == nil {
		return
	}
	_ = cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		return starting(w(a, cmd, args, word), word), completeNone
	})
}

func starting(list []string, word string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return !strings.HasPrefix(s, word) })
}

func flagText(cmd *cobra.Command, name string) string {
	if f := cmd.Flags().Lookup(name); f != nil {
		return f.Value.String()
	}
	return ""
}

// compileOptions are those of the command line so far.
func compileOptions(cmd *cobra.Command, args []string) compile.Options {
	o := compile.Options{Dir: ".", Host: flagText(cmd, "host"), Variant: flagText(cmd, "variant"), Cache: cacheDir(), NoVerify: true}
	if d := flagText(cmd, "dir"); d != "" {
		o.Dir = d
	} else if len(args) > 0 {
		o.Dir = args[len(args)-1]
	}
	return o
}

func hostWords(_ *app, cmd *cobra.Command, args []string, _ string) []string {
	o := compileOptions(cmd, args)
	o.Host, o.Variant = "", ""
	hosts, _ := compile.Hosts(cmd.Context(), o)
	return hosts
}

func variantWords(_ *app, cmd *cobra.Command, args []string, _ string) []string {
	o := compileOptions(cmd, args)
	o.Variant = ""
	_, variants := compile.Hosts(cmd.Context(), o)
	return variants
}

func moduleWords(_ *app, cmd *cobra.Command, args []string, word string) []string {
	if len(args) > 0 {
		return nil
	}
	bundled := compile.BundledModules()
	mods, diags := compile.Reference(cmd.Context(), compileOptions(cmd, nil), bundled)
	if diags.HasErrors() {
		mods, _ = compile.BundledReference(cmd.Context(), bundled...)
	}
	var out []string
	for _, m := range mods {
		if m.Name == "" {
			continue
		}
		out = append(out, m.Name+"\t"+m.Description)
		if strings.HasPrefix(word, m.Name+".") {
			for _, o := range m.Options {
				out = append(out, m.Name+"."+o.Name+"\t"+o.Description)
			}
		}
	}
	return out
}

func explainWords(_ *app, cmd *cobra.Command, args []string, _ string) []string {
	if len(args) > 0 {
		return nil
	}
	r, _ := compile.Compile(cmd.Context(), compileOptions(cmd, nil))
	return r.Explainable()
}

func helpWords(_ *app, cmd *cobra.Command, args []string, word string) []string {
	at, rest, err := cmd.Root().Find(args)
	if err != nil || len(rest) > 0 {
		return nil
	}
	var out []string
	for _, c := range at.Commands() {
		if c.IsAvailableCommand() {
			out = append(out, c.Name()+"\t"+c.Short)
		}
	}
	if len(args) > 0 {
		return out
	}
	out = append(out, "codes\tthe codes of all diagnostics")
	for _, p := range diag.Pages() {
		if word != "" {
			out = append(out, p.Code+"\t"+p.Summary)
		}
	}
	return out
}

func generationWords(_ *app, cmd *cobra.Command, args []string, _ string) []string {
	s, err := openState(flagText(cmd, "state"))
	if err != nil {
		return nil
	}
	list, err := s.List()
	if err != nil {
		return nil
	}
	var out []string
	for _, g := range list {
		n := fmt.Sprint(g.Number)
		if slices.Contains(args, n) {
			continue
		}
		about := g.Time.Local().Format("2006-01-02 15:04 MST")
		if g.Current {
			about += ", current"
		}
		out = append(out, n+"\t"+about)
	}
	return out
}

// ctlWords completes systemctl's command line: its verbs, then units.
func ctlWords(a *app, cmd *cobra.Command, args []string, word string) []string {
	if strings.HasPrefix(word, "-") {
		return []string{"--root=", "--state", "--runtime-dir", "--user", "--system", "--global", "--json", "--now", "--all", "--type=", "--state=", "--property=", "--value", "--no-block", "--force", "--quiet", "--runtime", "--no-legend", "--plain", "--full", "--output=", "--help"}
	}
	place, rest := ctlPlace(args)
	root := ""
	var plain []string
	for _, r := range rest {
		if v, ok := strings.CutPrefix(r, "--root="); ok {
			root = v
		}
		if !strings.HasPrefix(r, "-") {
			plain = append(plain, r)
		}
	}
	if len(plain) == 0 {
		verbs := ctl.Verbs()
		for v := range offlineTable {
			verbs = append(verbs, v)
		}
		sort.Strings(verbs)
		return slices.Compact(verbs)
	}
	if root != "" {
		return treeUnits(root)
	}
	ctx, stop := context.WithTimeout(cmd.Context(), 2*time.Second)
	defer stop()
	c, _, err := place.dial(ctx)
	if err != nil {
		return a.unitWords(cmd, place.state)
	}
	defer c.Close()
	list, err := c.ListUnits(ctx)
	if err != nil {
		return nil
	}
	var out []string
	for _, u := range list {
		out = append(out, u.Name+"\t"+u.Description)
	}
	sort.Strings(out)
	return out
}

// unitWords gives the units of the current generation.
func (a *app) unitWords(_ *cobra.Command, state string) []string {
	s, err := openState(state)
	if err != nil {
		return nil
	}
	g, ok, err := s.Current()
	if err != nil || !ok {
		return nil
	}
	return treeUnits(g.Tree)
}

// treeUnits gives the names of the units whose files a tree has.
func treeUnits(dir string) []string {
	var out []string
	for _, scope := range []tree.Scope{tree.System, tree.User} {
		out = append(out, load.New(load.Options{Root: dir, Scope: scope}).Names()...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func rootUnitWords(_ *app, cmd *cobra.Command, _ []string, _ string) []string {
	root := flagText(cmd, "root")
	if root == "" {
		root = "/"
	}
	return treeUnits(root)
}

func transactionWords(a *app, cmd *cobra.Command, args []string, word string) []string {
	if len(args) == 0 {
		return []string{"start", "stop", "restart"}
	}
	return rootUnitWords(a, cmd, args, word)
}
