"""Settings of the benchmark, as the command line gives them."""

from dataclasses import dataclass
from pathlib import Path

from recipes.scenes.settings import DEFAULT_MODEL


@dataclass(frozen=True)
class Settings:
    """Settings of the benchmark.

    Attributes:
        data: folder of a corpus with folds.
        models: names of networks.
        seeds: number of seeds, from 0.
        ablation: whether each augmentation is left out in turn, then all of them.
        epochs: of 20 batches each.
        rows: file of the rows.
        checkpoint: folder of `recipes.scenes` to resume from; None: none.
    """

    data: Path
    models: tuple[str, ...] = (DEFAULT_MODEL,)
    seeds: int = 1
    ablation: bool = False
    epochs: int = 40
    rows: Path = Path("runs/scene_folds.jsonl")
    checkpoint: Path | None = None
