"""Run a saved model in an app of your own: this file is complete, copy it.

It reads one folder of saved_models/, verifies it against the seal and the hashes in its manifest,
and prints inputs, outputs and limits of the model. A stress model runs a loading history step by
step, and the stress is plotted. A classifier of sound labels the clips of a WAV file by the rule of
its manifest: threshold of a detector, abstention, no label for NaN or silence. Nothing of the
package that trained the model is imported, and not even TensorFlow unless `--saved-model` asks for
it. Seal and hashes show damage, not who made the model: a TFLite file computes with built-in
operations only, a SavedModel can run any program when it is opened.
"""

import argparse
import contextlib
import csv
import hashlib
import itertools
import json
import math
import os
import re
import sys
import tempfile
import time
import wave
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Arrays = dict[str, np.ndarray]
FORMAT, MAX_MANIFEST_BYTES, MAX_CSV_BYTES = 2, 1 << 24, 64_000_000
Step = Callable[[Arrays], Arrays]  # inputs and states -> prediction and next states
SAMPLE_LINES = 400  # on which separator and decimal mark are chosen
LINE_END = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")  # as str.splitlines
SILENT_RMS = 1e-5  # -100 dBFS about the mean: no microphone carries so little
PCM = {2: np.int16, 4: np.int32}  # bytes of a sample -> type
TIMES = ("time", "t", "zeit", "temps", "timestamp")
STRAINS = ("strain", "stretch", "lambda", "eps", "epsilon", "dehnung")
UNITS: tuple[dict[str, float], dict[str, float]] = (
    {
        **dict.fromkeys(("s", "sec", "seconds"), 1.0),
        **dict.fromkeys(("ms", "msec"), 1e-3),
        **dict.fromkeys(("min", "minutes"), 60.0),
        **dict.fromkeys(("h", "hr", "hours"), 3600.0),
    },
    {
        **dict.fromkeys(("-", "mm/mm", "m/m"), 1.0),
        **dict.fromkeys(("%", "percent", "pct"), 0.01),
        **dict.fromkeys(("‰", "mm/m"), 1e-3),
        **dict.fromkeys(("microstrain", "µε", "με", "µm/m"), 1e-6),
    },
)
# Units that a row of units, or a title that must be refused, may hold.
UNIT_WORDS = {
    *UNITS[0],
    *UNITS[1],
    "",
    "mm",
    "cm",
    "in",
    "n",
    "kn",
    "pa",
    "kpa",
    "mpa",
    "gpa",
    "psi",
}
UNIT_WORDS |= {"n/mm²", "n/mm2", "bar", "ksi", "°c", "us", "ns", "µs"}


class Loading(NamedTuple):
    """A loading history; sample j is at the end of step j.

    Attributes:
        time_s: time t [s], (steps,).
        strain: strain ε [-], (steps,).
        rate: strain rate dε/dt in step j [1/s], (steps,).
        dt: length of step j [s], (steps,).
    """

    time_s: np.ndarray
    strain: np.ndarray
    rate: np.ndarray
    dt: np.ndarray


