"""Experiments: training, evaluation, report, export. `python -m recipes.NAME --help`."""
