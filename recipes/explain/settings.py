"""Settings of the experiment."""

from dataclasses import dataclass
from pathlib import Path

from zoo.names import EXPLANATIONS
from zoo.runs import RunPaths


@dataclass(frozen=True)
class Settings:
    """What is compared, on how many clips.

    Attributes:
        clips: of each kind of event, to explain.
        training_clips: of each kind, to train the network on.
        epochs: of 40 batches of 32.
        methods: of explanation, of `zoo.explain.EXPLANATIONS`.
        patch_s: length of a patch [s].
        patch_share: height of a patch, as a share of the bands.
        sanity_clips: of each kind, explained with random weights too.
        seed: of clips and weights.
        quick: a smoke run: few clips, hardly trained.
        out: folder of the page; None: runs/NAME.
        command: command line that repeats the run.
    """

    clips: int = 300
    training_clips: int = 600
    epochs: int = 20
    methods: tuple[str, ...] = EXPLANATIONS
    patch_s: float = 0.1
    patch_share: float = 1 / 16
    sanity_clips: int = 8
    seed: int = 0
    quick: bool = False
    out: Path | None = None
    command: str = "python -m recipes.explain"

    @property
    def paths(self) -> RunPaths:
        """Files of the run."""
        return RunPaths("explain-quick" if self.quick else "explain", self.out)
