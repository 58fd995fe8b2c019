"""Settings of the distillation and of the scene classifiers."""

from dataclasses import dataclass
from pathlib import Path

from zoo.runs import RunPaths

# Kind of sound in the bank -> weight in mixtures.
KINDS = {
    "esc10": 2.0,
    "urban": 3.0,
    "voice": 1.0,
    "voice8k": 0.3,
    "music": 1.0,
    "effect": 3.0,
    "synthetic": 0.5,
}
FREE_LICENCES = ("Apache-2.0", "CC0-1.0", "CC-BY-3.0", "CC-BY-4.0")


@dataclass(frozen=True)
class Settings:
    """Settings of a distillation.

    Attributes:
        teacher: TFLite file of the teacher, or .npz of its weights.
        bank: folders of sound banks.
        out: folder for weights and figures of the run.
        seconds: of training.
        networks: name of a student -> name of its network.
        without: kinds of sound to leave out.
        free: use sound under CC BY and freer licences alone.
        batch: mixtures of a step.
        samples: of a mixture; one patch of the teacher is 15,600, each further one 7,680.
        learning_rate: at its peak.
        width: of the embedding.
        whitening: see `Projection.fit`.
        steps: of an epoch, after which a line is printed.
        seed: of weights and mixtures.
    """

    teacher: Path
    bank: tuple[Path, ...]
    out: Path
    seconds: float
    networks: dict[str, str]
    without: tuple[str, ...] = ()
    free: bool = False
    batch: int = 192
    samples: int = 23_280
    learning_rate: float = 3e-3
    width: int = 256
    whitening: float = 0.5
    steps: int = 50
    seed: int = 0


@dataclass(frozen=True)
class SceneSettings:
    """Settings of a classifier of clips on the first blocks of an embedding.

    Attributes:
        data: folder of the corpus, ESC-10.
        base: name or folder of the embedding.
        blocks: convolutions of the embedding to keep.
        strangers: folders of sounds of other classes, to measure how often they are "unknown".
        name: of run and model.
        out: folder of the run; None: runs/NAME.
        publish: whether the model replaces the shipped one of its name.
        command: command line that repeats it.
    """

    data: Path
    base: str = "sound-embedding"
    blocks: int = 8
    strangers: tuple[Path, ...] = ()
    name: str = "scenes-distilled"
    out: Path | None = None
    publish: bool = False
    command: str = "python -m recipes.embedding scenes"

    @property
    def paths(self) -> RunPaths:
        """Where the model goes."""
        return RunPaths(self.name, self.out, self.publish)
