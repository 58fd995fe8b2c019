"""Tutorials as runnable files: `python -m recipes.tutorials.NAME`, figures to runs/tutorials/.

- `look_inside_an_lstm`: states, gates, memory and single steps of a trained network.
- `bring_your_own_material_test`: from a CSV file of a testing machine to an exported model.
- `bring_your_own_sounds`: from a folder of recordings to a TFLite file that classifies them.
"""

import os

# TensorFlow writes a greeting to standard error unless told otherwise before its import.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
