"""Settings of `zoo teach`."""

from dataclasses import dataclass
from pathlib import Path

from zoo.names import slug
from zoo.runs import RunPaths

BASE = "sound-embedding"


@dataclass(frozen=True)
class TeachSettings:
    """Settings of a classifier of one's own sounds.

    Attributes:
        data: folder of class folders, or of another corpus that `zoo data` reads.
        base: name or folder of a model with an embedding, or of a classifier that was taught
            before: its classes and their scores stay, those of the folder are added.
        name: of the model; None: that of the folder.
        out: folder of report and model; None: runs/NAME.
        seed: of the noisy copies and of fine-tuning.
        frozen: never fine-tune the embedding.
        command: command line that repeats it.
    """

    data: Path
    base: str = BASE
    name: str | None = None
    out: Path | None = None
    seed: int = 0
    frozen: bool = False
    command: str = "zoo teach"

    @property
    def paths(self) -> RunPaths:
        """Where report and model go."""
        name = self.name or f"sounds-{slug(self.data.resolve().name)}"
        return RunPaths(name, self.out)
