"""Benchmark of training by a scan over time against training step by step."""
