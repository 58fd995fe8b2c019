"""Settings of the CalculiX benchmark."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """What is built and run.

    Attributes:
        source: folder of CalculiX' sources, the one with `umat.f` and `Makefile`.
        model: saved model of a hyperelastic-viscous solid.
        out: folder for the build, decks and results.
        elements: of the notched strip across half its width; twice as many along half its length.
    """

    source: Path
    model: str = "material-vhb4910"
    out: Path = Path("runs/calculix")
    elements: int = 4
