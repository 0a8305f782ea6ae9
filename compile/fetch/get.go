package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"time"

	getter "github.com/hashicorp/go-getter/v2"

	"github.com/unitgen/unitgen/compile/internal/load"
	"github.com/unitgen/unitgen/modules"
	"github.com/unitgen/unitgen/schema/diag"
)

// Options say what to fetch.
type Options struct {
	Dir    string // the host's directory
	Host   string // of several hosts; "" fetches for all of them
	Cache  string // cache directory, as NewStore takes it
	Update bool   // pin anew what branches and tags name now

	Client  *http.Client  // for https; nil: a default one
	Timeout time.Duration // for one source; 0: 5 minutes
}

// Fetched is what Get did with one source.
type Fetched struct {
	Source string `json:"source"`
	Commit string `json:"commit,omitempty"`
	Hash   string `json:"hash"`
	Action string `json:"action"`        // "kept", "fetched", "updated", "added"
	Old    string `json:"old,omitempty"` // the hash that was pinned before, for "updated"
}

// Get fetches every import from elsewhere that the host's directory and the
// fetched modules name, and writes the lock file. With an error the lock file
// is what it was.
func Get(ctx context.Context, o Options) ([]Fetched, diag.List, error) {
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Minute
	}
	old, err := ReadLock(o.Dir)
	if err != nil {
		return nil, nil, err
	}
	g := &run{o: o, ctx: ctx, old: old, store: NewStore(o.Dir, o.Cache), done: map[string]*Fetched{}, failed: map[string]error{}}
	set, diags := g.load(o.Host)
	if o.Host == "" && len(set.Hosts) > 1 {
		diags = nil
		for _, h := range set.Hosts {
			_, d := g.load(h.Name)
			diags = append(diags, d...)
		}
	}
	if diags.HasErrors() {
		return nil, diags, nil
	}
	var out []Fetched
	for _, f := range g.done {
		out = append(out, *f)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Source < out[j].Source })
	lock := &Lock{}
	if o.Host != "" { // the other hosts' sources stay
		for _, e := range old.Entries {
			if g.done[e.Source] == nil {
				lock.Entries = append(lock.Entries, e)
			}
		}
	}
	for _, f := range out {
		lock.Entries = append(lock.Entries, &Entry{Source: f.Source, Commit: f.Commit, Hash: f.Hash})
	}
	if err := lock.Write(o.Dir); err != nil {
		return nil, nil, fmt.Errorf("%s cannot be written: %w", LockFile, err)
	}
	return out, nil, nil
}

type run struct {
	o      Options
	ctx    context.Context
	old    *Lock
	store  *Store
	done   map[string]*Fetched
	failed map[string]error
}

func (g *run) load(host string) (*load.Set, diag.List) {
	return load.Load(g.ctx, load.Options{Dir: g.o.Dir, Host: host, Bundled: modules.FS, Remote: g.resolve, Fetching: true})
}

// resolve is what the loader asks for each import from elsewhere.
func (g *run) resolve(address string) (string, error) {
	src, sub, err := Split(address)
	if err != nil {
		return "", err
	}
	if err := g.failed[src]; err != nil {
		return "", err
	}
	f := g.done[src]
	if f == nil {
		if f, err = g.source(src); err != nil {
			g.failed[src] = err
			return "", err
		}
		g.done[src] = f
	}
	dir := filepath.Join(g.store.at(f.Hash), filepath.FromSlash(sub))
	if st, err := os.Stat(dir); err != nil || !st.IsDir() {
		return "", fmt.Errorf("%q has no directory %q", src, sub)
	}
	return dir, nil
}

