"""Measure the studio in a headless Chromium beside LiteRT in Python: sizes, start, speed.

python -m recipes.benchmarks.studio --out runs/studio

It needs Chromium, and runs in a checkout: it drives the browser as the tests do. Times are those of
the clock; the page runs in one process, LiteRT in this one, one after the other.
"""

import argparse
import json
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

import zoo.edge
from tests.browser import Browser, Page, find_browser
from zoo import files
from zoo.cli import command
from zoo.edge.runtime import quiet
from zoo.report import Column, Table
from zoo.studio import app_files, find_runtime, write_page
from zoo.studio.server import make_server

STRESS = ("hysteresis-lstm", "material-relaxation", "material-maxwell")
SOUND = ("hearing-aid", "hearing-aid-recorded")
LOADS, ROUNDS, STEPS = 5, 200, 20
SOUND_S, RATE_HZ = 10, 48_000
STRESS_SCRIPT = """(async () => {
  const {modelSimulation} = await import("./stepmodel.js");
  const simulation = modelSimulation(await studio.openModel(NAME));
  let state = simulation.start(), best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const begin = performance.now();
    for (let k = 0; k < STEPS; k++)
      state = simulation.advance(state, [0.1 * Math.sin(0.05 * k), 0.1, 0.05]).state;
    best = Math.min(best, performance.now() - begin);
  }
  return best / STEPS * 1000;
})()"""
SOUND_SCRIPT = """(async () => {
  const {StepModel} = await import("/sound/classifier.js");
  const {Session} = await import("/sound/session.js");
  const step = new StepModel(await studio.openModel(NAME), studio.model(NAME).manifest);
  const sound = Float32Array.from({length: RATE * SECONDS}, () => 0.1 * Math.random() - 0.05);
  const times = [];
  for (let round = 0; round < 4; round++) {
    const session = new Session(step, RATE), begin = performance.now();
    for (let at = 0; at < sound.length; at += 1024) session.add([sound.slice(at, at + 1024)]);
    session.finish();
    times.push((performance.now() - begin) / 1000 / SECONDS);
  }
  return Math.min(...times);
})()"""


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.benchmarks.studio",
        description=(__doc__ or "").split("\n\n")[0],
        formatter_class=command.Help,
    )
    parser.add_argument("--runtime", type=Path, help="copy of LiteRT.js (default: from npm)")
    parser.add_argument("--out", type=Path, default=Path("runs/studio"), metavar="FOLDER")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code.

    Raises:
        ValueError: no Chromium, or no runtime.
    """
    options = parser().parse_args(arguments)
    if find_browser() is None:
        raise ValueError("Chromium is not installed. Install it: apt install chromium")
    runtime = find_runtime(options.runtime)
    content = dict(app_files(runtime))
    with tempfile.TemporaryDirectory() as folder:
        single = write_page(Path(folder) / "studio.html", runtime)
    rows = [
        ["folder [MB]", sum(map(len, content.values())) / 1e6, None],
        ["single file [MB]", single / 1e6, None],
    ]
    server, browser = make_server(content), Browser()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        rows += start_times(browser, address)
        page = browser.open("about:blank")
        page.go(f"{address}#models")
        page.wait("document.querySelector('[data-ready]')")
        rows += [step_times(page, name) for name in STRESS]
        rows += [sound_times(page, name) for name in SOUND]
    finally:
        browser.close()
        server.shutdown()
    table = Table(
        ["what", Column("page", number=".3g"), Column("LiteRT in Python", number=".3g")],
        rows,
        f"Start: median of {LOADS} loads; steps: fastest of {ROUNDS} times {STEPS}; sound: fastest "
        "of four.",
    )
    text = f"`python -m recipes.benchmarks.studio`\n\n{table.markdown()}\n{table.caption}\n"
    files.write_text(options.out / "studio.md", text)
    print(table.text())
    return 0


def start_times(browser: Browser, address: str) -> list[list[Any]]:
    """Seconds from the address to a room that can be used."""
    rows = []
    for room in ("material", "sound"):
        seconds = []
        for _ in range(LOADS):
            page = browser.open("about:blank")
            begin = time.monotonic()
            page.go(f"{address}#{room}")
            page.wait("document.querySelector('[data-ready]')")
            seconds.append(time.monotonic() - begin)
        rows.append([f"{room} room usable after [s]", statistics.median(seconds), None])
    return rows


def step_times(page: Page, name: str) -> list[Any]:
    """Microseconds of a step, in the page and here."""
    script = STRESS_SCRIPT.replace("NAME", json.dumps(name))
    in_page = page.evaluate(script.replace("ROUNDS", str(ROUNDS)).replace("STEPS", str(STEPS)))
    interpreter = Interpreter(f"saved_models/{name}/step.tflite")
    run = interpreter.get_signature_runner()
    details = run.get_input_details()
    state = {k: np.zeros(v["shape"], np.float32) for k, v in details.items() if k != "x"}
    best = float("inf")
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        for k in range(STEPS):
            x = np.array([[0.1 * np.sin(0.05 * k), 0.1, 0.05]], np.float32)
            outputs = run(x=x, **state)
            state = {key: outputs[f"{key}_next"] for key in state}
        best = min(best, time.perf_counter() - begin)
    return [f"{name}: a step [µs]", in_page, 1e6 * best / STEPS]


def sound_times(page: Page, name: str) -> list[Any]:
    """Share of real time that a classifier takes, from 48 kHz to programs, in the page and here."""
    script = SOUND_SCRIPT.replace("NAME", json.dumps(name)).replace("RATE", str(RATE_HZ))
    in_page = page.evaluate(script.replace("SECONDS", str(SOUND_S)))
    with quiet():
        model = zoo.edge.open(f"saved_models/{name}")
        model.warm_up()
    rng = np.random.default_rng(0)
    sound = rng.uniform(-0.05, 0.05, RATE_HZ * SOUND_S).astype(np.float32)
    best = float("inf")
    for _ in range(4):
        classifier = zoo.edge.StreamClassifier(model, RATE_HZ)
        begin = time.perf_counter()
        for at in range(0, len(sound), 1024):
            classifier.process(sound[at : at + 1024])
        classifier.finish()
        best = min(best, time.perf_counter() - begin)
    return [f"{name}: share of real time", in_page, best / SOUND_S]


if __name__ == "__main__":
    command.run(main)
