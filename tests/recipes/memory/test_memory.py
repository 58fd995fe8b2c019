"""The memory recipe: its command line, the adding problem, the comparison, and training."""

import csv
import os
import re
import subprocess
import sys
import types
from pathlib import Path

import keras
import numpy as np
import pytest

from recipes.memory import __main__ as command
from recipes.memory import ablation, comparison, training
from recipes.memory.adding import make_sequences
from recipes.memory.settings import Settings
from zoo.cells import SimpleRNNCell
from zoo.report import Report

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A user's model of Keras' own layers with two features, and inputs for it."""
    folder = tmp_path_factory.mktemp("own")
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((None, 2)),
            keras.layers.LSTM(3, return_sequences=True, name="below"),
            keras.layers.SimpleRNN(2, name="above"),
            keras.layers.Dense(1),
        ]
    )
    model.save(folder / "own.keras")
    rows = np.random.default_rng(0).normal(size=(12, 2)).round(3)
    with open(folder / "own.csv", "w", newline="") as file:
        csv.writer(file).writerows([["a", "b"], *rows.tolist()])
    return folder


def test_a_users_model_is_analysed_layer_by_layer(own, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert command.main(["--model", str(own / "own.keras"), "--csv", str(own / "own.csv")]) == 0
    table = capsys.readouterr().out.splitlines()
    below, above = table[2].split(), table[3].split()
    assert below[:3] == ["below", "LSTMCell", "6"] and above[:3] == ["above", "SimpleRNNCell", "2"]
    assert above[-4:] == ["–"] * 4  # a SimpleRNN has no gates
    folder = tmp_path / "runs" / "memory-own"
    assert {p.stem for p in folder.glob("*.png")} == {"layers", "spectra", "gates"}
    page = (folder / "report.html").read_text()
    body = re.sub(r"base64,[^\"]+", "", page).split("<body>")[1]
    assert "`" not in body and "_{" not in body and "<code>full</code>" in body
    assert len(page) < 5e6 and "http://" not in page.split("<body")[1]
    assert "--model PATH/own.keras --csv PATH/own.csv" in page and str(own) not in page


def test_a_saved_model_is_compared_with_its_material(exported, tmp_path, capsys):
    assert command.main(["--model", str(exported.folder), "--out", str(tmp_path / "run")]) == 0
    assert "LSTMCell" in capsys.readouterr().out
    assert (tmp_path / "run" / "material.png").is_file()


def test_live_draws_every_step_as_it_comes(own, capsys):
    arguments = ["--model", str(own / "own.keras"), "--csv", str(own / "own.csv"), "--live"]
    assert command.main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    heads = [line for line in lines if line.startswith("step ")]
    assert heads[0] == "step 1/12" and heads[-1] == "step 12/12"
    names = [line.split()[0] for line in lines[1:7]]
    assert names == ["hidden_0", "cell_0", "input_0", "forget_0", "output_0", "hidden_1"]
    assert "\x1b" not in "".join(lines)


def test_a_missing_model_is_one_line(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "recipes.memory", "--model", "missing.keras"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "missing.keras: no such model" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_option_is_refused(capsys):
    with pytest.raises(ValueError, match="--length must be 4 or more"):
        command.main(["--length", "2"])
    with pytest.raises(SystemExit) as end:
        command.parser().parse_args(["--units", "0"])
    assert end.value.code == 2 and "expected 1 or more" in capsys.readouterr().err


def test_adding_problem_adds_the_marked_values():
    x, y = make_sequences(500, 20, seed=1)
    assert x.shape == (500, 20, 2) and np.all(x[..., 1].sum(axis=1) == 2)
    assert np.all(x[:, :10, 1].sum(axis=1) == 1)
    marked = x[..., 0][x[..., 1] == 1].reshape(500, 2)
    np.testing.assert_allclose(y[:, 0], marked.sum(axis=1), rtol=1e-6)
    assert abs(np.mean((y - 1) ** 2) - 1 / 6) < 0.03
    with pytest.raises(ValueError, match="steps"):
        make_sequences(1, 1, seed=0)


def test_the_comparison_is_trained_drawn_and_written(tmp_path, capsys, monkeypatch):
    settings = Settings(length=6, units=3, quick=True, out=tmp_path)
    cells = {name: comparison.CELLS[name] for name in ("logistic", "LSTM")}
    monkeypatch.setattr(comparison, "CELLS", cells)
    report = Report("Comparison")
    comparison.compare_cells(report, settings)
    logistic, lstm = capsys.readouterr().out.splitlines()[2:4]
    # slopes of the logistic are at most 1/4, and its matrix is orthogonal: 6 steps, 4^−6
    assert float(logistic.split()[4]) <= -6 * np.log10(4)
    assert lstm.split()[0] == "LSTM"
    rows = list(csv.reader((tmp_path / "gradients-lstm.csv").read_text().split()))
    assert rows[0] == ["step", "loss", "clipped", "all", "recurrent", "readout"]
    assert len(rows) == 49
    assert {"errors", "fading", "bounds", "gradients"} == set(report._pictures)


def test_training_that_diverges_ends_and_has_no_memory_afterwards():
    cell = SimpleRNNCell(2, activation="relu")
    task = training.Task(length=4, steps=96, seed=0)
    result = training.train_cell(lambda: cell, task, keras.optimizers.SGD(1e20), "steep")
    assert not np.isfinite(result.errors[-1]) and np.isnan(result.after).all()
    assert len(result.gradients.losses) < 96 and not np.isnan(result.before).any()


@pytest.mark.parametrize("error", [np.inf, np.nan])
def test_a_training_that_diverges_counts_as_such_in_the_ablation(error):
    gradients = types.SimpleNamespace(norms=np.ones((3, 2)), clipped=np.zeros(3))
    logs = np.zeros(5)
    result = training.TrainingResult(np.array([error]), 1, gradients, logs, logs, 0.0, None)
    *_, last, best, worst, diverged = ablation._summarize([result], is_clipped=True)
    assert (last, best, worst, diverged) == (np.inf, np.inf, np.inf, 1)
