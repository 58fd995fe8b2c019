"""Run a saved model in an app of your own: everything needed is in this file.

It reads one folder of saved_models/, checks it against the hashes in its manifest, prints what the
model takes and gives, streams a loading history through it step by step, and shows the answer.
Nothing of the package that trained the model is imported; with `--tflite` not even TensorFlow.
"""

import argparse
import csv
import hashlib
import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

Step = Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]
TIMES, STRETCHES = ("time", "time_s", "t"), ("stretch", "strain", "lambda")


class Loading(NamedTuple):
    """A history of stretch: sample j stands at the end of step j. Each (steps,)."""

    time_s: np.ndarray
    stretch: np.ndarray
    rate: np.ndarray
    dt: np.ndarray


def main(arguments: list[str] | None = None) -> int:
    """Verify, open, stream, show."""
    options = parse(arguments)
    manifest = verified(options.folder)
    history = options.csv
    loading = read_csv(history, options.time, options.stretch) if history else cycle()
    print(contract(manifest))

    step, states, opened = (open_tflite if options.tflite else open_saved_model)(
        options.folder, manifest, options.tflite
    )
    began = time.perf_counter()
    answers = np.array(list(stream(step, states, loading)))
    each = (time.perf_counter() - began) / len(answers)
    print(f"\n{opened}: {len(answers)} steps, {each * 1e6:.0f} µs a step")

    unit = manifest["signatures"]["step"]["outputs"]["prediction"]["unit"]
    if options.answers:
        write_csv(options.answers, loading, answers, unit)
        print(f"answers: {options.answers}")
    if options.png:
        draw(options.png, loading, answers, unit)
        print(f"picture: {options.png}")
    else:
        print(f"\nstress [{unit}] over time [s]")
        print(terminal_plot(loading.time_s, answers))
        print(f"\nstress [{unit}] over stretch [-]")
        print(terminal_plot(loading.stretch, answers))
    return 0


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.app", description=__doc__.split("\n\n")[0]
    )
    parser.add_argument("folder", type=Path, help="such as saved_models/hysteresis-lstm")
    parser.add_argument(
        "--tflite",
        nargs="?",
        const="step.tflite",
        metavar="FILE",
        help="run this TFLite file of the folder, without TensorFlow (default: step.tflite)",
    )
    parser.add_argument("--csv", type=Path, help="history to stream (default: a built-in cycle)")
    parser.add_argument("--time", help=f"its time column [s] (default: {' or '.join(TIMES)})")
    parser.add_argument(
        "--stretch", help=f"its stretch or strain column [-] (default: {' or '.join(STRETCHES)})"
    )
    parser.add_argument("--png", type=Path, help="draw into this file, not into the terminal")
    parser.add_argument("--answers", type=Path, help="write the answers into this CSV file")
    return parser.parse_args(arguments)


