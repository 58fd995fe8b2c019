"""Base classes of front-end layers: float32 throughout, settings in the config."""

from dataclasses import asdict
from typing import Any

import keras

from zoo.spectrogram.settings import FrontEnd


class Float32Layer(keras.layers.Layer):
    """A layer that computes in float32 under every dtype policy.

    Powers of sound span 100 dB and more, too much for float16.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})


class FrontEndLayer(Float32Layer):
    """A layer of `FrontEnd` settings, without weights."""

    def __init__(self, front_end: FrontEnd, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.front_end = front_end
        self.built = True

    def get_config(self) -> dict[str, Any]:
        """Settings as plain values."""
        return {**super().get_config(), "front_end": asdict(self.front_end)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "FrontEndLayer":
        """The layer that `get_config` described."""
        return cls(**{**config, "front_end": FrontEnd(**config["front_end"])})
