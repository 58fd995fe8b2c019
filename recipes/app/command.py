"""The command line: read the options, verify the model, run it, show what it predicts."""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

from .histories import STRAINS, TIMES, make_cycle, read_csv
from .manifest import describe, printable, verify_model
from .outputs import terminal_plot, write_csv, write_figure
from .sound import label_clip, open_clips, read_wav
from .stress import initial_states, open_saved_model, open_tflite, predict, warn_outside


def main(arguments: list[str] | None = None) -> int:
    """Verify the model, run it, show what it predicts; returns the exit code.

    Raises:
        ValueError: a model, a file or options that cannot be used.
    """
    options = parse(arguments)
    manifest = verify_model(options.folder)
    if "step" not in manifest["signatures"]:
        return classify_recording(options, manifest)
    history = options.csv
    if options.wav or (not history and (options.time or options.strain)):
        raise ValueError(
            f"{manifest['name']} predicts stress: give --time and --strain with --csv FILE, and no "
            "--wav."
        )
    check_outputs(options)
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


def check_outputs(options: argparse.Namespace) -> None:
    """Refuse output files that would replace the history or spoil the model.

    Raises:
        ValueError: such a file.
    """
    for file in filter(None, (options.out, options.png)):
        if options.csv and file.resolve() == options.csv.resolve():
            raise ValueError(f"{file}: is the history that is read. Give another file.")
        if options.folder.resolve() in file.resolve().parents:
            raise ValueError(f"{file}: lies in the folder of the model. Give another file.")
    if options.out and options.png and options.out.resolve() == options.png.resolve():
        raise ValueError(f"{options.out}: is given for --out and for --png. Give two files.")


def classify_recording(options: argparse.Namespace, manifest: dict[str, Any]) -> int:
    """Print the label of every clip of a WAV file; returns the exit code.

    The last clip ends with the recording; a recording shorter than a clip is repeated.

    Raises:
        ValueError: no recording, one that cannot be used, or no such file of the model.
    """
    others = (options.csv, options.time, options.strain, options.png, options.out)
    if options.wav is None or options.saved_model or any(others):
        raise ValueError(
            f"{manifest['name']} classifies sound with LiteRT and prints labels: give it --wav "
            "FILE, and none of --csv, --time, --strain, --png, --out, --saved-model."
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


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.app",
        description="Run a saved model in an app of your own: this folder is complete, copy it.",
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