def main(arguments: list[str] | None = None) -> int:
    """Verify the model, run it, show what it predicts; returns the exit code."""
    options = parse(arguments)
    manifest = verify_model(options.folder)
    if "step" not in manifest["signatures"]:
        return classify_recording(options, manifest)
    history = options.csv
    loading = read_csv(history, options.time, options.strain) if history else make_cycle()
    print(printable(describe(manifest)))
    warn_outside(manifest, loading)

    if options.saved_model:
        step, runtime = open_saved_model(options.folder, manifest)
    else:
        step, runtime = open_tflite(options.folder, manifest, options.tflite or "step.tflite")
    started = time.perf_counter()
    stress = predict(step, initial_states(manifest), loading)
    step_s = (time.perf_counter() - started) / len(stress)
    print(f"\n{runtime}: {len(stress)} steps, {step_s * 1e6:.0f} µs a step")

    unit = manifest["signatures"]["step"]["outputs"]["prediction"]["unit"]
    if options.out:
        write_csv(options.out, loading, stress, unit)
        print(f"stress: {options.out}")
    if options.png:
        write_figure(options.png, loading, stress, unit)
        print(f"picture: {options.png}")
    else:
        print(f"\nstress [{unit}] over time [s]")
        print(terminal_plot(loading.time_s, stress))
        print(f"\nstress [{unit}] over strain [-]")
        print(terminal_plot(loading.strain, stress))
    return 0


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.app", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("folder", type=Path, help="such as saved_models/hysteresis-lstm")
    runtime = parser.add_mutually_exclusive_group()
    runtime.add_argument(
        "--tflite",
        nargs="?",
        metavar="FILE",
        help="run this TFLite file of the folder, without TensorFlow (default: step.tflite, of a "
        "classifier model.tflite)",
    )
    runtime.add_argument(
        "--saved-model",
        action="store_true",
        help="run the SavedModel with TensorFlow; only of a model whose maker you trust, since "
        "opening it can run any program",
    )
    parser.add_argument("--wav", type=Path, help="recording, for a classifier of sound")
    parser.add_argument("--csv", type=Path, help="loading history (default: a built-in cycle)")
    parser.add_argument("--time", help=f"its time column (default: {' or '.join(TIMES)})")
    parser.add_argument(
        *("--strain", "--stretch"),
        help=f"its column of strain or stretch (default: {' or '.join(STRAINS)})",
    )
    parser.add_argument("--png", type=Path, help="draw into this file, not into the terminal")
    parser.add_argument("--out", type=Path, help="write time, strain and stress to this CSV file")
    return parser.parse_args(arguments)


def verify_model(folder: Path) -> dict[str, Any]:
    """The manifest of a model folder that holds exactly the files that were exported.

    Files are verified before any of them is parsed: a damaged model can load and predict wrongly.

    Raises:
        ValueError: in one line: a model that this app cannot run, or one that was changed.
    """
    manifest = read_manifest(folder)
    inside = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    for path in inside:
        if path.is_symlink():
            raise ValueError(f"{path}: is a link, which a model never holds. Copy it again.")
    present = {path.relative_to(folder).as_posix() for path in inside}
    for name in sorted(present.symmetric_difference({*manifest["files"], "manifest.json"})):
        what = "is missing" if name in manifest["files"] else "is not in the manifest"
        raise ValueError(f"{folder / name}: the file {what}. Export or copy the model again.")
    for name in manifest["files"]:
        read_verified(folder, manifest, name)
    signatures = manifest["signatures"]
    step = signatures.get("step")
    inputs = step.get("inputs") if isinstance(step, dict) else None
    if not (isinstance(inputs, dict) and "x" in inputs if step else "classes" in manifest):
        raise ValueError(
            f"{folder}: expected a stress model with an endpoint `step`, or a classifier of clips. "
            "Run a model that streams sound with zoo-edge."
        )
    try:
        describe(manifest)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(
            f"{folder}: the manifest does not describe the model ({type(error).__name__}: "
            f"{error}). Export it again."
        ) from None
    return manifest


