"""Run a saved model in an app of your own: this folder is complete, copy it.

It reads one folder of saved_models/, verifies it against the seal and the hashes in its manifest,
and prints inputs, outputs and limits of the model. A stress model runs a loading history step by
step, and the stress is plotted. A classifier of sound labels the clips of a WAV file by the rule of
its manifest: threshold of a detector, abstention, no label for NaN or silence. Nothing of the
package that trained the model is imported, and not even TensorFlow unless `--saved-model` asks for
it. Seal and hashes show damage, not who made the model: a TFLite file computes with built-in
operations only, a SavedModel can run any program when it is opened.

Modules import each other by `from .`, so that the folder works under any name.
"""

from .command import main
from .histories import Loading, make_cycle, read_csv
from .manifest import describe, printable, read_manifest, verify_model
from .outputs import terminal_plot, write_csv, write_figure
from .sound import label_clip, open_clips, read_wav
from .stress import initial_states, open_saved_model, open_tflite, predict

__all__ = [
    "Loading",
    "describe",
    "initial_states",
    "label_clip",
    "main",
    "make_cycle",
    "open_clips",
    "open_saved_model",
    "open_tflite",
    "predict",
    "printable",
    "read_csv",
    "read_manifest",
    "read_wav",
    "terminal_plot",
    "verify_model",
    "write_csv",
    "write_figure",
]
