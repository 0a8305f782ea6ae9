package tree

// Credentials that are encrypted with age travel in the tree as ciphertext and
// become plain only in the manager's runtime directory, when the tree is
// activated (package credential).
const (
	// CredentialDir holds NAME.age, relative to the tree's root.
	CredentialDir = "etc/credstore.age"

	// CredentialStore is where the plain credential NAME appears, as units
	// name it: LoadCredential=NAME:%t/credstore/NAME. Under systemd this is
	// /run/credstore, which systemd.exec(5) searches anyway.
	CredentialStore = "%t/credstore"
)