def read_verified(folder: Path, manifest: dict[str, Any], name: str) -> bytes:
    """Content of a file of the model, once size and SHA-256 are right: parse these bytes.

    Raises:
        ValueError: if the file was changed.
    """
    path, entry = folder / name, manifest["files"][name]
    content = path.read_bytes() if path.stat().st_size == entry["bytes"] else b""
    if len(content) != entry["bytes"] or hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise ValueError(
            f"{path}: the file is not the one that was exported (SHA-256 differs). Export or copy "
            "the model again."
        )
    return content


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a model folder, once its seal is right.

    The last entry, `seal`, is the SHA-256 of the manifest's own bytes with 64 zeros in the place of
    the seal.

    Raises:
        ValueError: if there is no manifest, it was changed, or it has another format.
    """
    path = folder / "manifest.json"
    if not path.is_file() or path.is_symlink():
        raise ValueError(f"{folder}: no manifest.json. Expected a folder that an export wrote.")
    content = path.read_bytes() if path.stat().st_size <= MAX_MANIFEST_BYTES else b""
    try:
        manifest = json.loads(
            content, object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant
        )
        is_complete = isinstance(manifest["signatures"], dict) and all(
            isinstance(entry["sha256"], str) and type(entry["bytes"]) is int
            for entry in manifest["files"].values()
        )
        version, seal = manifest["format"], str(manifest.get("seal"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        is_complete, manifest, version, seal = False, {}, None, ""
    if not is_complete:
        raise ValueError(f"{path}: not a manifest. Export or copy the model again.")
    if type(version) is not int or version != FORMAT:
        raise ValueError(f"{path}: expected format {FORMAT}, got {version!r}. Export it again.")
    before, sealed, after = content.rpartition(seal.encode(errors="replace") or b"\0")
    unsealed = before + b"0" * len(sealed) + after
    if len(seal) != 64 or hashlib.sha256(unsealed).hexdigest() != seal:
        raise ValueError(
            f"{path}: the manifest is not the one that was exported (its seal is broken). Export "
            "or copy the model again."
        )
    return manifest


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; two readers could take different ones of two equal keys."""
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key stands there twice")
    return dict(pairs)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def describe(manifest: dict[str, Any]) -> str:
    """Name, inputs and outputs of a step or a clip, and limits of a model."""
    lines = [f"{manifest['name']}: {manifest['description']}", ""]
    signatures = manifest["signatures"]
    for side, tensors in signatures.get("step", signatures["serving_default"]).items():
        for name, tensor in tensors.items():
            for feature in tensor.get("features", [{**tensor, "name": ""}]):
                of = f".{feature['name']}" if feature["name"] else ""
                shape = tensor["shape"][-1] if not of else 1
                lines.append(
                    f"  {side[:-1]:<6}  {name + of:<16} {shape:>3} "
                    f"{'[' + feature['unit'] + ']':<7} {feature['meaning']}"
                )
    return "\n".join([*lines, "", *(f"  ! {limit}" for limit in manifest["limits"])])


def printable(text: str) -> str:
    """Text for a terminal: control characters, which could move its cursor, as escapes."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def open_saved_model(folder: Path, manifest: dict[str, Any]) -> tuple[Step, str]:
    """The endpoint `step` of the SavedModel, and the name of the runtime.

    It is opened from a private copy of the bytes that were verified.

    Raises:
        ValueError: if a file was changed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # not all memory of a GPU at once
    import tensorflow as tf  # imported here: --tflite runs without it

    with tempfile.TemporaryDirectory() as private:
        for name in manifest["files"]:
            if name.startswith("serving/") and ".." not in Path(name).parts:
                copy = Path(private, name)
                copy.parent.mkdir(parents=True, exist_ok=True)
                content = read_verified(folder, manifest, name)
                with _writing(copy) as temporary:
                    temporary.write_bytes(content)
        loaded = tf.saved_model.load(str(Path(private, "serving")))
    run = loaded.signatures["step"]

    def step(inputs: Arrays, loaded: Any = loaded) -> Arrays:  # keeps the variables alive
        outputs = run(**{name: tf.constant(value) for name, value in inputs.items()})
        return {name: value.numpy() for name, value in outputs.items()}

    return step, "SavedModel"


def open_tflite(folder: Path, manifest: dict[str, Any], file: str) -> tuple[Step, str]:
    """A TFLite step model, and the name of the runtime.

    Raises:
        ValueError: if the folder has no such step model.
    """
    from ai_edge_litert.interpreter import Interpreter  # imported here: a SavedModel needs it not

    if file not in manifest["files"] or not file.startswith("step"):
        steps = [each for each in manifest["files"] if each.startswith("step")]
        raise ValueError(f"{folder}: no step model {file}. There are: {', '.join(steps)}.")
    # From bytes: a damaged file given by name can end the process.
    interpreter = Interpreter(model_content=read_verified(folder, manifest, file))
    run = interpreter.get_signature_runner("step")

    def step(inputs: Arrays) -> Arrays:
        return {name: value.copy() for name, value in run(**inputs).items()}

    return step, f"LiteRT, {file}"


