"""Write the C files of a model, count instructions, compare the library with the runtime."""

import ctypes
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import zoo.edge
from recipes.benchmarks.firmware.settings import Settings
from zoo import firmware
from zoo.data import audio
from zoo.data.synthesis import SCENES, draw_site, scene
from zoo.edge import Condition, StepModel, StreamClassifier
from zoo.edge.runtime import quiet
from zoo.firmware.c_syntax import identifier
from zoo.progress import say
from zoo.report import Column, Table

COMPILER = ("gcc", "-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic")
SOUNDS = (".wav", ".flac", ".ogg", ".mp3")


def run(settings: Settings) -> None:
    """Measure and print.

    Raises:
        ValueError: no compiler, a model without a library, a folder without recordings.
    """
    if shutil.which("gcc") is None:
        raise ValueError("Expected the compiler gcc. Install it: apt-get install gcc.")
    with quiet():
        model = zoo.edge.open(settings.model)
    name = identifier(str(model.manifest["name"]))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        firmware.write(settings.model, out, steps=8)
        if not (out / f"{name}_hearing_aid.c").exists():
            raise ValueError(f"{settings.model}: there is no library in plain C; see its header.")
        if shutil.which("valgrind") is None:
            say("instructions are not counted: valgrind is not installed")
        else:
            print(instruction_table(out, name, model, settings.hops).text(), flush=True)
        print(equality_table(out, name, model, settings).text())


def instruction_table(out: Path, name: str, model: StepModel, hops: int) -> Table:
    """Instructions a hop of the front end before and after, of the network, and of all.

    Args:
        out: folder of the C files.
        name: of the model, a C identifier.
        model: step model.
        hops: to average over.
    """
    (out / "main.c").write_text(_main(name, hops), encoding="ascii")
    program = out / "count"
    sources = [out / f"{name}_{part}.c" for part in ("front_end", "network", "hearing_aid")]
    sources += [out / f"{name}_reference.c", out / "main.c"]
    _compile([*COMPILER, *map(str, sources), "-lm", "-o", str(program)])
    counts = {
        title: _count(program, function, out) / hops
        for title, function in (
            ("front end, direct transform with sin and cos", "direct_features"),
            ("front end, fast transform with tables", f"{name}_features"),
            ("network in plain C", f"{name}_network"),
            ("front end, network and decision", f"{name}_hop"),
        )
    }
    direct = counts["front end, direct transform with sin and cos"]
    rows = [(title, round(count), 100 * count / direct) for title, count in counts.items()]
    columns = ("of a hop", Column("instructions", number=",d"), Column("% of direct", number=".2f"))
    return Table(columns, rows, f"gcc -O2, callgrind, mean of {hops} hops.")


