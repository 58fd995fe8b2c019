"""Where sequences come from: simulated materials, measured tests, recordings."""