def classify_recording(options: argparse.Namespace, manifest: dict[str, Any]) -> int:
    """Print the label of every clip of a WAV file; returns the exit code.

    The last clip ends with the recording; a recording shorter than a clip is repeated.

    Raises:
        ValueError: no recording, one that cannot be used, or no such file of the model.
    """
    if options.wav is None or options.saved_model or options.csv or options.png or options.out:
        raise ValueError(
            f"{manifest['name']} classifies sound with LiteRT and prints labels: give it --wav "
            "FILE, and none of --csv, --png, --out, --saved-model."
        )
    run, samples = open_clips(options.folder, manifest, options.tflite or "model.tflite")
    rate_hz = int(manifest["front_end"]["sample_rate_hz"])
    waveform = read_wav(options.wav, rate_hz)
    print(printable(f"{describe(manifest)}\n"))
    last = max(0, len(waveform) - samples)
    for start in (*range(0, last, samples), last):
        clip = np.resize(waveform[start : start + samples], samples)
        end_s = min(start + samples, len(waveform)) / rate_hz
        label = printable(label_clip(manifest, clip, run))
        print(f"{start / rate_hz:8.2f} to {end_s:8.2f} s  {label}")
    return 0


def open_clips(
    folder: Path, manifest: dict[str, Any], file: str
) -> tuple[Callable[[np.ndarray], np.ndarray], int]:
    """Function from a clip (samples,) to probabilities (classes,), and the samples of a clip.

    Raises:
        ValueError: if the folder has no such model.
    """
    from ai_edge_litert.interpreter import Interpreter  # imported here: see open_tflite

    if file not in manifest["files"] or not file.endswith(".tflite"):
        names = [each for each in manifest["files"] if each.endswith(".tflite")]
        raise ValueError(f"{folder}: no TFLite file {file}. There are: {', '.join(names)}.")
    interpreter = Interpreter(model_content=read_verified(folder, manifest, file))
    signature = interpreter.get_signature_runner("serving_default")

    def run(clip: np.ndarray, interpreter: Any = interpreter) -> np.ndarray:  # keeps it alive
        return signature(waveform=clip[None].astype(np.float32))["probabilities"][0]

    return run, int(signature.get_input_details()["waveform"]["shape"][1])


def label_clip(
    manifest: dict[str, Any], clip: np.ndarray, run: Callable[[np.ndarray], np.ndarray]
) -> str:
    """Label of a clip by the rule of the manifest, with its probability.

    Args:
        manifest: of the model: `classes`, `abstain_below`, `operating_point`.
        clip: (samples,).
        run: clip -> probabilities (classes,); never called with NaN or silence, for which the
            output of no format has a meaning.
    """
    if not np.isfinite(clip).all():
        return "- (not finite)"
    if np.std(clip) < SILENT_RMS:
        return "- (silent)"
    p, classes = run(clip), manifest["classes"]
    if not np.isfinite(p).all():
        return "- (the model gives no number)"
    if p.max() < (manifest.get("abstain_below") or 0.0):
        return f"- (abstains: {classes[p.argmax()]} {p.max():.2f})"
    best, point = int(p.argmax()), manifest.get("operating_point")
    if point:
        positive = classes.index(point["class"])
        best = positive if p[positive] >= point["threshold"] else 1 - positive
    return f"{classes[best]} ({p[best]:.2f})"


def read_wav(path: Path, rate_hz: int) -> np.ndarray:
    """Mean of the channels of a WAV file, full scale at 1, (samples,).

    Args:
        path: of the file, 16 or 32 bits.
        rate_hz: sample rate that it must have [Hz].

    Raises:
        ValueError: cut short, or another file or rate, with a command that converts it.
    """
    try:
        with wave.open(str(path)) as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            frames = file.getnframes()
            content = file.readframes(frames)
        is_fit = width in PCM and rate == rate_hz and len(content) >= width * channels
    except (OSError, EOFError, RuntimeError, wave.Error) as error:
        raise ValueError(f"{path}: cannot be read as WAV: {error}.") from None
    if not is_fit:
        raise ValueError(
            f"{path}: expected WAV of 16 or 32 bits at {rate_hz} Hz, got {8 * width} bits at "
            f"{rate} Hz. Convert it: ffmpeg -i IN -ar {rate_hz} -c:a pcm_s16le OUT.wav"
        )
    if len(content) != frames * width * channels:
        raise ValueError(
            f"{path}: cut short, {len(content) // (width * channels)} samples of {frames} are "
            "there. Copy it again."
        )
    samples = np.frombuffer(content, np.dtype(PCM[width]).newbyteorder("<"))
    return samples.reshape(-1, channels).mean(axis=1) / 2.0 ** (8 * width - 1)


