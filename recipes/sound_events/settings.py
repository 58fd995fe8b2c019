"""Settings of the sound-events recipe."""

from dataclasses import dataclass
from pathlib import Path

from zoo.runs import RunPaths


@dataclass(frozen=True)
class Settings:
    """Settings of one run.

    Attributes:
        soundscapes: for training.
        epochs: of training, 40 batches each; None: 30, or 1 in a quick run.
        learning_rate: at its peak.
        checkpoint: folder of training states; None: none is kept.
        seed: of data, weights and batches.
        quick: smoke run with little data and short training.
        force: export a model that is worse than its simplest baseline.
        out: folder of report and model; None: runs/NAME.
        publish: write the model to saved_models/NAME.
        command: command line that repeats the run.
    """

    soundscapes: int = 1500
    epochs: int | None = None
    learning_rate: float = 3e-3
    checkpoint: Path | None = None
    seed: int = 0
    quick: bool = False
    force: bool = False
    out: Path | None = None
    publish: bool = False
    command: str = "python -m recipes.sound_events"

    @property
    def name(self) -> str:
        """Name of the model; a quick run does not replace a good model."""
        return "sound-events-quick" if self.quick else "sound-events"

    @property
    def paths(self) -> RunPaths:
        """Where report and model are written."""
        return RunPaths(self.name, self.out, self.publish)
