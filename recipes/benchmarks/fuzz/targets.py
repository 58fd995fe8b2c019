"""The target of each name."""

from collections.abc import Callable
from pathlib import Path

from recipes.benchmarks.fuzz import file_targets as files
from recipes.benchmarks.fuzz import model_targets as models
from recipes.benchmarks.fuzz.target import Target

_MAKERS: dict[str, Callable[[Path, Path], Target]] = {
    "manifest": models.manifest_target,
    "resealed manifest": models.resealed_manifest_target,
    "golden": models.golden_target,
    "checkpoint": files.checkpoint_target,
    "cache": files.cache_target,
    "trial": files.trial_target,
    "budget": files.budget_target,
    "corpus": files.corpus_target,
    "keras": models.keras_target,
    "tflite": models.tflite_target,
    "litert": models.litert_target,
}


def make_target(name: str, model: Path, work: Path) -> Target:
    """A target.

    Args:
        name: among `recipes.benchmarks.fuzz.settings.TARGETS`.
        model: folder of a small saved stress model.
        work: empty folder for its files.
    """
    if name in files.SOUNDS:
        return files.sound_target(name, work)
    if name.startswith("csv"):
        return files.csv_target(name, work)
    return _MAKERS[name](model, work)