def _count(program: Path, function: str, out: Path) -> int:
    """Instructions of a function and of what it calls, over a run of the program."""
    command = ["valgrind", "--tool=callgrind", f"--toggle-collect={function}"]
    command += [f"--callgrind-out-file={out / 'calls'}", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    match = re.search(r"Collected : (\d+)", done.stderr)
    if match is None:
        raise ValueError(f"valgrind counted nothing: {done.stderr[-200:]}")
    return int(match[1])


def _main(name: str, hops: int) -> str:
    upper = name.upper()
    return f"""#include <math.h>

#include "{name}_hearing_aid.h"

/* The direct transform as it stood in the front end before. */
void direct_features(const float *samples, float *features);
__attribute__((noinline)) void direct_features(const float *samples, float *features)
{{
  static float spectrum[{upper}_FFT / 2 + 1];
  const double turn = 2.0 * 3.14159265358979323846 / {upper}_FFT;
  for (int k = 0; k <= {upper}_FFT / 2; k++) {{
    double re = 0.0, im = 0.0;
    for (int n = 0; n < {upper}_WINDOW; n++) {{
      const double x = (double)samples[n] * {name}_window[n];
      const double angle = turn * (double)((long)k * n % {upper}_FFT);
      re += x * cos(angle);
      im -= x * sin(angle);
    }}
    spectrum[k] = (float)(re * re + im * im);
  }}
  const float *weight = {name}_band_weights;
  for (int b = 0; b < {upper}_BANDS; b++) {{
    float sum = 0.0f;
    for (int i = 0; i < {name}_band_count[b]; i++)
      sum += spectrum[{name}_band_first[b] + i] * *weight++;
    features[b] = 10.0f * log10f(sum > 1e-10f ? sum : 1e-10f);
  }}
}}

int main(void)
{{
  static {name}_state state;
  float features[{upper}_BANDS], sum = 0.0f;
  {name}_init(&state);
  for (int k = 0; k < {hops}; k++) {{
    const float *hop = {name}_reference_input + k % {upper}_REFERENCE_STEPS * {upper}_HOP;
    {name}_hop(&state, hop, 0);
    direct_features(state.samples, features);
    sum += features[0];
  }}
  return sum > 1e30f;
}}
"""


def equality_table(out: Path, name: str, model: StepModel, settings: Settings) -> Table:
    """The library beside `zoo.edge.StreamClassifier`, hop by hop.

    Args:
        out: folder of the C files.
        name: of the model, a C identifier.
        model: step model.
        settings: of the sound.
    """
    classifier = StreamClassifier(model)
    library = _library(out, name)
    numbers = {each: k for k, each in enumerate(classifier.classes)} | {None: -1}
    conditions = [each.value for each in Condition]
    results, steps = [], []
    library.start()
    for x in _sounds(settings, classifier):
        for hop in x[: len(x) // classifier.hop * classifier.hop].reshape(-1, classifier.hop):
            results += classifier.process(hop)  # one or two samples may wait for the next hop
            condition = conditions[library.hop(hop.ctypes.data_as(ctypes.c_void_p))]
            p = np.ctypeslib.as_array(library.probabilities(), (len(classifier.classes),)).copy()
            steps.append((condition, library.program(), p))
    results += classifier.finish()
    hops = len(results)
    changes = sum(each.program.changed for each in results)
    same_condition = same_program = 0
    largest = 0.0
    for result, (condition, program, p) in zip(results, steps, strict=True):
        same_condition += condition == result.condition.value
        same_program += program == numbers[result.program.name]
        if result.probabilities is not None and condition == Condition.SOUND:
            largest = max(largest, float(np.abs(p - result.probabilities).max()))
    rows = [
        ("hops", f"{hops:,}"),
        ("changes of program", f"{changes:,}"),
        ("same condition", f"{same_condition / hops:.4%}"),
        ("same program", f"{same_program / hops:.4%}"),
        ("largest difference of a probability", f"{largest:.1e}"),
    ]
    seconds = hops * classifier.hop_s
    return Table(("library and runtime", Column("value")), rows, f"Over {seconds:,.0f} s of sound.")


def _library(out: Path, name: str) -> ctypes.CDLL:
    (out / "shared.c").write_text(
        f"""#include "{name}_hearing_aid.h"
static {name}_state state;
void start(void) {{ {name}_init(&state); }}
int hop(const float *x) {{ return (int){name}_hop(&state, x, 0); }}
int program(void) {{ return {name}_program(&state); }}
const float *probabilities(void) {{ return state.probabilities; }}
""",
        encoding="ascii",
    )
    sources = [out / f"{name}_{part}.c" for part in ("front_end", "network", "hearing_aid")]
    target = out / "library.so"
    options = ["-shared", "-fPIC", "-o", str(target)]
    _compile([*COMPILER, *map(str, [*sources, out / "shared.c"]), *options])
    library = ctypes.CDLL(str(target))
    library.probabilities.restype = ctypes.POINTER(ctypes.c_float)
    return library


def _compile(words: list[str]) -> None:
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise ValueError(f"The compiler failed: {' '.join(done.stderr.split())[:300]}")


def _sounds(settings: Settings, classifier: StreamClassifier) -> Iterator[np.ndarray]:
    """Pieces of sound at levels from -60 to 0 dBFS, until there is enough."""
    rng = np.random.default_rng(settings.seed)
    rate = classifier.model_rate_hz
    missing = settings.seconds * rate
    files = [] if settings.data is None else sorted(settings.data.rglob("*"))
    files = [path for path in files if path.suffix.lower() in SOUNDS]
    if settings.data is not None and not files:
        raise ValueError(f"{settings.data}: no recordings. Expected {', '.join(SOUNDS)}.")
    while missing > 0:
        seed = int(rng.integers(1 << 30))
        if files:
            x, _ = audio.read(files[seed % len(files)], sample_rate_hz=rate)
        else:
            kind = sorted(SCENES)[seed % len(SCENES)]
            site = draw_site(seed)
            x = scene(kind, seed=seed, site=site, duration_s=8.0, sample_rate_hz=rate).samples
        x = x * 10 ** (rng.uniform(-60, 3) / 20) / max(1e-9, float(np.abs(x).max()))
        x = np.ascontiguousarray(x[: int(missing)], np.float32).clip(-1, 1)
        missing -= len(x)
        yield x
