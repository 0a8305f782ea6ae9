package manager

// Prepare makes what the tree in dir declares beside units.
func (m *Manager) Prepare(dir string) error {
	_ = dir
	return nil
}
