"""Training throughput of sound classifiers."""
