"""Opens `.keras` files: importing this module registers every Keras class of this package.

A `.keras` file names classes as "zoo>Name". Files are opened with this fixed list of modules, never
with modules that a file or a manifest names. Layers of sound exist on TensorFlow only.
"""

from pathlib import Path

import keras

import zoo.cells.elman
import zoo.cells.gated.gru
import zoo.cells.gated.lstm
import zoo.cells.material.lmsc
import zoo.cells.material.maxwell
import zoo.cells.material.prony
import zoo.cells.material.relaxation
import zoo.recurrent.layers

if keras.backend.backend() == "tensorflow":
    import zoo.augment.spectrogram
    import zoo.augment.waveform
    import zoo.convnets
    import zoo.convnets.model
    import zoo.convnets.pooling
    import zoo.convnets.response
    import zoo.spectrogram.layers
    import zoo.spectrogram.level
    import zoo.spectrogram.normalise
    import zoo.spectrogram.prominence
    import zoo.spectrogram.standardize
    import zoo.spectrogram.transform
    import zoo.spectrogram.trim


def open_keras_file(path: str | Path) -> keras.Model:
    """Open a `.keras` file whose layers are Keras', of this package, or registered by you.

    Args:
        path: of the file; only open one that you trust.

    Raises:
        ValueError: in one line, if Keras cannot open it.
    """
    try:
        model = keras.saving.load_model(Path(path), compile=False)
    except Exception as error:  # Keras raises whatever its parts raise
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise ValueError(
            f"{path}: Keras cannot open it: {reason}. Import the modules that define layers of "
            "your own first."
        ) from None
    if keras.backend.backend() != "tensorflow":
        return model
    return zoo.convnets.restore_config(model)
