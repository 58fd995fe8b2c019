"""Replay of golden inputs on every format in fresh processes: differences in the outputs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from zoo.export import children
from zoo.export.formats import Format

# Largest difference from the golden outputs, as a share of the RMS of that output: the worst one in
# float32, the RMS difference in less precision. A TFLite file that differs more is left out, and
# the manifest says so; in model.keras and the SavedModel more is a fault of the export.
TOLERANCE = {"float32": 1e-4, "float16": 1e-2, "dynamic": 5e-2, "int8": 0.25, "int16x8": 0.1}
NOTABLE = 0.02  # RMS share beyond which the difference is named among the limits

Outputs = Mapping[str, np.ndarray]


@dataclass
class Replayed:
    """Results of the replay.

    Attributes:
        entries: key in `formats` of the manifest -> entry.
        dropped: file -> why it is left out, one sentence.
        notes: sentences for `limits` of the manifest.
    """

    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    dropped: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def drop(self, file: str, reason: str) -> None:
        """Leave a file out that was replayed, with all that was said of it.

        Args:
            file: key in `entries`.
            reason: one clause.
        """
        del self.entries[file]
        self.notes = [note for note in self.notes if not note.startswith(f"{file} ")]
        self.dropped[file] = f"There is no {file}: {reason}."


def replay_formats(
    folder: Path,
    formats: Sequence[Format],
    input_name: str,
    golden: Outputs,
    progress: Callable[[str], None],
) -> Replayed:
    """Compare every format with the golden outputs.

    Args:
        folder: with the files and golden.npz.
        formats: to replay.
        input_name: of the golden inputs.
        golden: outputs by name, (cases, ...); the first one decides.
        progress: takes a line of progress.

    Raises:
        RuntimeError: if model.keras or the SavedModel cannot be opened or differs by more than
            `TOLERANCE`.
    """
    replies = _run(folder, formats, input_name, next(iter(golden)), progress)
    replayed = Replayed()
    for each, reply in zip(formats, replies, strict=True):
        entry: dict[str, Any] = {
            "file": each.file,
            "endpoint": each.endpoint,
            "weights": each.weights,
        }
        problem = reply.get("error")
        if problem is None:
            entry |= _differences(reply["result"]["differences"], golden)
            problem = _excess(entry)
        if problem is not None:
            if each.kind != "tflite":
                raise RuntimeError(f"{each.file} ({each.endpoint}) is not faithful: {problem}")
            replayed.dropped[each.file] = f"There is no {each.file}: {problem}."
            continue
        if each.needs:
            entry["needs"] = list(each.needs)
        if each.weights != "float32" and entry["rms_share"] > NOTABLE:
            replayed.notes.append(
                f"{each.file} is {entry['rms_share']:.1%} off the trained model (RMS, golden "
                "cases): try it before you use it."
            )
        key = each.file if each.kind != "saved_model" else f"serving:{each.endpoint}"
        replayed.entries[key] = entry
    return replayed


def _run(
    folder: Path,
    formats: Sequence[Format],
    input_name: str,
    output_name: str,
    progress: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Reply of the child process for each format.

    What needs a module to open is replayed with it, everything else where zoo does not exist.
    """
    script = str(Path(children.ROOT, "zoo", "export", "replay.py"))
    replies: dict[Format, dict[str, Any]] = {}
    for forbidden in (["zoo"], []):
        batch = [each for each in formats if bool(each.needs) is not bool(forbidden)]
        jobs = [
            {
                "folder": str(folder),
                "file": each.file,
                "kind": each.kind,
                "endpoint": each.endpoint,
                "input": input_name,
                "output": output_name,
                "needs": each.needs,
            }
            for each in batch
        ]
        if jobs:
            results = children.run_jobs(
                [script, *forbidden],
                jobs,
                lambda job: progress(f"replay: {job['file']}, {job['endpoint']}"),
            )
            replies |= dict(zip(batch, results, strict=True))
    return [replies[each] for each in formats]


def _differences(
    differences: Mapping[str, Mapping[str, Sequence[float]]], golden: Outputs
) -> dict[str, Any]:
    """Largest difference of each output, and of the first one its RMS as a share."""
    main = next(iter(golden))
    rms = float(np.sqrt(np.mean(np.square(golden[main], dtype=np.float64)))) or 1.0
    worst = {name: max(pair[0] for pair in cases.values()) for name, cases in differences.items()}
    squares = [pair[1] ** 2 for pair in differences[main].values()]
    return {
        "worst_difference": worst,
        "worst_share_of_rms": worst[main] / rms,
        "rms_share": float(np.sqrt(np.mean(squares))) / rms,
    }


def _excess(entry: Mapping[str, Any]) -> str | None:
    """Why a format differs too much; None if it does not."""
    is_exact = entry["weights"] == "float32"
    share = entry["worst_share_of_rms" if is_exact else "rms_share"]
    if share <= TOLERANCE[entry["weights"]]:
        return None
    return (
        f"its {'worst' if is_exact else 'RMS'} difference from the trained model is {share:.2g} of "
        f"the RMS, more than {TOLERANCE[entry['weights']]:g}"
    )
