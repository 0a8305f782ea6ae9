package compile

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// growth are hosts that have much of one thing.
var growth = []struct {
	name string
	n    int // of the smallest of three, which double
	make func(b testing.TB, dir string, n int)
}{
	{"options that read one another", 5000, chain},
	{"definitions of one list", 5000, listDefs},
	{"submodule entries of 20", 500, submodules},
	{"options of one module", 5000, growOptions},
	{"keys of one config block", 5000, growKeys},
	{"definitions of one map", 5000, growMapDefs},
	{"instances of a for_each", 5000, growForEach},
	{"for_each over what a for makes", 5000, growForMap},
	{"files", 5000, growFiles},
	{"drop-ins", 5000, growDropIns},
	{"drop-ins of one unit", 1000, growDropInsOfOne},
	{"blocks of one unit", 2000, growBlocks},
	{"instances of a template", 2500, growTemplates},
	{"timers, paths and mounts", 2000, growMounts},
	{"services with attributes of ours", 2500, growOwn},
	{"services with conditions", 2500, growWhen},
	{"services that need each other", 2500, growRequires},
	{"users, groups and tmpfiles", 2500, growAccounts},
	{"modules", 500, growModules},
	{"levels of imports", 50, growImports},
	{"elements of a literal list", 20000, growLiteral},
	{"environment variables of a service", 5000, growEnvironment},
	{"bytes × 1,000 of one file", 2000, growOneFile},
	{"mistakes", 2500, growMistakes},
	{"warnings of unknown units", 2500, growUnknown},
	{"locals that read one another", 5000, growLocals},
	{"references to options", 5000, growReads},
	{"assertions", 5000, growAsserts},
	{"instances of 20 for_each blocks", 200, growManyForEach},
	{"lines of one text", 20000, growText},
}

// BenchmarkGrowth prints what twice and four times as much costs.
//
//	go test -run '^$' -bench Growth -benchtime 1x ./compile
func BenchmarkGrowth(b *testing.B) {
	bin := build(b)
	for b.Loop() {
		fmt.Printf("\n%-46s %8s %8s %8s %7s\n", "case", "1×", "2×", "4×", "MiB")
		for _, g := range growth {
			var took [3]float64
			var rss int64
			for i := range took {
				dir := b.TempDir()
				g.make(b, dir, g.n<<i)
				d, r := bestRun(2, func() (time.Duration, int64) { return checked(b, bin, dir, b.TempDir(), true) })
				took[i], rss = d.Seconds()*1000, r
			}
			verdict := "held"
			if took[2]-took[0] > 3.6*(took[1]-took[0])+30 && took[2] > 200 {
				verdict = "MISSED"
			}
			fmt.Printf("%-46s %6.0fms %6.0fms %6.0fms %7d %8s\n", fmt.Sprintf("%d %s", g.n, g.name), took[0], took[1], took[2], rss>>20, verdict)
		}
	}
}

func grow(b testing.TB, dir string, head string, n int, each func(i int) string) {
	var s strings.Builder
	s.WriteString(head)
	for i := range n {
		s.WriteString(each(i))
	}
	write(b, filepath.Join(dir, "host.ug.hcl"), s.String())
}

func growOptions(b testing.TB, dir string, n int) {
	grow(b, dir, "module \"m\" {}\nservice \"x\" {\n  ExecStart = \"/bin/x\"\n}\n", n, func(i int) string {
		return fmt.Sprintf("option \"o%d\" {\n  type = string\n  default = \"v%d\"\n  description = \"Option %d.\"\n}\nconfig \"m\" {\n  o%d = force(\"w\")\n}\n", i, i, i, i)
	})
}

func growKeys(b testing.TB, dir string, n int) {
	grow(b, dir, "module \"m\" {}\noption \"all\" { type = map(string) }\nservice \"x\" {\n  ExecStart = \"/bin/x ${length(option.all)}\"\n}\nconfig \"m\" {\n  all = {\n", n, func(i int) string {
		s := fmt.Sprintf("    k%d = \"v%d\"\n", i, i)
		if i == n-1 {
			s += "  }\n}\n"
		}
		return s
	})
}