def initial_states(manifest: dict[str, Any]) -> Arrays:
    """The states before the first step, all zero: name -> (1, width)."""
    tensors = manifest["signatures"]["step"]["inputs"]
    return {
        name: np.zeros((1, *tensor["shape"][1:]), np.float32)
        for name, tensor in tensors.items()
        if name != "x"
    }


def warn_outside(manifest: dict[str, Any], loading: Loading) -> None:
    """Say on standard error what of a history lies outside the range that the model was trained on.

    The model answers there too, only less well.
    """
    trained = manifest.get("trained_range")
    if not trained:
        return
    for name, values, limit, unit in (
        ("strain", loading.strain, trained["amplitude"], ""),
        ("rate", loading.rate, trained["rates"][1], " 1/s"),
        ("time step", loading.dt, trained["dt_s"][1], " s"),
    ):
        largest = float(np.abs(values).max())
        if largest > 1.01 * limit:
            print(
                f"warning: {name} up to {largest:.3g}{unit}, trained to {limit:.3g}{unit}",
                file=sys.stderr,
            )


def predict(step: Step, states: Arrays, loading: Loading) -> np.ndarray:
    """Stress after every step, (steps,); the states of each step are inputs of the next one.

    Raises:
        ValueError: if the stress is NaN or infinite.
    """
    stress = []
    for now in zip(loading.strain, loading.rate, loading.dt, strict=True):
        outputs = step({"x": np.array([now], np.float32), **states})
        states = {name: outputs[f"{name}_next"] for name in states}
        stress.append(float(outputs["prediction"][0, 0]))
        if not math.isfinite(stress[-1]):
            raise ValueError(
                f"step {len(stress)}: the stress is {stress[-1]}. The history lies far outside the "
                f"range of the model: strain {now[0]:g}, rate {now[1]:g} 1/s, step {now[2]:g} s."
            )
    return np.array(stress)


def make_cycle(amplitude: float = 1.5, period_s: float = 4.0, dt_s: float = 0.05) -> Loading:
    """Two triangular cycles of strain from rest."""
    time_s = np.arange(1, round(2 * period_s / dt_s) + 1) * dt_s
    turns = np.arange(9) * period_s / 4
    strain = np.interp(time_s, turns, amplitude * np.array([0, 1, 0, -1] * 2 + [0]))
    return _make_loading(time_s, strain, before=0.0)


def read_csv(path: Path, time_column: str | None, strain_column: str | None) -> Loading:
    """A loading history from a text table: comma, semicolon, tab or blanks between the cells.

    A decimal comma, comments (#), lines above the header, units in the header and a row of units
    below it are understood. The material is at rest before the first row.

    Args:
        path: of the file.
        time_column: title of the column of time; None: one whose first word is in `TIMES`.
        strain_column: title of the column of strain; None: one with a word of `STRAINS`. A
            stretch that begins near 1 becomes the strain λ − 1.

    Raises:
        ValueError: naming the file and the line that is wrong.
    """
    try:
        if path.stat().st_size > MAX_CSV_BYTES:
            raise ValueError(
                f"{path}: expected at most {MAX_CSV_BYTES / 1e6:.0f} MB. Keep every n-th row."
            )
        raw = path.read_bytes()
        text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    except OSError as error:
        raise ValueError(f"{path}: cannot be read as CSV: {error}.") from None
    if "\0" in text:
        raise ValueError(f"{path}: cannot be read as CSV: not text.")
    try:
        time_s, strain, titles, column, factor = _read_rows(path, text, time_column, strain_column)
    except csv.Error as error:
        raise ValueError(f"{path}: cannot be read as CSV: {error}.") from None
    title = titles[column].lower()
    if any(word in title for word in ("stretch", "lambda")) and abs(strain[0] - 1) < 0.3:
        strain = strain - 1
        print(f"{path}: stretch converted to strain, λ − 1", file=sys.stderr)
    elif factor is None and np.abs(strain).max() > 2:
        raise ValueError(
            f"{path}: strain reaches {np.abs(strain).max():.3g} without a unit. Write it into the "
            "title of the column, as in 'strain [-]' or 'strain [%]'."
        )
    return _make_loading(time_s, strain, before=strain[0])


