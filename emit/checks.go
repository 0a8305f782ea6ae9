package emit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// ChecksFile is where a tree keeps the probes of the health gate: the `check`
// blocks, as JSON of Checks. The compiler puts it into the tree as a file of
// this path.
const ChecksFile = "checks.json"

// SecretsFile is where a tree says which age-encrypted credentials, below
// secrets/, are decrypted at activation. The compiler puts it there; the manager
// reads it.
const SecretsFile = "secrets.json"

// Checks is the content of ChecksFile.
type Checks struct {
	Checks []Check `json:"checks"`
}

// Check is one probe of the health gate. Exactly one of HTTP, TCP and Exec is
// set.
type Check struct {
	Name    string `json:"name"`
	HTTP    string `json:"http,omitempty"`    // URL, also "unix:/path:/url"; good is a status of 200 to 399
	TCP     string `json:"tcp,omitempty"`     // host:port or a socket's absolute path
	Exec    string `json:"exec,omitempty"`    // command line, run by /bin/sh; good is exit code 0
	Timeout string `json:"timeout,omitempty"` // of one attempt, a Go duration ("5s", the default)
	Retries int    `json:"retries,omitempty"` // attempts after the first, a second apart
	Source  string `json:"source,omitempty"`  // file of the block, without a line
}

// DefaultCheckTimeout is how long one attempt of a check may take.
const DefaultCheckTimeout = 5 * time.Second

// Bytes gives the file's content.
func (c *Checks) Bytes() []byte {
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		panic("unitgen: checks cannot be marshalled: " + err.Error())
	}
	return append(b, '\n')
}

// ReadChecks reads the probes of a tree on disk; a tree without any has none.
func ReadChecks(dir string) ([]Check, error) {
	p := filepath.Join(dir, ChecksFile)
	b, err := os.ReadFile(p)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var c Checks
	if err := json.Unmarshal(b, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", p, err)
	}
	return c.Checks, nil
}

// TimeoutDuration gives the time one attempt may take.
func (c Check) TimeoutDuration() (time.Duration, error) {
	if c.Timeout == "" {
		return DefaultCheckTimeout, nil
	}
	d, err := time.ParseDuration(c.Timeout)
	if err != nil {
		return 0, fmt.Errorf("check %s: timeout: %w", c.Name, err)
	}
	return d, nil
}