func growMapDefs(b testing.TB, dir string, n int) {
	grow(b, dir, "module \"m\" {}\noption \"all\" { type = map(object({ a = number, b = optional(string, \"x\") })) }\nservice \"x\" {\n  ExecStart = \"/bin/x ${option.all.k1.a}\"\n}\n", n, func(i int) string {
		return fmt.Sprintf("config \"m\" {\n  all = { k%d = { a = %d } }\n}\n", i, i)
	})
}

func growForEach(b testing.TB, dir string, n int) {
	grow(b, dir, "service \"w\" {\n  for_each = toset(local.names)\n  name = \"w-${each.key}\"\n  Description = \"Worker ${each.key}\"\n  ExecStart = \"/bin/w ${each.value}\"\n  Restart = \"always\"\n}\n"+growNames(n), 0, nil)
}

func growForMap(b testing.TB, dir string, n int) {
	grow(b, dir, fmt.Sprintf("locals {\n  all = { for n in local.names : \"k${n}\" => { port = 1000 + n %% 1000, next = \"k${n}\" } }\n}\nservice \"w\" {\n  for_each = local.all\n  name = \"w-${each.key}\"\n  ExecStart = \"/bin/w ${each.value.port} ${each.value.next} ${local.all.k1.port}\"\n}\n")+growNames(n), 0, nil)
}

// growNames declares a local list of n names.
func growNames(n int) string {
	var s strings.Builder
	s.WriteString("locals {\n  names = [")
	for i := range n {
		fmt.Fprintf(&s, "\"%d\", ", i)
	}
	return s.String() + "]\n}\n"
}

func growFiles(b testing.TB, dir string, n int) {
	grow(b, dir, "service \"x\" {\n  ExecStart = \"/bin/x\"\n  restart_triggers = [etc[\"app/1.conf\"]]\n}\n", n, func(i int) string {
		return fmt.Sprintf("etc \"app/%d.conf\" {\n  text = \"number = %d\\n\"\n}\netc \"app/d%d/a.yaml\" {\n  yaml = { a = %d, b = [1, 2], path = etc[\"app/%d.conf\"] }\n}\n", i, i, i/100*100+i, i, i)
	})
}

func growDropIns(b testing.TB, dir string, n int) {
	grow(b, dir, "", n, func(i int) string {
		return fmt.Sprintf("service \"s%d\" {\n  ExecStart = \"/bin/s\"\n}\ndropin \"s%d.service\" {\n  LimitNOFILE = %d\n  Environment = { A = \"%d\" }\n}\n", i, i, 1000+i, i)
	})
}

func growDropInsOfOne(b testing.TB, dir string, n int) {
	grow(b, dir, "service \"s\" {\n  ExecStart = \"/bin/s\"\n}\n", n, func(i int) string {
		return fmt.Sprintf("dropin \"s.service\" {\n  name = \"d%d\"\n  Environment = { A%d = \"%d\" }\n}\n", i, i, i)
	})
}

func growBlocks(b testing.TB, dir string, n int) {
	grow(b, dir, "service \"s\" {\n  ExecStart = \"/bin/s\"\n}\n", n, func(i int) string {
		return fmt.Sprintf("service \"s\" {\n  Environment = { A%d = \"%d\" }\n  After = [\"network.target\", service.o%d]\n}\nservice \"o%d\" {\n  ExecStart = \"/bin/o\"\n}\n", i, i, i, i)
	})
}

func growTemplates(b testing.TB, dir string, n int) {
	grow(b, dir, "service \"t@\" {\n  ExecStart = \"/bin/t %i\"\n  WantedBy = [\"multi-user.target\"]\n}\n", n, func(i int) string {
		return fmt.Sprintf("instance \"t@i%d.service\" {\n  enable = true\n}\nservice \"u%d\" {\n  ExecStart = \"/bin/u\"\n  After = [service[\"t@i%d\"]]\n}\n", i, i, i)
	})
}

