"""What every experiment with a stress-history model shares.

Data to learn from and to score on, baselines, scores, the report page and the export. A model reads
x = (strain [-], rate [1/s], dt [s]), (batch, time, 3), and predicts stress, (batch, time, 1).
"""
