"""Settings of the hearing-aid recipe."""

from dataclasses import dataclass
from pathlib import Path

from zoo.runs import RunPaths


@dataclass(frozen=True)
class Settings:
    """Settings of one run.

    Attributes:
        model: folder of a trained sound model to stream; None: train a new network.
        refit: fit the decision of that model again and keep its name, limits and training.
        data: folders of recordings, used beside synthetic clips.
        bank: folders of sound banks to train on scenes of recordings; empty: clips as above.
        train_bank: folders of sound banks that are only trained on.
        weights: of a network that `recipes.hearing_aid.band_training` or `scene_training` trained;
            None: train now.
        final_weights: of a network that learnt from test sources too: exported in place of
            `weights`, from which the figures then come; None: `weights` are exported.
        seconds: of that training.
        clips: synthetic training clips of each class.
        epochs: of training; None: 14, or 1 in a quick run.
        learning_rate: at its peak.
        checkpoint: folder of training states; None: none is kept.
        firmware: folder for the step model as C files; None: not written.
        seed: of data, weights and batches.
        quick: smoke run with little data and short training.
        force: export a model that is worse than its simplest baseline.
        out: folder of report and model; None: runs/NAME.
        publish: write the model to saved_models/NAME.
        command: command line that repeats the run.

    Raises:
        ValueError: options that exclude each other, or one without the other that it is for.
    """

    model: Path | None = None
    refit: bool = False
    data: tuple[Path, ...] = ()
    bank: tuple[Path, ...] = ()
    train_bank: tuple[Path, ...] = ()
    weights: Path | None = None
    final_weights: Path | None = None
    seconds: float = 3600.0
    clips: int = 32
    epochs: int | None = None
    learning_rate: float = 4e-3
    checkpoint: Path | None = None
    firmware: Path | None = None
    seed: int = 0
    quick: bool = False
    force: bool = False
    out: Path | None = None
    publish: bool = False
    command: str = "python -m recipes.hearing_aid"

    def __post_init__(self) -> None:
        if self.bank and (self.model is not None or self.data):
            other = "--model" if self.model is not None else "--data"
            raise ValueError(
                f"--bank: its recordings are the clips, so {other} cannot stand beside it. Leave "
                "one of them out."
            )
        if not self.bank and (self.train_bank or self.weights is not None):
            option = "--train-bank" if self.train_bank else "--weights"
            raise ValueError(f"{option}: belongs to --bank. Give the sound banks, or leave it out.")
        if self.refit and self.model is None:
            raise ValueError("--refit: belongs to --model. Name the model, or leave it out.")
        if self.final_weights is not None and (self.weights is None or not self.bank):
            raise ValueError(
                "--final-weights: expected --bank and --weights beside it, whose figures are "
                "given. Add them, or leave it out."
            )

    @property
    def name(self) -> str:
        """Name of the model; a quick run does not replace a good model."""
        name = "hearing-aid-recorded" if self.bank else "hearing-aid"
        if self.model is not None:
            name = self.model.resolve().name.removesuffix("-quick")
            name = name if self.refit else f"{name}-streaming"
        return f"{name}-quick" if self.quick else name

    @property
    def paths(self) -> RunPaths:
        """Where report and model are written."""
        return RunPaths(self.name, self.out, self.publish)
