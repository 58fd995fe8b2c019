"""Benchmark: coverage of the 95 % intervals of identified constants."""
