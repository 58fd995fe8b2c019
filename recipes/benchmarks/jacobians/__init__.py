"""Benchmark: time and memory of the step Jacobians of an LSTM stack."""
