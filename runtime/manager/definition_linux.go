package manager

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// definition is a digest of what a service runs by: the section of its type as
// it was loaded. A manager notes it beside the processes of a unit, so that
// after a crash the next one does not take over a service that was started
// from the files of another generation.
func definition(u *unit) string {
	if u.file == nil {
		return ""
	}
	b, err := json.Marshal(u.file.Settings["Service"]) // maps are written in the order of their keys
	if err != nil {
		return ""
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:8])
}