def verified(folder: Path) -> dict:
    """The manifest of a folder whose files are all there, unchanged, and no others.

    Files are checked before any of them is parsed: a model file can be damaged so that it loads
    and answers wrongly, or made so that loading it does harm.
    """
    path = folder / "manifest.json"
    if not path.is_file():
        raise ValueError(f"{folder}: no manifest.json. Expected a folder that an export wrote.")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        files = {name: entry["sha256"] for name, entry in manifest["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(f"{path}: not a manifest. Export the model again.") from None
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    odd = sorted(found.symmetric_difference({*files, "manifest.json"}))
    for name in odd:
        what = "is missing" if name in files else "is not in the manifest"
        raise ValueError(f"{folder / name}: the file {what}. Export or copy the model again.")
    for name, expected in files.items():
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != expected:
            raise ValueError(
                f"{folder / name}: the file is not the one that was exported (SHA-256 differs). "
                "Export or copy the model again."
            )
    if "step" not in manifest["signatures"]:
        raise ValueError(f"{folder}: the model has no endpoint `step`, which this app streams to.")
    return manifest


def contract(manifest: dict) -> str:
    """What goes in, what comes out, and what the model must not be used for."""
    lines = [f"{manifest['name']}: {manifest['description']}", ""]
    for side, tensors in manifest["signatures"]["step"].items():
        for name, tensor in tensors.items():
            for feature in tensor.get("features", [{**tensor, "name": ""}]):
                of = f".{feature['name']}" if feature["name"] else ""
                shape = tensor["shape"][-1] if not of else 1
                lines.append(
                    f"  {side[:-1]:<6}  {name + of:<16} {shape:>3} "
                    f"{'[' + feature['unit'] + ']':<7} {feature['meaning']}"
                )
    return "\n".join([*lines, "", *(f"  ! {limit}" for limit in manifest["limits"])])


def open_saved_model(folder: Path, manifest: dict, _file: None) -> tuple[Step, dict, str]:
    """The endpoint `step` of the SavedModel, its states at zero, and a name for it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    loaded = tf.saved_model.load(str(folder / "serving"))
    run = loaded.signatures["step"]

    def step(inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        outputs = run(**{name: tf.constant(value) for name, value in inputs.items()})
        return {name: value.numpy() for name, value in outputs.items()}

    step.loaded = loaded  # its variables live as long as this object
    return step, zero_states(manifest), "SavedModel"


def open_tflite(folder: Path, manifest: dict, file: str) -> tuple[Step, dict, str]:
    """A TFLite step model, its states at zero, and a name for it."""
    from ai_edge_litert.interpreter import Interpreter

    if file not in manifest["files"] or not file.startswith("step"):
        steps = [each for each in manifest["files"] if each.startswith("step")]
        raise ValueError(f"{folder}: no step model {file}. There are: {', '.join(steps)}.")
    # From bytes: a damaged file given by name can end the process.
    interpreter = Interpreter(model_content=(folder / file).read_bytes())
    run = interpreter.get_signature_runner("step")

    def step(inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: value.copy() for name, value in run(**inputs).items()}

    return step, zero_states(manifest), f"LiteRT, {file}"


def zero_states(manifest: dict) -> dict[str, np.ndarray]:
    """The states before the first step, by name."""
    tensors = manifest["signatures"]["step"]["inputs"]
    return {
        name: np.zeros((1, *tensor["shape"][1:]), np.float32)
        for name, tensor in tensors.items()
        if name != "x"
    }


def stream(step: Step, states: dict[str, np.ndarray], loading: Loading) -> Iterator[float]:
    """Stress after every step; the states go round."""
    for now in zip(loading.stretch, loading.rate, loading.dt, strict=True):
        outputs = step({"x": np.array([now], np.float32), **states})
        states = {name: outputs[f"{name}_next"] for name in states}
        yield float(outputs["prediction"][0, 0])


def cycle(amplitude: float = 1.5, period_s: float = 4.0, dt_s: float = 0.05) -> Loading:
    """Two triangular cycles from rest."""
    time_s = np.arange(1, round(2 * period_s / dt_s) + 1) * dt_s
    turns = np.arange(9) * period_s / 4
    stretch = np.interp(time_s, turns, amplitude * np.array([0, 1, 0, -1] * 2 + [0]))
    return _loading(time_s, stretch, before=0.0)


def read_csv(path: Path, time_column: str | None, stretch_column: str | None) -> Loading:
    """A history from a CSV file with a header; the material is at rest before the first row."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = [name.strip() for name in next(reader, [])]
            columns = [
                _column(path, header, *wanted)
                for wanted in (("time", time_column, TIMES), ("stretch", stretch_column, STRETCHES))
            ]
            rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: cannot be read as CSV: {error}.") from None
    values = []
    for line, row in rows:
        try:
            pair = [float(row[column]) for column in columns]
        except (ValueError, IndexError):
            pair = [math.nan]
        if not all(abs(value) < 1e30 for value in pair):
            raise ValueError(
                f"{path}, line {line}: expected numbers for time and stretch. Correct the line."
            )
        if values and pair[0] <= values[-1][0]:
            raise ValueError(f"{path}, line {line}: time does not increase. Sort the rows.")
        values.append(pair)
    if len(values) < 2:
        raise ValueError(f"{path}: {len(values)} rows of data, expected at least 2.")
    time_s, stretch = np.array(values).T
    return _loading(time_s, stretch, before=stretch[0])


def _column(path: Path, header: list[str], role: str, name: str | None, usual: tuple) -> int:
    for k, title in enumerate(header):
        if title == name or (name is None and title.lower() in usual):
            return k
    raise ValueError(
        f"{path}, line 1: no column {name or ' or '.join(usual)}. "
        f"Name it by --{role}; there are: {', '.join(header)}."
    )


def _loading(time_s: np.ndarray, stretch: np.ndarray, before: float) -> Loading:
    """Rates and steps; the first step is as long as the second and comes from rest at `before`."""
    dt = np.diff(time_s, prepend=2 * time_s[0] - time_s[1])
    return Loading(time_s, stretch, np.diff(stretch, prepend=before) / dt, dt)


def write_csv(path: Path, loading: Loading, answers: np.ndarray, unit: str) -> None:
    """Write time, stretch and stress, aside first, so that no half file is ever seen."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with aside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["time_s", "stretch", f"stress_{unit.lower()}".removesuffix("_-")])
        writer.writerows(zip(loading.time_s, loading.stretch, answers, strict=True))
    os.replace(aside, path)


def draw(path: Path, loading: Loading, answers: np.ndarray, unit: str) -> None:
    """Stress over time and over stretch, as a PNG file."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained", dpi=120)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    left.plot(loading.time_s, answers, lw=1.5)
    left.set(xlabel="time [s]", ylabel=f"stress [{unit}]")
    right.plot(loading.stretch, answers, lw=1.5)
    right.set(xlabel="stretch [-]")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    figure.savefig(aside, format="png")
    os.replace(aside, path)


def terminal_plot(x: np.ndarray, y: np.ndarray, width: int = 72, height: int = 14) -> str:
    """A line through the points in Braille characters, 2 × 4 dots each, with the axes' ends."""
    dots = np.zeros((4 * height, 2 * width), bool)
    span_x, span_y = np.ptp(x) or 1.0, np.ptp(y) or 1.0
    across = (x - x.min()) / span_x * (2 * width - 1)
    up = (y - y.min()) / span_y * (4 * height - 1)
    for k in range(len(x) - 1):
        n = 2 + int(max(abs(across[k + 1] - across[k]), abs(up[k + 1] - up[k])))
        columns = np.linspace(across[k], across[k + 1], n).round().astype(int)
        rows = np.linspace(up[k], up[k + 1], n).round().astype(int)
        dots[4 * height - 1 - rows, columns] = True
    # Braille numbers its dots down the left column, then down the right one, the last row apart.
    bits = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
    cells = (dots.reshape(height, 4, width, 2).swapaxes(1, 2) * bits).sum(axis=(2, 3))
    labels = [f"{y.max():.3g}", *[""] * (height - 2), f"{y.min():.3g}"]
    lines = [
        f"{label:>9} ┤" + "".join(chr(0x2800 + cell) for cell in row).rstrip("\u2800")
        for label, row in zip(labels, cells, strict=True)
    ]
    low, high = f"{x.min():.3g}", f"{x.max():.3g}"
    return "\n".join([*lines, " " * 11 + low + high.rjust(width - len(low))])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
