"""Data sets: simulated and measured stress histories, sound corpora, synthetic sound."""
