"""Settings of the Jacobian benchmark."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Settings:
    """Size of the problem; every number is 1 or more.

    Attributes:
        units: units of each layer.
        layers: number of LSTM layers.
        batch: number of sequences.
        time: time steps of each sequence.
        naive_steps: time steps measured with the two naive methods; their time is scaled to all.
    """

    units: int = 64
    layers: int = 2
    batch: int = 32
    time: int = 200
    naive_steps: int = 4

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value < 1:
                raise ValueError(f"`{field.name}` must be 1 or more. Received: {value}.")
