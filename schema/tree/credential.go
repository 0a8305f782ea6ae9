package tree

// Credentials that are encrypted with age travel in the tree as ciphertext and
// become plain only in the manager's runtime directory, when the tree is
// activated (package credential).
const (
	// SecretsFile lists the encrypted files of a tree, relative to its root:
	// the JSON form of Secrets.
	SecretsFile = "secrets.json"

	// RuntimeSecrets is the directory of the decrypted files below the
	// manager's runtime directory: units load the credential NAME from
	// %t/unitgen/credentials/NAME.
	RuntimeSecrets = "unitgen/credentials"
)

// Secrets is the content of SecretsFile.
type Secrets struct {
	Secrets []Secret `json:"secrets"`
}

// Secret is one encrypted file.
type Secret struct {
	Name   string `json:"name"`   // of the decrypted file in RuntimeSecrets
	Source string `json:"source"` // of the encrypted file, relative to the tree's root
	Scope  Scope  `json:"scope"`  // of the manager whose units load it
}
