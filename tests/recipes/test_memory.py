"""The memory recipe from the command line: what a user types, gets, and mistypes."""

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from recipes.memory import experiment as memory
from recipes.memory import inspection as memory_looks
from zoo.memory import terminal

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A user's model of Keras' own layers with two features, and what to feed it."""
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


def test_a_users_model_is_looked_at_layer_by_layer(own, tmp_path, capsys):
    arguments = ["--model", str(own / "own.keras"), "--csv", str(own / "own.csv")]
    assert memory.main([*arguments, "--reports", str(tmp_path)]) == 0
    table = capsys.readouterr().out.splitlines()
    below, above = table[2].split(), table[3].split()
    assert below[:3] == ["below", "LSTMCell", "6"] and above[:3] == ["above", "SimpleRNNCell", "2"]
    # the last column but the gates' of the SimpleRNN: nothing is shown that it does not have
    assert above[-4:] == ["–"] * 4
    folder = tmp_path / "memory-own"
    assert {p.stem for p in folder.glob("*.png")} == {"layers", "spectra", "gates"}
    page = (folder / "report.html").read_text()
    assert len(page) < 5e6 and "http://" not in page.split("<body")[1]
    assert "--model own.keras --csv own.csv" in page and str(own) not in page


def test_a_saved_model_stands_beside_its_material(exported, tmp_path, capsys):
    arguments = ["--model", str(exported.folder), "--reports", str(tmp_path)]
    assert memory.main(arguments) == 0
    assert "LSTMCell" in capsys.readouterr().out
    assert (tmp_path / "memory-small-lstm" / "material.png").is_file()


def test_live_draws_every_step_as_it_comes(own, capsys):
    arguments = ["--model", str(own / "own.keras"), "--csv", str(own / "own.csv"), "--live"]
    assert memory.main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    heads = [line for line in lines if line.startswith("step ")]
    assert heads[0] == "step 1/12" and heads[-1] == "step 12/12"
    names = [line.split()[0] for line in lines[1:7]]
    assert names == ["hidden_0", "cell_0", "input_0", "forget_0", "output_0", "hidden_1"]
    assert "\x1b" not in "".join(lines)


def test_bars_show_values_by_their_height():
    assert terminal.bars(np.array([0.0, 0.5, 1.0, 2.0, -1.0]), 0.0, 1.0) == "▁▅██▁"


def test_frames_know_gates_from_states():
    rows = {"gate": np.array([[0.0, 1.0]]), "state": np.array([[-2.0, 2.0]])}
    (frame,) = terminal.frames(lambda step: f"step {step}", rows, width=80)
    assert frame.splitlines() == ["step 0", "gate   ▁█", "state  ▁█"]
    (narrow,) = terminal.frames(lambda step: "a long head", rows, width=8)
    assert narrow.splitlines() == ["a long h", "gate   ▁", "state  ▁"]


def test_a_terminal_is_drawn_over():
    class Screen(io.StringIO):
        def isatty(self):
            return True

    screen = Screen()
    rows = {"gate": np.array([[0.0], [1.0]])}
    terminal.play(lambda step: f"step {step}", rows, steps_per_second=1e6, stream=screen)
    assert screen.getvalue().count("\x1b[2A") == 1


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("narrow.csv", "a\n1\n2\n", "line 2: 2 columns expected"),
        ("words.csv", "a,b\n1,2\n1,two\n", "line 3: numbers expected"),
        ("empty.csv", "a,b\n", "no rows"),
    ],
)
def test_a_bad_file_is_named_with_its_line(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=message):
        memory_looks.rows_of(tmp_path / name, 2)


def test_a_missing_model_is_one_line(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "recipes.memory", "--model", "missing.keras"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "missing.keras, which does not exist" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_option_ends_with_code_2(capsys):
    with pytest.raises(SystemExit) as end:
        memory.parser().parse_args(["--length", "2"])
    assert end.value.code == 2 and "expected 4 or more" in capsys.readouterr().err


def test_the_race_is_run_drawn_and_written(tmp_path, capsys):
    from recipes.memory import race as memory_race
    from zoo.report import Report

    options = memory.parser().parse_args(
        ["--quick", "--length", "6", "--units", "3", "--reports", str(tmp_path)]
    )
    some = {name: memory_race.NETWORKS[name] for name in ("logistic", "LSTM")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory_race, "NETWORKS", some)
        report = Report("Race")
        memory_race.race(report, options)
    logistic, lstm = capsys.readouterr().out.splitlines()[2:4]
    # slopes of the logistic are at most 1/4, and its matrix is orthogonal: 6 steps, 4^−6
    assert float(logistic.split()[3]) <= -6 * np.log10(4)
    assert lstm.split()[0] == "LSTM"
    rows = list(csv.reader((tmp_path / "memory-quick/gradients-lstm.csv").read_text().split()))
    assert rows[0] == ["step", "loss", "clipped", "all", "recurrent", "readout"]
    assert len(rows) == 49
    assert {"race", "fading", "bounds", "gradients"} == set(report._pictures)


def test_training_that_diverges_ends_and_has_no_memory_afterwards():
    from recipes.memory import race as memory_race
    from zoo.cells import SimpleRNNCell

    cell = SimpleRNNCell(2, activation="relu")
    steep = keras.optimizers.SGD(1e20)
    result = memory_race.train(cell, 4, 96, optimizer=steep, seed=0, name="steep")
    assert not np.isfinite(result.errors[-1]) and np.isnan(result.after).all()
    assert len(result.norms.losses) < 96 and not np.isnan(result.before).any()
