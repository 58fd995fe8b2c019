"""Settings of a training on scenes in bands."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class BandTraining:
    """Settings of a training.

    Attributes:
        seconds: of training.
        learning_rate: at its peak.
        batch: scenes of a step.
        weights: to begin with; None: new ones.
        teacher: TFLite file of YAMNet; None: none.
        seed: of everything that is drawn.
        report_steps: between two checks.
        trained_share: of the trained weights in the final ones, beside those to begin with.
        all_sources: learn from test sources as well, for weights that are shipped and whose figures
            come from others; validation sources stay apart.
    """

    seconds: float = 3600.0
    learning_rate: float = 2e-3
    batch: int = 16
    weights: Path | None = None
    teacher: Path | None = None
    seed: int = 0
    report_steps: int = 500
    trained_share: float = 1.0
    all_sources: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        """Parts of `zoo.data.bank.part_of` whose sources are learnt from."""
        return ("train", "test") if self.all_sources else ("train",)