func growMounts(b testing.TB, dir string, n int) {
	grow(b, dir, "", n, func(i int) string {
		return fmt.Sprintf("mount \"srv-m%d\" {\n  What = \"/dev/disk/by-label/m%d\"\n  Where = \"/srv/m%d\"\n}\npath \"p%d\" {\n  PathExists = \"/srv/m%d/p\"\n}\nservice \"p%d\" {\n  ExecStart = \"/bin/p\"\n  WorkingDirectory = \"/srv/m%d/w\"\n  RequiresMountsFor = \"/srv/m%d/data\"\n}\ntimer \"p%d\" {\n  OnCalendar = \"daily\"\n}\n", i, i, i, i, i, i, i, i, i)
	})
}

func growOwn(b testing.TB, dir string, n int) {
	grow(b, dir, "option \"on\" {\n  type = bool\n  default = true\n}\n", n, func(i int) string {
		return fmt.Sprintf("service \"s%d\" {\n  enable = option.on\n  restart_if_changed = false\n  restart_triggers = [\"a%d\"]\n  ExecStart = \"/bin/s %d\"\n  wanted_by = [\"multi-user.target\"]\n  aliases = [\"a%d.service\"]\n}\n", i, i, i, i)
	})
}

func growWhen(b testing.TB, dir string, n int) {
	grow(b, dir, "option \"level\" {\n  type = number\n  default = 3\n}\n", n, func(i int) string {
		return fmt.Sprintf("service \"s%d\" {\n  when = option.level > %d\n  ExecStart = \"/bin/s %d\"\n  After = when(option.level > 2, [\"network.target\"])\n}\n", i, i%5, i)
	})
}

func growRequires(b testing.TB, dir string, n int) {
	grow(b, dir, "", n, func(i int) string {
		refs := fmt.Sprintf("service.s%d, service.s%d, service.s%d", i+1, (i+n)/2+1, n)
		return fmt.Sprintf("service \"s%d\" {\n  ExecStart = \"/bin/s\"\n  Requires = [%s]\n  After = [%s]\n}\n", i, refs, refs) + map[bool]string{true: fmt.Sprintf("service \"s%d\" {\n  ExecStart = \"/bin/s\"\n}\n", n)}[i == n-1]
	})
}

func growAccounts(b testing.TB, dir string, n int) {
	grow(b, dir, "", n, func(i int) string {
		return fmt.Sprintf("user \"u%d\" {\n  uid = %d\n  group = \"g%d\"\n}\ngroup \"g%d\" {\n  gid = %d\n}\ntmpfile \"/var/lib/t%d\" {\n  type = \"d\"\n  owner = \"u%d\"\n}\nsysctl \"net.x%d\" {\n  value = %d\n}\n", i, 2000+i, i, i, 2000+i, i, i, i, i)
	})
}

func growModules(b testing.TB, dir string, n int) {
	var imports []string
	for i := range n {
		imports = append(imports, fmt.Sprintf("\"./m%d\"", i))
		write(b, filepath.Join(mkdir(b, dir, fmt.Sprintf("m%d", i)), "m.ug.hcl"), fmt.Sprintf("module \"m%d\" {\n  when = option.enable\n}\noption \"enable\" {\n  type = bool\n  default = true\n}\noption \"port\" {\n  type = port\n  default = %d\n}\nservice \"m%d\" {\n  ExecStart = \"/bin/m ${option.port} ${config.m0.port}\"\n}\n", i, 1000+i, i))
	}
	write(b, filepath.Join(dir, "host.ug.hcl"), "host \"h\" {\n  imports = ["+strings.Join(imports, ", ")+"]\n}\n")
}

func growImports(b testing.TB, dir string, n int) {
	at := dir
	for i := range n {
		head := fmt.Sprintf("module \"m%d\" {\n  imports = [\"./m\"]\n}\n", i)
		if i == 0 {
			head = "host \"h\" {\n  imports = [\"./m\"]\n}\n"
		}
		if i == n-1 {
			head = fmt.Sprintf("module \"m%d\" {}\n", i)
		}
		write(b, filepath.Join(at, "m.ug.hcl"), head+fmt.Sprintf("service \"s%d\" {\n  ExecStart = \"/bin/s\"\n}\n", i))
		at = mkdir(b, at, "m")
	}
}

