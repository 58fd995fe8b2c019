"""Settings of the experiment, as the command line gives them."""

from dataclasses import dataclass
from pathlib import Path

from zoo.names import slug
from zoo.runs import RunPaths

WARNING = (
    "This is no medical device: it finds a sound, wheeze, not an illness, and was tested on no "
    "clinical question. Asthma itself cannot be learned here: ICBHI 2017 holds one patient with it."
)
STEPS_PER_EPOCH = 40
DETECTORS = ("peak", "lines")


@dataclass(frozen=True)
class Settings:
    """Settings of the experiment.

    Attributes:
        data: folder of a corpus; None: synthetic patients.
        layout: of `data`, if it is not recognised.
        rate_hz: sample rate that recordings of several rates are resampled to [Hz]; None: they are
            refused.
        duration_s: length that a breath is cut or repeated to [s].
        detector: "peak", the height of tones with nothing to train, or "lines", a network of a few
            weights.
        patients: number of synthetic patients.
        folds: test on the first so many folds only; None: all.
        seeds: number of seeds, from `seed` on, with which patients are divided and networks
            trained.
        epochs: of 40 batches each.
        learning_rate: at its peak.
        seed: of data, folds, weights and batches.
        quick: a smoke run: little data, short.
        force: export a model that is worse than its simplest baseline.
        name: of the run and of its model; None: by data.
        checkpoint: folder to resume from and save to; None: that of the run.
        tensorboard: folder for logs; None: none.
        out: folder of the run; None: runs/NAME.
        publish: whether the model replaces the shipped one of its name.
        command: command line that repeats the run.
    """

    data: Path | None = None
    layout: str | None = None
    rate_hz: int | None = None
    duration_s: float = 4.0
    detector: str = "peak"
    patients: int = 36
    folds: int | None = None
    seeds: int = 1
    epochs: int = 6
    learning_rate: float = 1e-2
    seed: int = 0
    quick: bool = False
    force: bool = False
    name: str | None = None
    checkpoint: Path | None = None
    tensorboard: Path | None = None
    out: Path | None = None
    publish: bool = False
    command: str = "python -m recipes.wheeze"

    @property
    def paths(self) -> RunPaths:
        """Where report and model go."""
        return RunPaths(self.name or self.default_name, self.out, self.publish)

    @property
    def default_name(self) -> str:
        """Name by data; a quick run has its own."""
        name = f"wheeze-{slug(self.data.resolve().name) if self.data else 'synthetic'}"
        return f"{name}-quick" if self.quick else name
