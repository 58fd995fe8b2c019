"""Importing this module raises ImportError unless Keras runs on the TensorFlow backend."""

import keras

if keras.backend.backend() != "tensorflow":
    raise ImportError(
        "Sound and export run on Keras' TensorFlow backend only. Received: "
        f"KERAS_BACKEND={keras.backend.backend()}. Set KERAS_BACKEND=tensorflow, or use what runs "
        "on every backend: zoo.cells, zoo.recurrent and the stress models of zoo.presets."
    )
