"""Benchmark of LSTM training steps: this package, Keras, torch."""
