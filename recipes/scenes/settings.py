"""Settings of the experiment, as the command line gives them."""

from dataclasses import dataclass
from pathlib import Path

from zoo.names import slug
from zoo.runs import RunPaths
from zoo.tasks import Workers

MODELS = (
    *("residual_tiny", "residual_tiny_causal", "residual_bands"),
    *("alexnet_gap", "alexnet_spectrogram"),
)
DEFAULT_MODEL = MODELS[0]
AUGMENTATIONS = ("speeds", "noise", "shifts", "same-class", "equaliser", "masks")
STEPS_PER_EPOCH = 20


def current_augmentation(name: str) -> str:
    """Present name of an augmentation; "company" is the former name of "same-class"."""
    return "same-class" if name == "company" else name


@dataclass(frozen=True)
class Settings:
    """Settings of the experiment.

    Attributes:
        data: folder of a corpus; None: synthetic scenes.
        layout: of `data`, if it is not recognised.
        rate_hz: sample rate that everything is resampled to [Hz]; None: that of the recordings.
        duration_s: length of the model's input [s], to which shorter clips are repeated and longer
            ones are cut into windows; None: the median, where that is above 10 s 5 s.
        cache: folder that keeps decoded clips; None: memory.
        sites: number of sites of the synthetic scenes.
        model: name of the network, one of `MODELS`.
        pretrain: folders of other labelled corpora that the network is trained on first.
        frozen: fit the last layer alone to the corpus, behind the pre-trained ones.
        teacher: TFLite file that the network learns from beside the labels; None: none.
        teacher_sound: folders of corpora that the teacher hears without their labels.
        strangers: folders of sounds of other classes, to measure how often they are "unknown".
        folds: test on the first so many folds only; None: all.
        epochs: of 20 batches each; None: 12, with `data` 40.
        learning_rate: at its peak.
        without: augmentations to leave out, of `AUGMENTATIONS`.
        mixup: alpha of mixed clips and labels; 0: none.
        freq_mixstyle: share of clips with the band statistics of another; 0: none.
        seed: of data, weights and batches.
        quick: a smoke run: little data, short.
        force: export a model that is worse than its simplest baseline.
        name: of the run and of its model; None: by data and network.
        checkpoint: folder to resume from and save to; None: that of the run.
        tensorboard: folder for logs; None: none.
        out: folder of the run; None: runs/NAME.
        publish: whether the model replaces the shipped one of its name.
        workers: where the folds are trained, each in a process of its own with one thread; None:
            one after the other.
        command: command line that repeats the run.
    """

    data: Path | None = None
    layout: str | None = None
    rate_hz: int | None = None
    duration_s: float | None = None
    cache: Path | None = None
    sites: int = 24
    model: str = DEFAULT_MODEL
    pretrain: tuple[Path, ...] = ()
    frozen: bool = False
    teacher: Path | None = None
    teacher_sound: tuple[Path, ...] = ()
    strangers: tuple[Path, ...] = ()
    folds: int | None = None
    epochs: int | None = None
    learning_rate: float = 3e-3
    without: tuple[str, ...] = ()
    mixup: float = 0.0
    freq_mixstyle: float = 0.0
    seed: int = 0
    quick: bool = False
    force: bool = False
    name: str | None = None
    checkpoint: Path | None = None
    tensorboard: Path | None = None
    out: Path | None = None
    publish: bool = False
    workers: Workers | None = None
    command: str = "python -m recipes.scenes"

    @property
    def paths(self) -> RunPaths:
        """Where report and model go."""
        return RunPaths(self.name or self.default_name, self.out, self.publish)

    @property
    def default_name(self) -> str:
        """Name by data and network; a quick run has its own."""
        name = f"scenes-{slug(self.data.resolve().name) if self.data else 'synthetic'}"
        if self.model != DEFAULT_MODEL:
            kind = self.model.removeprefix("alexnet_").removeprefix("residual_")
            name += f"-{kind.replace('_', '-')}"
        return f"{name}-quick" if self.quick else name
