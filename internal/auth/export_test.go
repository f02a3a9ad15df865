package auth

// Remembered tells how many keys take memory now.
func (k *Keys) Remembered() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.known)
}
