"""The main job from the command line: what a user types, gets, and mistypes."""

import html
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recipes.hysteresis.__main__ import main, parser, settings_of
from recipes.hysteresis.settings import Settings
from zoo.checkpoints import hash_arrays
from zoo.data.columns import Columns

ROOT = Path(__file__).parents[2]


def run(*arguments, cwd, **kwargs):
    return subprocess.run(
        [sys.executable, "-m", "recipes.hysteresis", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        **kwargs,
    )


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A run on three short specimens of a linear spring and dashpot, from the command line."""
    folder = tmp_path_factory.mktemp("run")
    lines = ["t_s,specimen,strain,stress_kpa"]
    for specimen, amplitude in (("a", 1.0), ("b", 0.7), ("c", 0.4)):
        time_s = np.linspace(0, 3, 31)
        strain = amplitude * np.sin(2 * time_s)
        stress = 5 * strain + amplitude * 2 * np.cos(2 * time_s)
        lines += [
            f"{t:.6f},{specimen},{e:.6f},{s:.6f}"
            for t, e, s in zip(time_s, strain, stress, strict=True)
        ]
    (folder / "test.csv").write_text("\n".join(lines))
    done = run(
        *("--csv", "test.csv", "--time", "t_s", "--group", "specimen", "--cell", "gru"),
        *("--layers", "1", "--units", "3", "--quick", "--seed", "4"),
        cwd=folder,
    )
    return folder, done


def test_a_users_own_test_is_learnt_scored_drawn_and_exported(measured):
    folder, done = measured
    assert done.returncode == 0, done.stderr
    head, _, *rows = done.stdout.splitlines()
    assert re.split(r"\s{2,}", head) == ["model", "train", "validation", "held out"]
    table, recommendation = rows[: rows.index("")], rows[rows.index("") + 1]
    errors = {name: float(held) for name, *_, held in (re.split(r"\s{2,}", row) for row in table)}
    laws = ["elastic", "linear Maxwell", "prony, 1 branch", "maxwell"]
    assert list(errors) == ["GRU", *laws, "SimpleRNN, 1 epoch"]
    best = min(errors, key=errors.__getitem__)
    winner = re.match(r"Recommended: (.*?) \(\d+ parameter", recommendation)[1]
    assert winner in laws and errors[winner] <= 1.06 * errors[best]
    assert "epoch   1/2" in done.stderr and "\x1b" not in done.stderr
    page = (folder / "runs" / "test-gru-quick" / "report.html").read_text()
    assert recommendation in html.unescape(page)
    assert page.count("data:image/png") == 4 and "http://" not in page.split("<body")[1]
    pictures = {p.name for p in (folder / "runs" / "test-gru-quick").glob("*.png")}
    assert pictures == {
        "error_by_split.png",
        "loops.png",
        "states_0.png",
        "learning_curves.png",
    }


def test_the_manifest_says_what_was_done(measured):
    folder, _ = measured
    facts = json.loads((folder / "runs/test-gru-quick/model/manifest.json").read_text())
    assert facts["signatures"]["step"]["outputs"]["prediction"]["unit"] == "kPa"
    assert facts["training"]["seed"] == 4 and facts["training"]["epochs"] == 2
    assert "--cell gru" in facts["provenance"] and str(folder) not in json.dumps(facts)
    assert facts["limits"][0] == (
        "Trained on 2 specimens; the last fifth of their rows chose the weights; errors are of "
        "1 specimen that did neither."
    )
    entry = facts["metrics"]["held out"]["nRMSE"]
    names = ("elastic", "linear Maxwell", "prony, 1 branch", "maxwell", "SimpleRNN, 1 epoch")
    assert entry["value"] > 0 and entry["baseline_name"] in names
    assert facts["name"] == "test-gru-quick"


def test_nothing_is_published_unasked(measured):
    folder, _ = measured
    assert not (folder / "saved_models").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--csv", "missing.csv"], "missing.csv: no such file"),
        (["--csv", "bad.csv"], "bad.csv, line 3: stress is 'soft'"),
        (["--csv", "bad.csv", "--stress", "force"], "no column called 'force'"),
    ],
)
def test_a_users_mistake_is_one_line_and_writes_nothing(tmp_path, arguments, message):
    (tmp_path / "bad.csv").write_text("time,strain,stress\n0,0,0\n1,1,soft\n")
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert message in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["bad.csv"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--units", "0"],
        ["--epochs", "many"],
        ["--cell", "transformer"],
        ["--exponent", "-1"],
        ["--dt-range", "0.4:0.003"],
        ["--dt-range", "fine"],
    ],
)
def test_a_wrong_option_ends_with_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        parser().parse_args(arguments)
    assert end.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_ctrl_c_before_anything_was_learnt_says_that_nothing_was_written(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "recipes.hysteresis", "--quick"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    lines = [process.stderr.readline() for _ in range(2)]
    assert "Ctrl-C keeps the best so far" in lines[1]
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=60)
    if "epoch   1/2" not in rest:  # else a fast machine was through its first epoch already
        assert process.returncode == 130
        assert "interrupted" in rest and "Traceback" not in rest
        assert list(tmp_path.iterdir()) == []


def test_the_same_command_gives_the_same_weights(tmp_path, monkeypatch):
    import keras

    from recipes.hysteresis import experiment
    from zoo.stress.experiment import simulated_experiment

    small = simulated_experiment(paths=8, test_paths=4, seed=3)
    monkeypatch.setattr(experiment, "load_experiment", lambda _: small)
    hashes = []
    monkeypatch.setattr(
        experiment,
        "finish",
        lambda settings, data, model, *_: hashes.append(hash_arrays(*model.get_weights())),
    )
    monkeypatch.chdir(tmp_path)
    for seed in (3, 3, 4):
        keras.random.normal((7,)), random.random(), np.random.random()  # whatever ran before
        assert main(["--quick", "--layers", "1", "--units", "2", "--seed", str(seed)]) == 0
    assert hashes[0] == hashes[1] != hashes[2]


def test_names_keep_other_runs_from_the_shipped_models():
    def name(*arguments):
        return settings_of(parser().parse_args(arguments)).name

    assert name() == "hysteresis-lstm"
    assert name("--cell", "gru") == "hysteresis-gru"
    assert name("--dt-range", "0.003:0.4") == "hysteresis-lstm-wide"
    assert name("--quick") == "hysteresis-lstm-quick"
    assert name("--csv", "data/rubber.csv") == "rubber-lstm"


def test_settings_are_what_the_options_say():
    arguments = ["--csv", "a/t.csv", "--stress", "s_kpa", "--group", "id", "--cycles", "3"]
    arguments += ["--csv", "b.csv", "--stretch-unit", "%", "--publish"]
    settings = settings_of(parser().parse_args(arguments))
    assert settings.columns == Columns(stress="s_kpa", group="id", stretch_unit="%")
    assert settings.cycles == 3
    assert settings.csv == (Path("a/t.csv"), Path("b.csv"))
    assert settings.paths.model == Path("saved_models/t-lstm")
    assert settings.paths.report == Path("runs/t-lstm/report.html")
    assert "b.csv" in settings.command and "--publish" not in settings.command
    arguments = ["--modulus", "2", "--sigma0", "4", "--dt-range", "0.01:0.4"]
    settings = settings_of(parser().parse_args(arguments))
    assert (settings.modulus_mpa, settings.nu0_s, settings.sigma0_mpa) == (2, 1, 4)
    assert settings.dt_range == (0.01, 0.4) and settings.name == "hysteresis-lstm-wide"
    command = "python -m recipes.hysteresis --seed 0"
    assert settings_of(parser().parse_args([])) == Settings(command=command)


@pytest.mark.parametrize(
    ("arguments", "message"),
    (
        (["--stress", "load"], "--stress describes a file. Give the file by --csv FILE"),
        (["--cycles", "2"], "--cycles describes a file"),
        (["--gauge-length", "50"], "--gauge-length describes a file"),
        (["--csv", "t.csv", "--modulus", "2"], "--modulus belongs to the simulated material"),
        (["--csv", "t.csv", "--dt-range", "1:2"], "--dt-range belongs to the simulated material"),
        (["--csv", "t.csv", "--baseline-weights", "a.npz"], "--baseline-weights belongs"),
        (["--weights", "a.npz", "--start", "b.npz"], "--weights scores a network as it is"),
        (["--csv", "t.csv", "--time-unit", "moons"], "--time-unit moons: not a known unit"),
    ),
)
def test_options_without_effect_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        settings_of(parser().parse_args(arguments))


def test_a_network_is_compared_with_laws_of_its_kind_of_material(monkeypatch):
    """Of a metal that is cycled Chaboche's, of rubber that is stretched springs of large strain."""
    from recipes.hysteresis import experiment  # imports TensorFlow
    from zoo.data import hysteresis

    tried = []

    def fit(train, candidates, **settings):
        tried.append({each.law for each in candidates})
        return {}

    monkeypatch.setattr(experiment, "fit_candidates", fit)
    data = hysteresis.split("walk", paths=2, seed=0, steps=60)
    for size in (0.01, 1.0):
        x = data.x.copy()
        x[..., 0] = size * np.sin(0.3 * np.arange(60))
        experiment.mechanics_laws(Settings(csv=(Path("t.csv"),)), replace(data, x=x))
    small, large = tried
    assert {"prony", "solid", "relaxation", "chaboche", "bouc-wen"} <= small
    assert {"chaboche", "mooney-rivlin", "mullins"} <= large and "mullins" not in small
    assert experiment.mechanics_laws(Settings(), data) == {}
