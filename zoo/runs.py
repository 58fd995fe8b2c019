"""Where a run of a recipe writes: its report and its model, in one folder of its own."""

from dataclasses import dataclass
from pathlib import Path

RUNS = Path("runs")
PUBLISHED = Path("saved_models")


@dataclass(frozen=True)
class RunPaths:
    """Files of one run.

    Attributes:
        name: of the run and of its model, such as "hysteresis-lstm".
        folder: of the run; None: runs/NAME.
        publish: whether the model replaces the shipped one of that name.
    """

    name: str
    folder: Path | None = None
    publish: bool = False

    @property
    def root(self) -> Path:
        """Folder of the run."""
        return self.folder or RUNS / self.name

    @property
    def report(self) -> Path:
        """The page."""
        return self.root / "report.html"

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints that an interrupted run is resumed from."""
        return self.root / "checkpoints"

    @property
    def model(self) -> Path:
        """Folder of the exported model."""
        return PUBLISHED / self.name if self.publish else self.root / "model"
