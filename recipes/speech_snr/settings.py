"""Settings of the speech-snr recipe."""

from dataclasses import dataclass
from pathlib import Path

from zoo.runs import RunPaths

TIME_CONSTANT_S = 2.0  # over which speech and noise are averaged
RANGE_DB = (-5.0, 20.0)  # over which errors are measured


@dataclass(frozen=True)
class Settings:
    """Settings of one run.

    Attributes:
        bank: folders of sound banks with voices and noises; empty: synthetic sound alone.
        train_bank: folders of sound banks that are only trained on.
        epochs: of training, 40 batches each; None: 40, or 1 in a quick run.
        learning_rate: at its peak.
        start: saved model of this recipe whose weights training begins with; None: new ones.
        checkpoint: folder of training states; None: none is kept.
        seed: of data, weights and batches.
        quick: smoke run with little data and short training.
        force: export a model that is worse than its simplest baseline.
        out: folder of report and model; None: runs/NAME.
        publish: write the model to saved_models/NAME.
        command: command line that repeats the run.
    """

    bank: tuple[Path, ...] = ()
    train_bank: tuple[Path, ...] = ()
    epochs: int | None = None
    learning_rate: float = 3e-3
    start: str | None = None
    checkpoint: Path | None = None
    seed: int = 0
    quick: bool = False
    force: bool = False
    out: Path | None = None
    publish: bool = False
    command: str = "python -m recipes.speech_snr"

    @property
    def name(self) -> str:
        """Name of the model; a quick run does not replace a good model."""
        return "speech-snr-quick" if self.quick else "speech-snr"

    @property
    def paths(self) -> RunPaths:
        """Where report and model are written."""
        return RunPaths(self.name, self.out, self.publish)
