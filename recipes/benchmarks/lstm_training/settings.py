"""Settings of the LSTM training benchmark."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Size of the problem, every number 1 or more, and where the peers are.

    Attributes:
        units: units of each layer.
        layers: number of LSTM layers.
        batch: sequences in a batch.
        time: time steps of each sequence.
        features: width of the input.
        rounds: training steps of each implementation.
        threads: of each process, in an operation.
        torch: Python interpreter that has torch; None: not measured.
        jax: Python interpreter that has Keras and JAX; None: not measured.
    """

    units: int = 32
    layers: int = 2
    batch: int = 64
    time: int = 100
    features: int = 3
    rounds: int = 30
    threads: int = 2
    torch: Path | None = None
    jax: Path | None = None

    def __post_init__(self) -> None:
        for name in ("units", "layers", "batch", "time", "features", "rounds", "threads"):
            value = getattr(self, name)
            if value < 1:
                raise ValueError(f"`{name}` must be 1 or more. Received: {value}.")
