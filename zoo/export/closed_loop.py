"""Thousands of steps in closed loop: the difference that a step of less precision adds up.

Run as a child process: `python zoo/export/replay.py`, whose jobs have a `path`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from zoo.export import children
from zoo.export.formats import STEP, Format, tflite_format

STEPS = 10_000
MAX_INTEGER_SHARE = (
    0.02  # RMS difference over RMS; a file of 8 bits that is further off is left out
)


def long_path(examples: np.ndarray, steps: int = STEPS) -> np.ndarray:
    """One path of many steps: every example, then the same backwards, and so on.

    Backwards, a step from a to b becomes one from b to a in the same time, so that the strain is
    continuous where each example begins at zero.

    Args:
        examples: (paths, time, features): strain, rate, Δt and whatever is constant.
        steps: length of the path; examples are repeated as often as it takes.

    Returns:
        (steps, features).
    """
    back = examples[:, ::-1].copy()
    back[..., 0] -= back[..., 1] * back[..., 2]
    back[..., 1] *= -1.0
    rows = np.concatenate([examples, back], axis=1).reshape(-1, examples.shape[-1])
    return np.resize(rows, (steps, rows.shape[-1]))


def measure_closed_loop(
    folder: Path,
    formats: Sequence[Format],
    path: np.ndarray,
    names: tuple[str, str],
    progress: Callable[[str], None],
) -> dict[str, float]:
    """RMS difference of step files from step.tflite over a long path, by its RMS.

    Args:
        folder: with the files.
        formats: step files of less precision.
        path: (steps, features).
        names: of the input and of the output.
        progress: takes a line of progress.

    Returns:
        File -> share; infinite where it or step.tflite does not run, or where it returns no
        numbers.
    """
    exact = tflite_format(STEP, "float32")
    jobs = [
        {
            "folder": str(folder),
            "file": each.file,
            "endpoint": STEP,
            "input": names[0],
            "output": names[1],
            "path": path.tolist(),
        }
        for each in (exact, *formats)
    ]
    script = str(Path(children.ROOT, "zoo", "export", "replay.py"))
    replies = children.run_jobs(
        [script, "zoo"], jobs, lambda job: progress(f"closed loop: {job['file']}")
    )
    reference, *others = (np.asarray(each.get("result", {}).get("values")) for each in replies)
    if reference.dtype == object:  # there is nothing to compare with
        return {each.file: np.inf for each in formats}
    rms = float(np.sqrt(np.mean(np.square(reference, dtype=float)))) or 1.0
    shares = {}
    for each, values in zip(formats, others, strict=True):
        share = np.inf
        if values.shape == reference.shape and np.isfinite(values.astype(float)).all():
            share = float(np.sqrt(np.mean((values - reference) ** 2))) / rms
        shares[each.file] = share
    return shares
