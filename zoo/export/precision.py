"""What less precision costs: the same clips through every TFLite file of a model.

Run as a child process too, `python -m zoo.export.precision`: a file that crashes is a line there.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from zoo.export import children, formats, writer
from zoo.export.replay import answer


@dataclass(frozen=True)
class Precise:
    """A file in one precision, and what it answered.

    Attributes:
        answers: (clips, ...) of the model's first output.
        bytes: size of the file.
        seconds: median time of a clip on one thread [s].
    """

    answers: np.ndarray
    bytes: int
    seconds: float


def precisions(
    model: keras.Model,
    x: np.ndarray,
    *,
    examples: np.ndarray,
    front: str | None = None,
    weights: Sequence[str] = ("float32", "float16", "dynamic", "int8"),
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, Precise]:
    """Convert a model of one input in each precision and ask each file about the same clips.

    Args:
        model: whole, front end inside.
        x: (clips, ...) what to ask about: clips that the model has not learnt from.
        examples: (n, ...) inputs to calibrate integers on: clips that it has.
        front: name of a layer; what stands up to it stays float32 in every file.
        weights: precisions, see `zoo.export.formats.WEIGHTS`.
        say: takes a line of progress.

    Returns:
        precision -> file and answers; without those that cannot be made.
    """
    asked = formats.main_input(model)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "new").mkdir()
        np.save(work / "x.npy", np.asarray(x, np.float32))
        made, _ = writer.convert_files(
            work,
            model,
            None,
            [(formats.SERVING, name) for name in weights],
            {asked: (1, *x.shape[1:])},
            x,
            examples,
            front,
            say,
        )
        jobs = [
            {
                "file": str(work / "new" / each.file),
                "endpoint": each.endpoint,
                "input": asked,
                "output": next(iter(formats.outputs_of(model))),
                "x": str(work / "x.npy"),
                "out": str(work / f"{each.weights}.npy"),
            }
            for each in made
        ]
        replies = children.run(
            ["-m", "zoo.export.precision"], jobs, lambda job: say(f"ask: {Path(job['file']).name}")
        )
        return {
            each.weights: Precise(
                np.load(job["out"]), Path(job["file"]).stat().st_size, reply["result"]["seconds"]
            )
            for each, job, reply in zip(made, jobs, replies, strict=True)
            if "result" in reply
        }


def ask(job: dict) -> dict:
    """Answers of one TFLite file, clip by clip, on one thread.

    Args:
        job: `file`, `endpoint`, `input`, `output`; `x`: npy of clips; `out`: npy to write.

    Returns:
        `seconds`: median time of a clip.
    """
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=Path(job["file"]).read_bytes(), num_threads=1)
    run = interpreter.get_signature_runner(job["endpoint"])
    answers, seconds = [], []
    for clip in np.load(job["x"]):
        began = time.perf_counter()
        answers.append(run(**{job["input"]: clip[None]})[job["output"]][0].copy())
        seconds.append(time.perf_counter() - began)
    np.save(job["out"], np.stack(answers))
    return {"seconds": float(np.median(seconds))}


if __name__ == "__main__":
    answer(ask)
