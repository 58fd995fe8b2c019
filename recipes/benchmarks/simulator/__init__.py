"""Benchmark: speed of the exact simulator, and its distance from an ODE solver."""
