package compile

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// abilities says, for each row of the tables in docs/from-nixos-and-guix.md
// (named by the first code of its first cell that has one), where what the row
// claims is tested: names of testdata/*.txtar, or FILE:TEST of another test,
// relative to the top of the project.
var abilities = map[string]string{
	// Options and values
	"options.x = mkOption { type; default; example; description; }": "nixos-mkOption nixos-mkOption-errors",
	"config.services.nginx.enable = true;":                          "nixos-mkOption nixos-extend-a-service",
	"config.services.nginx.port":                                    "nixos-mkOption",
	"let x = …; in":                                                 "nixos-let-locals",
	"types.str int bool":                                            "nixos-types-scalars nixos-types-scalars-errors",
	"types.port path":                                               "nixos-types-scalars nixos-types-scalars-errors",
	`types.enum [ "a" "b" ]`:                                        "nixos-types-either-oneOf-nullOr nixos-types-either-errors",
	"types.nullOr t":                                                "nixos-types-either-oneOf-nullOr nixos-nullOr-absent",
	"types.either a b":                                              "nixos-types-either-oneOf-nullOr nixos-types-either-errors",
	"types.listOf":                                                  "nixos-types-listOf-attrsOf nixos-types-listOf-attrsOf-errors",
	"types.uniq":                                                    "nixos-types-uniq-unique nixos-types-uniq-unique-errors",
	"types.nonEmptyStr":                                             "nixos-types-nonEmptyStr-strMatching-ints-between nixos-addCheck",
	"types.ints.between a b":                                        "nixos-types-nonEmptyStr-strMatching-ints-between nixos-addCheck",
	"types.submodule { options = …; }":                              "nixos-types-submodule nixos-submodule-name submodule-errors",
	"attrsOf (submodule …)":                                         "nixos-types-attrsOf-submodule submodules submodule-errors",
	"types.deferredModule":                                          "nixos-types-deferredModule",
	"freeformType = attrsOf str":                                    "nixos-freeformType nixos-freeformType-errors",
	"types.coercedTo old f new":                                     "nixos-coercedTo",
	"types.addCheck t f":                                            "nixos-addCheck nixos-types-nonEmptyStr-strMatching-ints-between",
	"apply":                                                         "nixos-apply nixos-apply-of-an-option nixos-apply-errors",
	"readOnly":                                                      "nixos-readOnly-internal nixos-visible-internal cmd/unitgen/language_test.go:TestOptionsCommand",
	"mkRenamedOptionModule":                                         "nixos-mkRenamedOptionModule nixos-mkRemovedOptionModule nixos-mkAliasOptionModule renamed",
	"assertions":                                                    "nixos-assertions-warnings nixos-assertions-errors",

	// Merging
	"mkDefault x":                           "nixos-mkDefault-mkForce-mkOverride nixos-mkForce-conflict conflict",
	"mkBefore":                              "nixos-mkBefore-mkAfter-mkOrder",
	"mkIf cond { … }":                       "nixos-mkIf nixos-mkIf-mkMerge nixos-mkIf-errors",
	"mkIf cond x":                           "nixos-mkIf nixos-mkIf-mkMerge condition-final",
	"mkMerge [ … ]":                         "nixos-mkMerge nixos-mkIf-mkMerge",
	"modify-services … (delete …)":          "nixos-lists-merge nixos-lists-merge-errors guix-modify-services",
	"service-extension":                     "guix-service-extension nixos-types-attrsOf-submodule",
	"systemd.services.nginx.after = [ … ];": "nixos-extend-a-service guix-service-extension",
	"services.nginx.enable = mkForce false": "nixos-extend-a-service guix-modify-services guix-modify-services-errors",
	"disabledModules = [ … ]":               "nixos-disabledModules nixos-disabledModules-errors guix-modify-services",
	"merge":                                 "nixos-merge-functions nixos-lists-merge-errors",

	// Modules, hosts, reuse
	"imports = [ ./app.nix ]":  "nixos-imports nixos-imports-errors",
	"config":                   "test/web_test.go:TestWeb",
	"flake.lock":               "cmd/unitgen/language_test.go:TestGetCommand",
	"nixosConfigurations.web1": "nixos-nixosConfigurations nixos-nixosConfigurations-errors hosts-no-choice",
	"shared = true":            "hosts-read",
	"specialisation.debug":     "nixos-specialisation variant",
	"lib.mapAttrs":             "nixos-mapAttrs nixos-mapAttrs-errors for-each generate",
	"pkgs.formats.yaml":        "nixos-formats nixos-formats-errors",
	"lib.*":                    "compile/internal/funcs/funcs_test.go:TestExamples",
	"nixosTest":                "cmd/unitgen/language_test.go:TestTestCommand test/web_test.go:TestWeb",

	// Services
	"systemd.services.x.serviceConfig.ExecStart": "service nixos-systemd-unit-types directive-values",
	"respawn?":                   "guix-respawn guix-respawn-errors",
	"systemd.timers":             "nixos-systemd-unit-types",
	"wantedBy":                   "nixos-wantedBy-requiredBy-aliases nixos-wantedBy-requiredBy-aliases-errors guix-provision-requirement guix-provision-requirement-errors",
	"(actions …)":                "guix-actions guix-actions-errors guix-actions-without-command",
	"systemd.packages = [ pkg ]": "nixos-systemd-packages nixos-systemd-packages-errors",
	`systemd.services.x.overrideStrategy = "asDropin"`: "nixos-overrideStrategy-asDropin nixos-overrideStrategy-errors dropin-unit",
	"systemd.units.x.enable":                           "nixos-systemd-units nixos-systemd-units-errors masks",
	"systemd.user.services":                            "nixos-systemd-user-services nixos-systemd-user-services-errors",
	"systemd.tmpfiles.rules":                           "nixos-systemd-tmpfiles nixos-systemd-tmpfiles-errors nixos-users nixos-users-errors",
	"environment.etc":                                  "nixos-environment-etc nixos-environment-etc-errors",
	"restartTriggers":                                  "nixos-restartTriggers-reloadIfChanged nixos-restartTriggers-errors",
	`credential "x" { age = … }`:                       "credentials credential-errors test/credential_test.go:TestCredentials",
	"boot.kernel.sysctl":                               "nixos-boot-kernel-sysctl nixos-boot-kernel-sysctl-errors",

	// Commands
	"nixos-rebuild build":             "test/build_test.go:TestSameInputSameBytes",
	"nixos-rebuild dry-activate":      "cmd/unitgen/generations_test.go:TestBuildPlanGenerations",
	"nixos-rebuild switch":            "test/switch_test.go:TestHelloSwitch test/switch_test.go:TestHelloFailedSwitch",
	"nixos-rebuild boot":              "cmd/unitgen/generations_test.go:TestBuildPlanGenerations",
	"nixos-rebuild --rollback switch": "cmd/unitgen/generations_test.go:TestBuildPlanGenerations",
	"nix-env --list-generations":      "cmd/unitgen/generations_test.go:TestBuildPlanGenerations",
	"nix-collect-garbage -d":          "cmd/unitgen/generations_test.go:TestBuildPlanGenerations",
	"nixos-option x":                  "nixos-mkIf nixos-mkDefault-mkForce-mkOverride module-options",
	"man configuration.nix":           "cmd/unitgen/language_test.go:TestOptionsCommand",
	"nix flake check":                 "test/bad_test.go:TestBadHosts",
	"nixos-rebuild build-vm":          "test/hello_test.go:TestHelloBoots",
	"nix repl":                        "cmd/unitgen/language_test.go:TestOptionsCommand",
	"guix system extension-graph":     "cmd/unitgen/language_test.go:TestGraphCommand",
	"guix system shepherd-graph":      "cmd/unitgen/language_test.go:TestGraphCommand",
}

