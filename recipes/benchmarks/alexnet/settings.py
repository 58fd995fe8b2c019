"""Settings of the AlexNet benchmark."""

from dataclasses import dataclass

NETWORKS = ("alexnet", "alexnet_groups")
JOBS = ("import", "inference", "training step", "spectrograms")


@dataclass(frozen=True)
class Settings:
    """What is measured.

    Attributes:
        networks: names of presets.
        batch: images in a batch.
        repeats: timed runs of each job; the median counts.
        steps: training steps on spectrograms.
    """

    networks: tuple[str, ...] = ("alexnet",)
    batch: int = 8
    repeats: int = 5
    steps: int = 8
