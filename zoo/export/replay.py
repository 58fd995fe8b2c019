"""Replay golden inputs on every exported format, in a process that cannot import this package.

Run by path, not by name, so that nothing beside it can be imported: the files must open alone.
Jobs come as lines of JSON on standard input and are answered line by line on standard output.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


class ForbiddenImports:
    """Import hook that refuses the named packages."""

    def __init__(self, packages: tuple[str, ...]) -> None:
        self.packages = packages

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """Refuse a forbidden package; leave every other one to the next finder.

        Raises:
            ImportError: if the package is forbidden.
        """
        if name.split(".")[0] in self.packages:
            raise ImportError(f"{name} is forbidden here: an exported file must not need it")


def answer_jobs(handle: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Read jobs from standard input until it ends; write the result or error of each.

    Args:
        handle: job -> result, both JSON.
    """
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # keep lines that libraries print apart from the answers
    for line in sys.stdin:
        job = json.loads(line)
        try:
            reply = {"result": handle(job)}
        except Exception as error:
            kind = (
                "" if type(error) is ValueError else f"{type(error).__name__}: "
            )  # is a complete message
            reply = {"error": kind + " ".join(str(error).split())}
        print(json.dumps(reply), file=channel, flush=True)


def replay(job: dict[str, Any]) -> dict[str, Any]:
    """Differences of one format from the golden outputs, on the golden inputs.

    Args:
        job: `folder`, `file`, `kind` (keras, saved_model or tflite), `endpoint`, `input`, and
            `needs`: modules to import first. Or, of a step in TFLite, `output` and `path`, rows of
            the input.

    Returns:
        `differences`: output -> case -> [largest, RMS] difference. Of a path, `values` of its
        output.
    """
    if "path" in job:
        path = np.asarray(job["path"], np.float32)[None]
        return {"values": replay_tflite(job, path)[job["output"]][0].tolist()}
    for module in job["needs"]:
        __import__(module)
    with np.load(Path(job["folder"], "golden.npz")) as file:
        golden = dict(file)
    cases = golden.pop("cases").tolist()
    x = golden.pop(job["input"])
    outputs = KINDS[job["kind"]](job, x)
    return {
        "differences": {
            name: {
                case: _difference(_last_step(outputs[name][k], golden[name][k]), golden[name][k])
                for k, case in enumerate(cases)
            }
            for name in golden
            if name in outputs
        }
    }


def replay_keras(job: dict[str, Any], x: np.ndarray) -> Arrays:
    """Outputs of a `.keras` file for whole sequences."""
    import keras  # each format loads its own runtime only

    model = keras.saving.load_model(Path(job["folder"], job["file"]))
    outputs = model(x, training=False)
    if not isinstance(outputs, dict):
        outputs = {job["output"]: outputs}
    return {name: np.asarray(value) for name, value in outputs.items()}


def replay_saved_model(job: dict[str, Any], x: np.ndarray) -> Arrays:
    """Outputs of one endpoint of a SavedModel; a step model runs in closed loop."""
    import tensorflow as tf  # each format loads its own runtime only

    loaded = tf.saved_model.load(str(Path(job["folder"], job["file"])))
    run = loaded.signatures[job["endpoint"]]
    specs = run.structured_input_signature[1]

    def call(inputs: Arrays) -> Arrays:
        outputs = run(**{name: tf.constant(value) for name, value in inputs.items()})
        return {name: value.numpy() for name, value in outputs.items()}

    if len(specs) == 1:
        return call({job["input"]: x})
    shapes = {name: (len(x), *spec.shape[1:]) for name, spec in specs.items()}
    return _closed_loop(call, shapes, job["input"], x)


def replay_tflite(job: dict[str, Any], x: np.ndarray) -> Arrays:
    """Outputs of a TFLite file, case by case, with built-in operations only."""
    from ai_edge_litert.interpreter import Interpreter  # each format loads its own runtime

    content = Path(job["folder"], job["file"]).read_bytes()
    interpreter = Interpreter(model_content=content)
    run = interpreter.get_signature_runner(job["endpoint"])
    shapes = {name: tuple(each["shape"]) for name, each in run.get_input_details().items()}

    def call(inputs: Arrays) -> Arrays:
        return {name: value.copy() for name, value in run(**inputs).items()}

    def run_case(case: np.ndarray) -> Arrays:
        if len(shapes) == 1:
            return call({job["input"]: case})
        return _closed_loop(call, shapes, job["input"], case)

    results = [run_case(x[k : k + 1]) for k in range(len(x))]
    return {name: np.concatenate([each[name] for each in results]) for name in results[0]}


KINDS = {"keras": replay_keras, "saved_model": replay_saved_model, "tflite": replay_tflite}


def _closed_loop(
    call: Callable[[Arrays], Arrays], shapes: dict[str, tuple[int, ...]], name: str, x: np.ndarray
) -> Arrays:
    """Step through time, feeding every state back; states start at zero.

    Args:
        call: the step model.
        shapes: of its inputs.
        name: of the input that is not a state.
        x: (batch, samples, ...), split into steps of the shape that the model takes.

    Returns:
        name -> (batch, steps, ...); states after the step go by the name of the state.
    """
    states = {each: np.zeros(s, np.float32) for each, s in shapes.items() if each != name}

    results = []
    for now in np.moveaxis(x.reshape(len(x), -1, *shapes[name][1:]), 1, 0):
        outputs = call({name: now, **states})
        states = {each: outputs.pop(f"{each}_next") for each in states}
        results.append({**outputs, **states})
    return {each: np.stack([step[each] for step in results], axis=1) for each in results[0]}


def _last_step(output: np.ndarray, golden: np.ndarray) -> np.ndarray:
    """The last of a step model's outputs where the golden output is one for the whole sequence."""
    return output[-1] if output.ndim == golden.ndim + 1 else output


def _difference(output: np.ndarray, golden: np.ndarray) -> list[float]:
    """[largest, RMS] difference of an output."""
    if output.shape != golden.shape:
        raise ValueError(f"an output has shape {output.shape}, the golden one {golden.shape}")
    difference = output.astype(np.float64) - golden
    return [float(np.abs(difference).max()), float(np.sqrt(np.mean(difference**2)))]


if __name__ == "__main__":
    forbidden = tuple(sys.argv[1:])
    sys.meta_path.insert(0, ForbiddenImports(forbidden))
    answer_jobs(replay)
    loaded = {name.split(".")[0] for name in sys.modules} & set(forbidden)
    sys.exit(f"imported although forbidden: {', '.join(loaded)}" if loaded else 0)
