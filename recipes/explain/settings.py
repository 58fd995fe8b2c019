"""Settings of the experiment."""

from dataclasses import dataclass
from pathlib import Path

from zoo.names import EXPLANATIONS
from zoo.runs import RunPaths

PARTS = ("events", "onsets", "wheezes", "filters")


@dataclass(frozen=True)
class Settings:
    """What is compared, on how many clips.

    Attributes:
        clips: of each kind of event, to explain; half of them choose, the others are reported.
        training_clips: of each kind, to train a network on.
        epochs: of 40 batches of 32.
        parts: of the comparison, of `PARTS`; events are always among them.
        methods: of explanation, of `zoo.explain.EXPLANATIONS`.
        patch_s: length of a patch [s].
        patch_share: height of a patch, as a share of the bands.
        random_clips: of each kind, explained with random weights too, layer by layer.
        wheezes: synthetic breaths, and recorded ones at most, to explain.
        icbhi: folder of the ICBHI corpus, for real wheezes; None: synthetic ones only.
        seed: of clips and weights.
        quick: a smoke run: few clips, hardly trained.
        table: Markdown file of the results; None: methods.md beside the page.
        out: folder of the page; None: runs/explain.
        command: command line that repeats the run.
    """

    clips: int = 300
    training_clips: int = 600
    epochs: int = 20
    parts: tuple[str, ...] = PARTS
    methods: tuple[str, ...] = EXPLANATIONS
    patch_s: float = 0.1
    patch_share: float = 1 / 16
    random_clips: int = 20
    wheezes: int = 300
    icbhi: Path | None = None
    seed: int = 0
    quick: bool = False
    table: Path | None = None
    out: Path | None = None
    command: str = "python -m recipes.explain"

    @property
    def paths(self) -> RunPaths:
        """Files of the run."""
        return RunPaths("explain-quick" if self.quick else "explain", self.out)

    def checkpoint(self, name: str) -> Path:
        """File of a training or of a block of clips, from which the same command goes on."""
        return self.paths.checkpoints / f"explain-seed{self.seed}" / f"{name}.npz"
