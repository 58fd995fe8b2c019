"""Settings of the LSTM training benchmark."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Settings:
    """Size of the problem; every number is 1 or more.

    Attributes:
        units: units of each layer.
        layers: number of LSTM layers.
        batch: sequences in a batch.
        time: time steps of each sequence.
        features: width of the input.
        rounds: training steps of each implementation.
    """

    units: int = 32
    layers: int = 2
    batch: int = 64
    time: int = 100
    features: int = 3
    rounds: int = 30

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value < 1:
                raise ValueError(f"`{field.name}` must be 1 or more. Received: {value}.")
