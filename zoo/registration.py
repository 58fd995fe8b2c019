"""Registers every Keras class of this package, so that `keras.saving.load_model` finds it by name.

A `.keras` file names classes as "zoo>Name". Files are opened with this fixed list of modules, never
with modules that a file or a manifest names.
"""

import zoo.augment.spectrogram
import zoo.augment.waveform
import zoo.cells.elman
import zoo.cells.gated.gru
import zoo.cells.gated.lstm
import zoo.cells.material.lmsc
import zoo.cells.material.maxwell
import zoo.cells.material.prony
import zoo.cells.material.relaxation
import zoo.convnets.model
import zoo.convnets.pooling
import zoo.convnets.response
import zoo.recurrent
import zoo.spectrogram.layers
import zoo.spectrogram.level
import zoo.spectrogram.normalise
import zoo.spectrogram.prominence
import zoo.spectrogram.standardize
import zoo.spectrogram.transform
import zoo.spectrogram.trim  # noqa: F401