def _read_rows(
    path: Path, text: str, time_column: str | None, strain_column: str | None
) -> tuple[np.ndarray, np.ndarray, list[str], int, float | None]:
    """Time [s], strain, titles, index and unit of the strain's column, row by row."""
    separator, decimal = _choose_marks(text)
    rows = _split_rows(text, separator)
    top = list(itertools.takewhile(lambda row: _values(row[1], decimal) < 2, rows))
    units: list[str] = []
    if len(top) > 1 and all(cell.strip("()[] ").lower() in UNIT_WORDS for cell in top[-1][1]):
        units = top[-1][1]  # a row of units below the titles
    line, titles = top[-2 if units else -1] if top else (1, [])
    columns = [
        _column(path, line, titles, *wanted)
        for wanted in (("time", time_column, TIMES), ("strain", strain_column, STRAINS))
    ]
    factors = [_unit(path, titles, units, *each) for each in zip(columns, UNITS, strict=True)]
    numbers = array("d"), array("d")
    blank = None  # line of the first row without values that others may follow
    for number, cells in itertools.islice(_split_rows(text, separator), len(top), None):
        if all(cell.lower() in ("", "nan") for cell in cells):
            blank = blank or number  # left by a machine that has stopped, if no other row follows
            continue
        try:
            pair = [float(cells[column].replace(decimal, ".")) for column in columns]
        except (ValueError, IndexError):
            pair = [math.nan]
        if blank or not all(abs(value) < 1e30 for value in pair):
            raise ValueError(
                f"{path}, line {blank or number}: expected numbers for time and strain. Correct "
                "the line."
            )
        if numbers[0] and pair[0] <= numbers[0][-1]:
            if pair == [each[-1] for each in numbers]:  # machines repeat rows at reversals
                continue
            raise ValueError(f"{path}, line {number}: time does not increase. Sort the rows.")
        for each, value in zip(numbers, pair, strict=True):
            each.append(value)
    if len(numbers[0]) < 2:
        raise ValueError(f"{path}: {len(numbers[0])} rows of data, expected at least 2.")
    time_s, strain = (
        np.asarray(each) * (factor or 1.0) for each, factor in zip(numbers, factors, strict=True)
    )
    return time_s, strain, titles, columns[1], factors[1]


def _cut_lines(text: str) -> Iterator[tuple[int, str]]:
    """Number and text of every line that is neither blank nor a comment, cut out one by one."""
    start = 0
    ends = itertools.chain(LINE_END.finditer(text), (None,))
    for number, end in enumerate(ends, 1):
        line = text[start : end.start() if end else len(text)]
        start = end.end() if end else len(text)
        is_text = line.strip(" ,;\t") and line.lstrip()[:1] != "#"
        if is_text and not line.lower().lstrip('"').startswith("sep="):
            yield number, line


