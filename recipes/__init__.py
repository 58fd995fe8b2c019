"""Experiments, each told from top to bottom: `python -m recipes.NAME --help`."""