// TestAbilities keeps the table for those who come from NixOS and Guix and the
// tests together: every row has its tests, they exist, the words of the row's
// last cell stand in them, and no test of an ability is without a row.
func TestAbilities(t *testing.T) {
	page, err := os.ReadFile("../docs/from-nixos-and-guix.md")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile("`([^`]+)`")
	name := regexp.MustCompile(`[A-Za-z_]{3,}`)
	rows, used := map[string]bool{}, map[string]bool{}
	for n, line := range strings.Split(string(page), "\n") {
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") || strings.HasPrefix(line, "| NixOS") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.ReplaceAll(line, `\|`, "\x00"), "| "), " | ")
		if len(cells) != 3 {
			t.Errorf("line %d has %d cells", n+1, len(cells))
			continue
		}
		row := ""
		for _, m := range code.FindAllStringSubmatch(line, -1) {
			if _, known := abilities[m[1]]; known {
				row = m[1]
				break
			}
		}
		if row == "" {
			t.Errorf("line %d: no code of %q is in the table of this test: say where it is tested", n+1, cells[0])
			continue
		}
		if rows[row] {
			t.Errorf("line %d: the row %q is there twice", n+1, row)
		}
		rows[row] = true
		text := ""
		for _, where := range strings.Fields(abilities[row]) {
			used[where] = true
			text += evidence(t, row, where)
		}
		if strings.Contains(abilities[row], ":Test") {
			continue // a command, or a thing that does more than compile
		}
		for _, m := range code.FindAllStringSubmatch(cells[2], -1) {
			if strings.HasPrefix(m[1], "unitgen ") {
				continue // a command
			}
			for _, w := range name.FindAllString(m[1], -1) {
				if !strings.Contains(text, w) && !strings.Contains(" nginx web1 NEW OLD expression elements condition regex ", " "+w+" ") {
					t.Errorf("line %d: %q of %q stands in none of the tests %s", n+1, w, m[1], abilities[row])
				}
			}
		}
	}
	for row := range abilities {
		if !rows[row] {
			t.Errorf("the row %q is not on the page", row)
		}
	}
	files, _ := filepath.Glob("testdata/*.txtar")
	for _, f := range files {
		f = strings.TrimSuffix(filepath.Base(f), ".txtar")
		if (strings.HasPrefix(f, "nixos-") || strings.HasPrefix(f, "guix-")) && !used[f] {
			t.Errorf("testdata/%s.txtar belongs to no row of the page", f)
		}
	}
}

// evidence gives the text of a golden test, or checks that another test exists.
func evidence(t *testing.T, row, where string) string {
	file, test, elsewhere := strings.Cut(where, ":")
	if !elsewhere {
		file = "compile/testdata/" + where + ".txtar"
	}
	src, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(file)))
	if err != nil {
		t.Errorf("%s: %v", row, err)
		return ""
	}
	if elsewhere && !strings.Contains(string(src), "func "+test+"(") {
		t.Errorf("%s: %s has no %s", row, file, test)
	}
	return string(src)
}
