"""Settings of the benchmark."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """What is trained, and for how long.

    Attributes:
        models: names of presets.
        epochs: of each training.
        steps_per_epoch: batches in an epoch.
        seeds: trainings of each model on each range, from seed 0.
    """

    models: tuple[str, ...] = ("lstm", "relaxation")
    epochs: int = 8
    steps_per_epoch: int = 250
    seeds: int = 3
