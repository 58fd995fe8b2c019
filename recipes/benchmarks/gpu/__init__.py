"""Benchmark of training steps on a GPU, beside Keras' own layers and torch."""
