"""Benchmark of the latency of TFLite step models."""
