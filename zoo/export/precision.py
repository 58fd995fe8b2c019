"""Loss by lower precision: predictions of every TFLite file of a model on the same clips.

Run as a child process too, `python -m zoo.export.precision`: a crash there leaves out one file.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo.export import children, formats
from zoo.export.formats import Format
from zoo.export.replay import answer_jobs
from zoo.export.tflite import Conversion, convert_files
from zoo.files import private_folder


@dataclass(frozen=True)
class PrecisionResult:
    """Predictions and cost of a TFLite file in one precision.

    Attributes:
        predictions: (clips, ...) of the model's first output.
        bytes: size of the file.
        seconds: median time of a clip on one thread [s].
    """

    predictions: np.ndarray
    bytes: int
    seconds: float


def measure_precisions(
    model: keras.Model,
    x: np.ndarray,
    *,
    examples: np.ndarray,
    front: str | None = None,
    weights: Sequence[str] = ("float32", "float16", "dynamic", "int8"),
    progress: Callable[[str], None] = lambda text: None,
) -> dict[str, PrecisionResult]:
    """Convert a model of one input in each precision and run each file on the same clips.

    Args:
        model: whole, front end inside.
        x: (clips, ...) to predict for: clips that the model was not trained on.
        examples: (n, ...) inputs to calibrate integers on: clips that it was trained on.
        front: name of the last layer that stays float32 in every file.
        weights: precisions, see `zoo.export.formats.WEIGHTS`.
        progress: takes a line of progress.

    Returns:
        precision -> result; without those that cannot be made.

    Raises:
        RuntimeError: if the float32 file cannot be made.
    """
    main = formats.main_input(model)
    with private_folder() as work:
        (work / "new").mkdir()
        np.save(work / "x.npy", np.asarray(x, np.float32))
        conversion = Conversion(
            sources={formats.SERVING: (model, {main: (1, *x.shape[1:])})},
            files=[(formats.SERVING, name) for name in weights],
            examples=np.asarray(examples, np.float32),
            front=front,
        )
        files = convert_files(work, conversion, progress)
        for file, reason in files.reasons.items():
            if file == formats.tflite_format(formats.SERVING, "float32").file:
                raise RuntimeError(f"{file} cannot be made: {reason}")
        converted = files.formats
        tensors = {"input": main, "output": next(iter(formats.outputs_of(model)))}
        jobs = [_job(work, each) | tensors for each in converted]
        replies = children.run_jobs(
            ["-m", "zoo.export.precision"],
            jobs,
            lambda job: progress(f"predict: {Path(job['file']).name}"),
        )
        return {
            each.weights: PrecisionResult(
                np.load(job["out"]), Path(job["file"]).stat().st_size, reply["result"]["seconds"]
            )
            for each, job, reply in zip(converted, jobs, replies, strict=True)
            if "result" in reply
        }


def _job(work: Path, target: Format) -> dict[str, Any]:
    return {
        "file": str(work / "new" / target.file),
        "endpoint": target.endpoint,
        "x": str(work / "x.npy"),
        "out": str(work / f"{target.weights}.npy"),
    }


def predict_clips(job: dict[str, Any]) -> dict[str, Any]:
    """Predictions of one TFLite file, clip by clip, on one thread.

    Args:
        job: `file`, `endpoint`, `input`, `output`; `x`: npy of clips; `out`: npy to write.

    Returns:
        `seconds`: median time of a clip.
    """
    from ai_edge_litert.interpreter import Interpreter  # in the child process only

    interpreter = Interpreter(model_content=Path(job["file"]).read_bytes(), num_threads=1)
    run = interpreter.get_signature_runner(job["endpoint"])
    predictions, seconds = [], []
    for clip in np.load(job["x"]):
        started = time.perf_counter()
        predictions.append(run(**{job["input"]: clip[None]})[job["output"]][0].copy())
        seconds.append(time.perf_counter() - started)
    np.save(job["out"], np.stack(predictions))
    return {"seconds": float(np.median(seconds))}


if __name__ == "__main__":
    answer_jobs(predict_clips)
