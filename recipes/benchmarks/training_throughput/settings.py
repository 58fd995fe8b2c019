"""Settings of the benchmark, as the command line gives them."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Settings of the benchmark.

    Attributes:
        data: folder of a corpus in any layout; None: synthetic scenes.
        models: names of networks.
        blocks: number of blocks of either kind.
        steps: training steps in a block.
    """

    data: Path | None = None
    models: tuple[str, ...] = ("residual_tiny", "alexnet_gap")
    blocks: int = 6
    steps: int = 10
