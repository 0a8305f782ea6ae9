//go:build !linux

package activation

import "errors"

func (p *Place) mountEtc(tree string) error {
	if tree == "" {
		return nil
	}
	return errors.New("there are no overlays on this system")
}

func (p *Place) baseMounted() bool { return false }
