"""Timings, run by hand: `python -m recipes.benchmarks.NAME`."""
