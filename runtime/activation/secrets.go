package activation

import (
	"fmt"

	"github.com/unitgen/unitgen/runtime/credential"
	"github.com/unitgen/unitgen/runtime/generation"
)

// decrypt opens the credentials of a tree for every target that keeps some,
// and touches nothing.
func decrypt(o Options, treeDir string) (map[string]*credential.Set, error) {
	out := map[string]*credential.Set{}
	for _, t := range o.Targets {
		if t.RuntimeDir == "" {
			continue
		}
		s, err := credential.Decrypt(treeDir, t.Scope, credential.IdentityFiles(o.State.Dir()))
		if err != nil {
			return nil, err
		}
		out[t.name()] = s
	}
	return out, nil
}

// installSecrets lays decrypted credentials where the targets' units load them.
func (a *Activation) installSecrets(sets map[string]*credential.Set) error {
	for _, t := range a.o.Targets {
		if s := sets[t.name()]; s != nil {
			if err := s.Install(t.RuntimeDir); err != nil {
				return fmt.Errorf("the credentials of the %s manager: %w", t.name(), err)
			}
		}
	}
	return nil
}

// restoreSecrets brings back the credentials of the generation that was current
// before; what cannot be is told, and no reason to give up the way back.
func (a *Activation) restoreSecrets(s *generation.State, from int) []string {
	treeDir := ""
	if from != 0 {
		g, err := s.Get(from)
		if err != nil {
			return []string{err.Error()}
		}
		treeDir = g.Tree
	}
	sets := map[string]*credential.Set{}
	if treeDir != "" {
		var err error
		if sets, err = decrypt(a.o, treeDir); err != nil {
			return []string{err.Error()}
		}
	} else {
		for _, t := range a.o.Targets {
			if t.RuntimeDir != "" {
				sets[t.name()] = &credential.Set{}
			}
		}
	}
	if err := a.installSecrets(sets); err != nil {
		return []string{err.Error()}
	}
	return nil
}
