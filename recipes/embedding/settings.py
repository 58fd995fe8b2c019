"""Settings of the distillation and of the scene classifiers."""

from dataclasses import dataclass
from pathlib import Path

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
    """Settings of scene classifiers that start from distilled students.

    Attributes:
        teacher: as in `Settings`.
        bank: folders of banks with ESC-10; of others for backgrounds.
        out: folder with the students of a distillation without ESC-10, and for results.
        students: name -> network.
        seconds: of each training.
        until: end of all [s] after the start; runs that would end later are left out.
        batch: clips of a step.
        samples: of a training excerpt.
        learning_rate: at its peak.
        teacher_weight: of the teacher's embedding beside the labels; 0: labels alone.
        steps: of an epoch.
        seed: of mixtures.
    """

    teacher: Path
    bank: tuple[Path, ...]
    out: Path
    students: dict[str, str]
    seconds: float
    until: float
    batch: int = 64
    samples: int = 38_640
    learning_rate: float = 1.5e-3
    teacher_weight: float = 1.0
    steps: int = 25
    seed: int = 0
