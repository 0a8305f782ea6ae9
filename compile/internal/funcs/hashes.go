package funcs

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"

	"github.com/zclconf/go-cty/cty/function"
)

func init() {
	const c = "Hashes"
	type algorithm struct {
		name string
		new  func() hash.Hash
		abc  string // of "abc"
	}
	for _, a := range []algorithm{
		{"md5", md5.New, "900150983cd24fb0d6963f7d28e17f72"},
		{"sha1", sha1.New, "a9993e364706816aba3e25717850c26c9cd0d89d"},
		{"sha256", sha256.New, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"sha512", sha512.New, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
	} {
		sumOf := func(b []byte) []byte { h := a.new(); h.Write(b); return h.Sum(nil) }
		hexOf := func(b []byte) string { return hex.EncodeToString(sumOf(b)) }
		add(c, a.name+"(string)", "The hash of a string, in base 16.",
			str(func(s []string) (string, error) { return hexOf([]byte(s[0])), nil }, "string"), a.name+`("abc")`, `"`+a.abc+`"`)
		addEnv(c, "file"+a.name+"(path)", "The hash of a file of the module, in base 16.", func(e *env) function.Function {
			return str(func(s []string) (string, error) {
				b, err := e.files.Read(s[0])
				if err != nil {
					return "", function.NewArgError(0, err)
				}
				return hexOf(b), nil
			}, "path")
		}, `file`+a.name+`("abc.txt")`, `"`+a.abc+`"`)
		if a.name == "sha256" || a.name == "sha512" {
			b64 := func(b []byte) string { return base64.StdEncoding.EncodeToString(sumOf(b)) }
			raw, _ := hex.DecodeString(a.abc)
			add(c, "base64"+a.name+"(string)", "The hash of a string, in base 64.",
				str(func(s []string) (string, error) { return b64([]byte(s[0])), nil }, "string"),
				"base64"+a.name+`("abc")`, `"`+base64.StdEncoding.EncodeToString(raw)+`"`)
		}
	}
	add(c, "uuidv5(namespace, name)", "The name-based UUID (RFC 9562, version 5); the namespace is a UUID or one of dns, url, oid, x500.", str(uuidv5, "namespace", "name"),
		`uuidv5("dns", "www.example.org")`, `"74738ff5-5367-5958-9aee-98fffdcd1876"`)
}

var namespaces = map[string]string{
	"dns":  "6ba7b8109dad11d180b400c04fd430c8",
	"url":  "6ba7b8119dad11d180b400c04fd430c8",
	"oid":  "6ba7b8129dad11d180b400c04fd430c8",
	"x500": "6ba7b8149dad11d180b400c04fd430c8",
}

func uuidv5(a []string) (string, error) {
	ns, ok := namespaces[a[0]]
	if !ok {
		ns = ""
		for i, r := range a[0] {
			dash := i == 8 || i == 13 || i == 18 || i == 23
			if dash != (r == '-') {
				return "", function.NewArgErrorf(0, "must be a UUID, or one of dns, url, oid, x500")
			}
			if !dash {
				ns += string(r)
			}
		}
	}
	raw, err := hex.DecodeString(ns)
	if err != nil || len(raw) != 16 {
		return "", function.NewArgErrorf(0, "must be a UUID, or one of dns, url, oid, x500")
	}
	h := sha1.New()
	h.Write(raw)
	h.Write([]byte(a[1]))
	u := h.Sum(nil)[:16]
	u[6] = u[6]&0x0f | 0x50
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:]), nil
}
