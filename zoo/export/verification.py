"""Replay of the golden inputs of a saved model, compared with what its manifest records."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.edge.golden import read_golden
from zoo.export.formats import SERVING, Format
from zoo.export.golden import TOLERANCE, replay_formats
from zoo.files import private_folder
from zoo.manifest import copy_verified, verified_bytes, verify_folder
from zoo.provenance import UNKNOWN, origin
from zoo.registration import check_keras_content

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
    folder: str | Path,
    progress: Callable[[str], None] = lambda text: None,
    *,
    trust: bool = False,
) -> list[GoldenResult]:
    """Run the formats of a saved model on its golden inputs, in fresh processes.

    Args:
        folder: of the saved model; verified first.
        progress: takes a line of progress.
        trust: run a SavedModel of unknown origin too, which can do whatever a program can.

    Returns:
        A result for each format, in the order of the manifest; without its SavedModel where that is
        of unknown origin and not trusted.

    Raises:
        ValueError: if a file was changed, or a float32 format no longer gives the golden outputs.
    """
    folder = Path(folder)
    manifest = verify_folder(folder)
    may_serve = trust or origin(manifest) != UNKNOWN
    entries: dict[str, dict[str, Any]] = {
        name: entry
        for name, entry in manifest["formats"].items()
        if may_serve or _kind(entry) != "saved_model"
    }
    chosen = [_format(entry) for entry in entries.values()]
    inputs = manifest["signatures"][SERVING]["inputs"]
    golden = {
        name: values
        for name, values in read_golden(folder, manifest).items()
        if name != "cases" and name not in inputs
    }
    for each in chosen:
        if each.kind != "saved_model":
            content = verified_bytes(folder, manifest, each.file)  # of a file in the folder itself
            if each.kind == "keras":
                check_keras_content(content, folder / each.file)
    try:
        with private_folder() as private:
            copy_verified(folder, manifest, private)
            main = next(iter(inputs))
            replayed = replay_formats(private, chosen, main, golden, progress).entries
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


def _kind(entry: dict[str, Any]) -> str:
    if entry.get("file") == "serving":
        return "saved_model"
    return "keras" if entry.get("file") == "model.keras" else "tflite"


def _format(entry: dict[str, Any]) -> Format:
    # not the modules that the manifest names: only those of zoo are imported
    needs = (REGISTRATION,) if entry.get("needs") else ()
    return Format(entry["file"], _kind(entry), entry["endpoint"], entry["weights"], needs)
