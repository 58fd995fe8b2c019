"""Replay of the golden inputs of a saved model, compared with what its manifest records."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.export.formats import SERVING, Format
from zoo.export.golden import TOLERANCE, replay_formats
from zoo.manifest import verify_folder

REGISTRATION = "zoo.registration"  # imports every layer that a `.keras` file of zoo may hold
# Excess of the difference over the recorded one: another processor rounds in another order.
MARGIN = 1.1


@dataclass(frozen=True)
class GoldenResult:
    """Difference of one format from the golden outputs.

    Attributes:
        file: of the saved model.
        endpoint: signature of the file.
        share: RMS difference over the RMS of the golden output [-]; None where it does not open or
            differs by more than `zoo.export.golden.TOLERANCE`.
        recorded: the same when it was exported.
        passed: whether it is within the tolerance of float32, or near the recorded difference.
    """

    file: str
    endpoint: str
    share: float | None
    recorded: float
    passed: bool


def replay_golden(
    folder: str | Path, progress: Callable[[str], None] = lambda text: None
) -> list[GoldenResult]:
    """Run every format of a saved model on its golden inputs, in fresh processes.

    Args:
        folder: of the saved model; verified first.
        progress: takes a line of progress.

    Returns:
        A result for each format, in the order of the manifest.

    Raises:
        ValueError: if a file was changed, or a float32 format no longer gives the golden outputs.
    """
    folder = Path(folder)
    manifest = verify_folder(folder)
    entries: dict[str, dict[str, Any]] = manifest["formats"]
    chosen = [_format(entry) for entry in entries.values()]
    inputs = manifest["signatures"][SERVING]["inputs"]
    with np.load(folder / "golden.npz") as file:
        golden = {name: file[name] for name in file.files if name != "cases" and name not in inputs}
    try:
        replayed = replay_formats(folder, chosen, next(iter(inputs)), golden, progress).entries
    except RuntimeError as error:
        raise ValueError(f"{folder}: {error}") from None
    results = []
    for name, entry in entries.items():
        share = replayed[name]["rms_share"] if name in replayed else None
        limit = max(MARGIN * entry["rms_share"], TOLERANCE["float32"])
        passed = share is not None and share <= limit
        results.append(
            GoldenResult(entry["file"], entry["endpoint"], share, entry["rms_share"], passed)
        )
    return results


def _format(entry: dict[str, Any]) -> Format:
    kinds = {"model.keras": "keras", "serving": "saved_model"}
    kind = kinds.get(entry["file"], "tflite")
    # not the modules that the manifest names: only those of zoo are imported
    needs = (REGISTRATION,) if entry.get("needs") else ()
    return Format(entry["file"], kind, entry["endpoint"], entry["weights"], needs)
