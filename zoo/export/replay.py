"""Replay golden inputs on every exported format, in a process that knows nothing of this package.

Run by path, not by name, so that nothing beside it can be imported: what it opens must stand alone.
Jobs come as lines of JSON on standard input and are answered line by line on standard output.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

Arrays = dict[str, np.ndarray]


class Forbid:
    """Import hook under which the named packages do not exist."""

    def __init__(self, packages: tuple[str, ...]) -> None:
        self.packages = packages

    def find_spec(self, name, path=None, target=None):
        """Answer for the forbidden packages only."""
        if name.split(".")[0] in self.packages:
            raise ImportError(f"{name} is forbidden here: what was exported must not need it")


def answer(handle: Callable[[dict], dict]) -> None:
    """Take jobs from standard input until it ends; report each start, result or failure."""
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not mix with the answers
    for line in sys.stdin:
        job = json.loads(line)
        try:
            reply = {"result": handle(job)}
        except Exception as error:
            text = " ".join(str(error).split())
            reply = {"error": f"{type(error).__name__}: {text}"}
        print(json.dumps(reply), file=channel, flush=True)


def replay(job: dict) -> dict:
    """Answers of one format to the golden inputs, against the golden outputs.

    Args:
        job: `folder`, `file`, `kind` (keras, saved_model or tflite), `endpoint`, `input`, and
            `needs`: modules to import first.

    Returns:
        `differences`: output -> case -> [largest, RMS] difference; for TFLite also `operations`.
    """
    for module in job["needs"]:
        __import__(module)
    with np.load(Path(job["folder"], "golden.npz")) as file:
        golden = dict(file)
    cases = golden.pop("cases").tolist()
    x = golden.pop(job["input"])
    outputs, extra = KINDS[job["kind"]](job, x)
    return {
        "differences": {
            name: {
                case: _difference(_at_end(outputs[name][k], golden[name][k]), golden[name][k])
                for k, case in enumerate(cases)
            }
            for name in golden
            if name in outputs
        },
        **extra,
    }


def replay_keras(job: dict, x: np.ndarray) -> tuple[Arrays, dict]:
    """`.keras` file, the whole sequence."""
    import keras

    model = keras.saving.load_model(Path(job["folder"], job["file"]))
    outputs = model(x, training=False)
    if not isinstance(outputs, dict):
        outputs = {job["output"]: outputs}
    return {name: np.asarray(value) for name, value in outputs.items()}, {}


def replay_saved_model(job: dict, x: np.ndarray) -> tuple[Arrays, dict]:
    """One endpoint of a SavedModel."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(Path(job["folder"], job["file"])))
    run = loaded.signatures[job["endpoint"]]
    specs = run.structured_input_signature[1]

    def call(inputs: Arrays) -> Arrays:
        outputs = run(**{name: tf.constant(value) for name, value in inputs.items()})
        return {name: value.numpy() for name, value in outputs.items()}

    if len(specs) == 1:
        return call({job["input"]: x}), {}
    shapes = {name: (len(x), *spec.shape[1:]) for name, spec in specs.items()}
    return _closed_loop(call, shapes, job["input"], x), {}


def replay_tflite(job: dict, x: np.ndarray) -> tuple[Arrays, dict]:
    """A TFLite file, case by case, with built-in operations only."""
    from ai_edge_litert.interpreter import Interpreter

    content = Path(job["folder"], job["file"]).read_bytes()
    interpreter = Interpreter(model_content=content)
    run = interpreter.get_signature_runner(job["endpoint"])
    shapes = {name: tuple(each["shape"]) for name, each in run.get_input_details().items()}

    def call(inputs: Arrays) -> Arrays:
        return {name: value.copy() for name, value in run(**inputs).items()}

    def one(case: np.ndarray) -> Arrays:
        if len(shapes) == 1:
            return call({job["input"]: case})
        return _closed_loop(call, shapes, job["input"], case)

    answers = [one(x[k : k + 1]) for k in range(len(x))]
    outputs = {name: np.concatenate([a[name] for a in answers]) for name in answers[0]}
    return outputs, {}


KINDS = {"keras": replay_keras, "saved_model": replay_saved_model, "tflite": replay_tflite}


def _closed_loop(
    call: Callable[[Arrays], Arrays], shapes: dict[str, tuple], name: str, x: np.ndarray
) -> Arrays:
    """Step through time, feeding every state back; states start at zero.

    Args:
        call: the step model.
        shapes: of its inputs.
        name: of the input that is not a state.
        x: (batch, samples, ...), taken apart into steps of the shape that the model wants.

    Returns:
        name -> (batch, steps, ...); states after the step go by the name of the state.
    """
    states = {each: np.zeros(s, np.float32) for each, s in shapes.items() if each != name}

    def steps() -> Iterator[Arrays]:
        nonlocal states
        for now in np.moveaxis(x.reshape(len(x), -1, *shapes[name][1:]), 1, 0):
            outputs = call({name: now, **states})
            states = {each: outputs.pop(f"{each}_next") for each in states}
            yield {**outputs, **states}

    answers = list(steps())
    return {each: np.stack([a[each] for a in answers], axis=1) for each in answers[0]}


def _at_end(got: np.ndarray, golden: np.ndarray) -> np.ndarray:
    """The last of a step model's answers where the model itself gives a single one."""
    return got[-1] if got.ndim == golden.ndim + 1 else got


def _difference(got: np.ndarray, golden: np.ndarray) -> list[float]:
    if got.shape != golden.shape:
        raise ValueError(f"an output has shape {got.shape}, the golden one {golden.shape}")
    difference = got.astype(np.float64) - golden
    return [float(np.abs(difference).max()), float(np.sqrt(np.mean(difference**2)))]


if __name__ == "__main__":
    forbidden = tuple(sys.argv[1:])
    sys.meta_path.insert(0, Forbid(forbidden))
    answer(replay)
    loaded = {name.split(".")[0] for name in sys.modules} & set(forbidden)
    sys.exit(f"imported in spite of all: {', '.join(loaded)}" if loaded else 0)
