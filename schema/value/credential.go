package value

import (
	"encoding/base64"
	"strings"

	"github.com/unitgen/unitgen/schema/directive"
)

var _ = register(map[directive.Kind]checker{
	"load-credential": func(c *Context, s string) (string, error) {
		_, err := ParseLoadCredential(s, c)
		return s, err
	},
	"set-credential": func(c *Context, s string) (string, error) {
		_, err := ParseSetCredential(s, c)
		return s, err
	},
	"set-credential-encrypted": func(c *Context, s string) (string, error) {
		name, data, ok := strings.Cut(s, ":")
		if !ok || data == "" {
			return s, wrong(s, "is no credential with its data", "NAME:DATA")
		}
		x, err := c.expand(name)
		if err == nil {
			err = CredentialName(x)
		}
		if err == nil {
			err = CheckEncrypted(data)
		}
		return s, err
	},
	"import-credential": whole(func(c *Context, s string) error {
		const want = "a pattern of credential names such as \"app.*\", with \":PREFIX\" behind it where they are renamed"
		p, rename, has := strings.Cut(s, ":")
		base := strings.TrimSuffix(p, "*")
		if base == "" && p == "" || base != "" && CredentialName(base) != nil {
			return wrong(s, "is no pattern of credential names", want)
		}
		if has && (!c.knows(257) || CredentialName(rename) != nil) {
			return wrong(rename, "is no name of a credential", want)
		}
		return nil
	}),
})

// Credential is one value of LoadCredential= or SetCredential=.
type Credential struct {
	Name string
	Path string // LoadCredential=: an absolute path, or the name of a credential passed to the manager
	Data string // SetCredential=: the data, escapes decoded; SetCredentialEncrypted=: in Base64
}

// CredentialName checks the name of a credential: a file name of printable
// ASCII characters without colons.
func CredentialName(s string) error {
	if s == "." || s == ".." || strings.Contains(s, "/") || fdName(s) != nil {
		return wrong(s, "is no name of a credential", `a file name of up to 255 printable characters without ":" and "/"`)
	}
	return nil
}

// ParseLoadCredential reads NAME or NAME:PATH. c expands specifiers; nil keeps
// them.
func ParseLoadCredential(s string, c *Context) (Credential, error) {
	if c == nil {
		c = &Context{}
	}
	var cr Credential
	name, rest, ok, err := Word(s, ":", DontCoalesce)
	if err != nil || !ok {
		return cr, wrong(s, "is no credential to load", "NAME:PATH")
	}
	if cr.Name, err = c.expand(name); err != nil {
		return cr, err
	}
	if err := CredentialName(cr.Name); err != nil {
		return cr, err
	}
	if cr.Path = cr.Name; rest == "" {
		return cr, nil
	}
	if cr.Path, err = c.expand(rest); err != nil {
		return cr, err
	}
	if !strings.HasPrefix(cr.Path, "/") {
		if CredentialName(cr.Path) != nil {
			return cr, wrong(rest, "is no source of a credential", "an absolute path, or the name of a credential that the manager got")
		}
		return cr, nil
	}
	if strings.Contains(cr.Path+"/", "/../") || strings.Contains(cr.Path+"/", "/./") || strings.Contains(cr.Path, "//") || len(cr.Path) > maxPath {
		return cr, wrong(rest, "is no clean path", wantPath)
	}
	return cr, nil
}

// ParseSetCredential reads NAME:DATA. c expands specifiers; nil keeps them.
func ParseSetCredential(s string, c *Context) (Credential, error) {
	if c == nil {
		c = &Context{}
	}
	var cr Credential
	name, rest, ok, err := Word(s, ":", DontCoalesce)
	if err != nil || !ok || rest == "" {
		return cr, wrong(s, "is no credential with its data", "NAME:DATA")
	}
	if cr.Name, err = c.expand(name); err != nil {
		return cr, err
	}
	if err := CredentialName(cr.Name); err != nil {
		return cr, err
	}
	if cr.Data, err = unescapeAll(rest); err != nil {
		return cr, err
	}
	return cr, nil
}

// CheckEncrypted checks the data of SetCredentialEncrypted=: Base64.
func CheckEncrypted(data string) error {
	t := strings.Map(func(r rune) rune {
		if r < 128 && isBlank(byte(r)) {
			return -1
		}
		return r
	}, data)
	if _, err := base64.StdEncoding.DecodeString(t); err != nil {
		return wrong(data, "is not in Base64", "what systemd-creds encrypt gives")
	}
	return nil
}