// source sees to it that one source lies in the cache.
func (g *run) source(src string) (*Fetched, error) {
	pinned := g.old.Entry(src)
	if pinned != nil && !g.o.Update {
		if verify(g.store.at(pinned.Hash), pinned) == nil {
			return &Fetched{Source: src, Commit: pinned.Commit, Hash: pinned.Hash, Action: "kept"}, nil
		}
	}
	commit := ""
	if pinned != nil && !g.o.Update {
		commit = pinned.Commit
	}
	tmp, err := g.temp()
	if err != nil {
		return nil, fmt.Errorf("the cache cannot be written: %w", err)
	}
	defer os.RemoveAll(tmp)
	dst := filepath.Join(tmp, "module")
	if commit, err = g.fetch(src, commit, dst); err != nil {
		return nil, err
	}
	hash, err := HashDir(dst)
	if err != nil {
		return nil, fmt.Errorf("%q cannot be used: %w", src, err)
	}
	f := &Fetched{Source: src, Commit: commit, Hash: hash, Action: "added"}
	switch {
	case pinned == nil:
	case pinned.Hash == hash && g.o.Update:
		f.Action = "kept"
	case pinned.Hash == hash:
		f.Action = "fetched"
	case g.o.Update:
		f.Action, f.Old = "updated", pinned.Hash
	default:
		return nil, fmt.Errorf("%q is no longer what %s pins: its hash is %s, and %s is pinned. If the change is wanted, run unitgen get --update", src, LockFile, hash, pinned.Hash)
	}
	return f, g.keep(dst, hash)
}

func (g *run) temp() (string, error) {
	dir := filepath.Join(g.o.Cache, "modules")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return os.MkdirTemp(dir, ".new-*")
}

// keep moves a fetched directory to its place in the cache.
func (g *run) keep(dst, hash string) error {
	if err := os.RemoveAll(filepath.Join(dst, ".git")); err != nil {
		return err
	}
	at := g.store.at(hash)
	if got, err := HashDir(at); err == nil && got == hash {
		return nil
	}
	if err := os.RemoveAll(at); err != nil { // damaged, or half of a removal
		return err
	}
	if err := os.Rename(dst, at); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("the cache cannot be written: %w", err)
	}
	return nil
}

// fetch brings a source into dst, at a commit where one is pinned, and gives
// the commit that was fetched.
func (g *run) fetch(src, commit, dst string) (string, error) {
	ctx, cancel := context.WithTimeout(g.ctx, g.o.Timeout)
	defer cancel()
	isGit := strings.HasPrefix(src, "git::")
	at := src
	if isGit && commit != "" {
		base, query, _ := strings.Cut(src, "?")
		q, err := url.ParseQuery(query)
		if err != nil {
			return "", fmt.Errorf("%q is no address: %w", src, err)
		}
		q.Set("ref", commit)
		q.Del("depth")
		at = base + "?" + q.Encode()
	}
	client := g.o.Client
	if client == nil {
		client = &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment}}
	}
	c := &getter.Client{
		Getters: []getter.Getter{
			&getter.GitGetter{Timeout: g.o.Timeout},
			&getter.HttpGetter{Client: client, XTerraformGetDisabled: true, MaxBytes: maxBytes, HeadFirstTimeout: 30 * time.Second, ReadTimeout: g.o.Timeout},
			&getter.FileGetter{},
		},
		Decompressors:   decompressors(),
		DisableSymlinks: false,
	}
	pwd, err := filepath.Abs(g.o.Dir)
	if err != nil {
		return "", err
	}
	_, err = c.Get(ctx, &getter.Request{Src: at, Dst: dst, Pwd: pwd, GetMode: getter.ModeDir, Copy: true, Umask: 0o022})
	switch {
	case ctx.Err() == context.DeadlineExceeded:
		return "", fmt.Errorf("%q could not be fetched within %s", src, g.o.Timeout)
	case err != nil:
		return "", fmt.Errorf("%q cannot be fetched: %s", src, plainly(oneLine(err)))
	}
	if !isGit {
		return "", nil
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "git", "rev-parse", "HEAD")
	cmd.Dir, cmd.Stdout = dst, &out
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%q was fetched, but git cannot tell the commit: %w", src, err)
	}
	return strings.TrimSpace(out.String()), nil
}

// oneLine gives the gist of an error that may hold a program's output.
func oneLine(err error) string {
	var parts []string
	for _, l := range strings.Split(err.Error(), "\n") {
		if l = strings.TrimSpace(l); l != "" {
			parts = append(parts, l)
		}
	}
	s := strings.Join(parts, "; ")
	if len(s) > 500 {
		s = s[:500] + "…"
	}
	return strings.TrimSuffix(s, ".")
}
