//go:build deps

// Package deps keeps modules in go.mod while the packages that use them grow.
package deps

import (
	_ "filippo.io/age"
	_ "filippo.io/age/agessh"
	_ "github.com/agext/levenshtein"
	_ "github.com/apparentlymart/go-cidr/cidr"
	_ "github.com/bmatcuk/doublestar/v4"
	_ "github.com/godbus/dbus/v5"
	_ "github.com/google/go-cmp/cmp"
	_ "github.com/google/go-jsonnet"
	_ "github.com/hashicorp/go-getter/v2"
	_ "github.com/hashicorp/hcl/v2"
	_ "github.com/pelletier/go-toml/v2"
	_ "github.com/rogpeppe/go-internal/testscript"
	_ "github.com/sourcegraph/jsonrpc2"
	_ "github.com/spf13/cobra"
	_ "github.com/zclconf/go-cty-yaml"
	_ "github.com/zclconf/go-cty/cty"
	_ "golang.org/x/sync/errgroup"
	_ "golang.org/x/sys/unix"
	_ "golang.org/x/term"
	_ "golang.org/x/text/language"
	_ "gopkg.in/ini.v1"
	_ "gopkg.in/yaml.v3"
)
