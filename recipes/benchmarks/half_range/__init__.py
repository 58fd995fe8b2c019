"""Benchmark: errors of a network that was trained on half the length and half the rates."""