def _split_rows(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of every line."""
    if separator == " ":
        for number, line in _cut_lines(text):
            yield number, line.split()
        return
    cells = csv.reader((line for _, line in _cut_lines(text)), delimiter=separator)
    for (number, _), row in zip(_cut_lines(text), cells, strict=False):
        yield number, [cell.strip() for cell in row]


def _choose_marks(text: str) -> tuple[str, str]:
    """Separator and decimal mark with which most cells of the first lines are numbers."""
    best, result = -1.0, (",", ".")
    for separator in (",", ";", "\t", " "):
        rows = [row for _, row in itertools.islice(_split_rows(text, separator), SAMPLE_LINES)]
        for decimal in (".", ","):
            counts = [(_values(cells, decimal), len(cells)) for cells in rows]
            score = sum(values**2 / width for values, width in counts if values > 1)
            if score > best:
                best, result = score, (separator, decimal)
    return result


def _values(cells: list[str], decimal: str) -> int:
    """How many cells are numbers."""
    other = "," if decimal == "." else "."
    count = 0
    for cell in cells:
        try:
            float("x" if other in cell else cell.replace(decimal, "."))
        except ValueError:
            continue
        count += 1
    return count


def _column(
    path: Path, line: int, titles: list[str], role: str, name: str | None, usual: tuple[str, ...]
) -> int:
    """Index of a column."""
    places = []
    for k, title in enumerate(titles):
        words = re.findall(r"[^\W\d_]+", title.lower())
        is_usual = words[:1] and any(w in usual for w in words if len(w) > 1 or w == words[0])
        if title == name or (name is None and is_usual and "rate" not in words):
            places.append(k)
    if len(places) == 1:
        return places[0]
    count = "more than one" if places else "no"
    raise ValueError(
        f"{path}, line {line}: {count} column {name or ' or '.join(usual)}. "
        f"Name it by --{role}; there are: {', '.join(titles)}."
    )


def _unit(
    path: Path, titles: list[str], units: list[str], column: int, known: dict[str, float]
) -> float | None:
    """What a number of a column is worth, by the unit in its title or below it; None: no unit."""
    below = units[column].strip("()[] ").lower() if column < len(units) else ""
    words = [
        word.lower() for word in re.split(r"[\s_()\[\]]+|(?<=[a-z])/(?=[%a-z]+$)", titles[column])
    ]
    for word in [*words[1:], below]:
        if word in known:
            return known[word]
        if word in UNIT_WORDS and word not in ("", "-"):
            raise ValueError(
                f"{path}: {titles[column]!r} is in {word}. Convert the column to one of "
                f"{', '.join(filter(None, known))}."
            )
    return None


def _make_loading(time_s: np.ndarray, strain: np.ndarray, before: float) -> Loading:
    """Rates and steps; the first step is as long as the second and comes from rest at `before`."""
    dt = np.diff(time_s, prepend=2 * time_s[0] - time_s[1])
    return Loading(time_s, strain, np.diff(strain, prepend=before) / dt, dt)


def write_csv(path: Path, loading: Loading, stress: np.ndarray, unit: str) -> None:
    """Write a CSV file of time, strain and stress."""
    with _writing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["time_s", "strain", f"stress_{unit.lower()}".removesuffix("_-")])
        writer.writerows(zip(loading.time_s, loading.strain, stress, strict=True))


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[Path]:
    """A temporary path, renamed to `path` at the end, removed on failure."""
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        if error.errno is not None:  # a full disk names no file
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_figure(path: Path, loading: Loading, stress: np.ndarray, unit: str) -> None:
    """Write a PNG file of stress over time and over strain."""
    from matplotlib.figure import Figure  # imported here: only --png needs it

    figure = Figure(figsize=(9, 3.6), layout="constrained", dpi=120)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    left.plot(loading.time_s, stress, lw=1.5)
    left.set(xlabel="time [s]", ylabel=f"stress [{unit}]")
    right.plot(loading.strain, stress, lw=1.5)
    right.set(xlabel="strain [-]")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    with _writing(path) as temporary:
        figure.savefig(temporary, format="png")


def terminal_plot(x: np.ndarray, y: np.ndarray, width: int = 72, height: int = 14) -> str:
    """Line plot in Braille characters, 2 × 4 dots each, with the ends of the axes."""
    dots = np.zeros((4 * height, 2 * width), bool)
    span_x, span_y = np.ptp(x) or 1.0, np.ptp(y) or 1.0
    across = (x - x.min()) / span_x * (2 * width - 1)
    up = (y - y.min()) / span_y * (4 * height - 1)
    for k in range(len(x) - 1):
        n = 2 + int(max(abs(across[k + 1] - across[k]), abs(up[k + 1] - up[k])))
        columns = np.linspace(across[k], across[k + 1], n).round().astype(int)
        rows = np.linspace(up[k], up[k + 1], n).round().astype(int)
        dots[4 * height - 1 - rows, columns] = True
    # Braille numbers its dots down the left column, then down the right one, then the last row.
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
        print(f"error: {printable(' '.join(str(error).split()))}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
