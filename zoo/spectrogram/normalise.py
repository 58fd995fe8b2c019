"""The name that `Standardize` had before version 0.2; saved models list this module and class."""

import keras

from zoo.spectrogram.standardize import Standardize


@keras.saving.register_keras_serializable("zoo")
class Normalise(Standardize):
    """`Standardize` as it stands in files saved before version 0.2.

    A class of its own, because Keras finds the weights in a file by the name of the class.
    """
