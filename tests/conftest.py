"""What every test starts from: a quiet TensorFlow, and one small exported model."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import random
import signal
import sys
import tempfile
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import settings

# The gate draws the same examples each time; `--hypothesis-profile default` draws new ones.
settings.register_profile("same", derandomize=True)
settings.load_profile("same")

# Exports are noted in a folder of the user's own: here one of the tests' own, of children too.
_DATA = tempfile.TemporaryDirectory(prefix="zoo-tests-")
os.environ["XDG_DATA_HOME"] = _DATA.name

# A shell's background job ignores Ctrl-C, and so would every process that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

STEPS = 12


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Seed every test before its fixtures: weights are the same whatever ran before it."""
    random.seed(0)
    np.random.seed(0)
    if keras := sys.modules.get("keras"):
        keras.utils.set_random_seed(0)


@pytest.fixture(scope="session")
def exported(tmp_path_factory) -> SimpleNamespace:
    """A two-layer LSTM of 4 units, exported in every format; treat it as read-only."""
    from zoo import export, presets
    from zoo.data import hysteresis
    from zoo.data.split import Quantity
    from zoo.recurrent import plain_model, step_model, view

    data = hysteresis.split("walk", paths=6, seed=3, steps=STEPS)
    model = presets.recurrent("lstm", layers=2, units=4).build(data.x, data.y)
    rng = np.random.default_rng(0)
    model.set_weights([0.5 * rng.standard_normal(w.shape) for w in model.get_weights()])
    state = (Quantity("state", "-", "a state"),)
    states = ("hidden_0", "cell_0", "hidden_1", "cell_1")
    about = export.About(
        name="small-lstm",
        task="stress history of a test",
        description="A small LSTM for tests.",
        quantities={"x": data.inputs, "prediction": data.targets} | dict.fromkeys(states, state),
        metrics={"walk": {"nRMSE": {"value": 0.25, "baseline": 0.5, "baseline_name": "elastic"}}},
        limits=["Not trained at all."],
        data_licence="simulated.",
        provenance="Random weights.",
        training={"seed": 0},
    )
    folder = Path(tmp_path_factory.mktemp("saved_models"), "small-lstm")
    manifest = export.write(
        folder,
        about,
        export.Endpoints(view(model, fused=False), step_model(model), plain_model(model)),
        {"one": data.x[0], "two": data.x[1]},
        export.ExportOptions(examples=data.x),
    )
    return SimpleNamespace(
        folder=folder, manifest=manifest, model=model, data=data, about=about, states=states
    )


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium for all tests of pages."""
    pytest.importorskip("websockets", reason="websockets is not installed")
    from tests.browser import Browser, find_browser  # only now: websockets may be absent

    if not find_browser():
        pytest.skip("Chromium is not installed")
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def litert_js():
    """LiteRT.js, the runtime of the studio, from the user's cache or from npm."""
    from zoo.studio import find_runtime

    try:
        return find_runtime()
    except ValueError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def studio(litert_js):
    """Address of the studio, served on this machine."""
    from zoo.studio import app_files
    from zoo.studio.server import make_server

    with make_server(dict(app_files(litert_js))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