func growLiteral(b testing.TB, dir string, n int) {
	grow(b, dir, "locals {\n  all = [\n", n, func(i int) string {
		s := fmt.Sprintf("    \"e%d\",\n", i)
		if i == n-1 {
			s += "  ]\n}\nservice \"x\" {\n  ExecStart = \"/bin/x ${length(toset(local.all))} ${length(distinct(local.all))} ${length(join(\",\", sort(local.all)))}\"\n}\n"
		}
		return s
	})
}

func growEnvironment(b testing.TB, dir string, n int) {
	grow(b, dir, "service \"x\" {\n  ExecStart = \"/bin/x\"\n  Environment = {\n", n, func(i int) string {
		s := fmt.Sprintf("    V%d = \"%d\"\n", i, i)
		if i == n-1 {
			s += "  }\n}\n"
		}
		return s
	})
}

func growOneFile(b testing.TB, dir string, n int) {
	grow(b, dir, "", n*4, func(i int) string {
		return fmt.Sprintf("# %s\nservice \"s%d\" {\n  ExecStart = \"/bin/s %d\"\n}\n", strings.Repeat("x", 150), i, i)
	})
}

func growMistakes(b testing.TB, dir string, n int) {
	grow(b, dir, "", n, func(i int) string {
		return fmt.Sprintf("service \"s%d\" {\n  ExecStart = \"/bin/s ${option.nowhere}\"\n  RestartSec = \"five\"\n  Exec = 1\n}\n", i)
	})
}

func growUnknown(b testing.TB, dir string, n int) {
	grow(b, dir, "", n, func(i int) string {
		return fmt.Sprintf("service \"s%d\" {\n  ExecStart = \"/bin/s\"\n  Wants = [\"elsewhere%d.service\"]\n}\n", i, i)
	})
}

func growLocals(b testing.TB, dir string, n int) {
	grow(b, dir, "service \"x\" {\n  ExecStart = \"/bin/x\"\n}\n", n, func(i int) string {
		return fmt.Sprintf("locals {\n  l%d = %s\n}\n", i, map[bool]string{true: "1", false: fmt.Sprintf("local.l%d + 1", i-1)}[i == 0])
	})
}

func growReads(b testing.TB, dir string, n int) {
	grow(b, dir, "option \"m\" {\n  type = map(map(string))\n  default = { for i in range(1000) : \"k${i}\" => { a = \"b\" } }\n}\n", n, func(i int) string {
		return fmt.Sprintf("service \"s%d\" {\n  ExecStart = \"/bin/s ${option.m.k%d.a}\"\n  User = option.m[\"k%d\"].a\n}\n", i, i%1000, (i+7)%1000)
	})
}

func growAsserts(b testing.TB, dir string, n int) {
	grow(b, dir, "option \"o\" {\n  type = number\n  default = 1\n}\nservice \"x\" {\n  ExecStart = \"/bin/x\"\n}\n", n, func(i int) string {
		return fmt.Sprintf("assert {\n  condition = option.o < %d + 2\n  message = \"o is ${option.o}\"\n}\n", i)
	})
}

func growManyForEach(b testing.TB, dir string, n int) {
	grow(b, dir, growNames(n), 20, func(i int) string {
		after := ""
		if i > 0 {
			after = fmt.Sprintf("  After = [service.w%d[\"0\"]]\n", i-1)
		}
		return fmt.Sprintf("service \"w%d\" {\n  for_each = toset(local.names)\n  name = \"w%d-${each.key}\"\n  ExecStart = \"/bin/w\"\n%s}\n", i, i, after)
	})
}

func growText(b testing.TB, dir string, n int) {
	grow(b, dir, "option \"o\" {\n  type = number\n  default = 1\n}\netc \"a\" {\n  text = <<-EOT\n", n, func(i int) string {
		s := fmt.Sprintf("    line %d\n", i)
		if i%100 == 0 {
			s = fmt.Sprintf("    line %d is ${option.o}\n", i)
		}
		if i == n-1 {
			s += "  EOT\n}\n"
		}
		return s
	})
}
