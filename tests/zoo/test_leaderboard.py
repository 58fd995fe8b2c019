"""A board goes on where it was stopped, and gives mean and spread over seeds."""

import csv
import dataclasses
import io

import pytest

from zoo.leaderboard import (
    Trial,
    TrialResult,
    board_csv,
    board_from_csv,
    board_table,
    format_spread,
    read_board,
    run_trials,
    trial_file,
    write_result,
)
from zoo.tasks import Workers


def result(model, seed, error, seconds=10.0):
    return TrialResult(
        model=model,
        seed=seed,
        parameters=3 if model == "maxwell" else 4897,
        seconds=seconds,
        ended="complete",
        errors={"walk": error, "loop area": 2 * error},
        constants={"modulus": 1.5} if model == "maxwell" else {},
    )


@pytest.fixture
def folder(tmp_path):
    """Results as a board that was stopped leaves them."""
    for each in (result("maxwell", 0, 1e-5), result("maxwell", 1, 3e-5), result("lstm", 0, 1e-2)):
        write_result(tmp_path, each)
    return tmp_path


def test_results_survive_the_file(folder):
    board = read_board(folder, ("lstm", "maxwell", "gru"))
    assert list(board) == ["lstm", "maxwell"]
    assert board["maxwell"] == [result("maxwell", 0, 1e-5), result("maxwell", 1, 3e-5)]


def test_the_table_gives_mean_and_standard_deviation_in_thousandths(folder):
    text = board_table(read_board(folder, ("maxwell", "lstm")), "caption").markdown()
    assert "| maxwell | 3 | 2 | 10 | 0.02 ± 0.014 | 0.04 ± 0.028 |" in text
    assert "| lstm | 4,897 | 1 | 10 | 10 | 20 |" in text


def test_seconds_are_the_median():
    board = {"lstm": [result("lstm", k, 1.0, seconds) for k, seconds in enumerate((9, 10, 999))]}
    assert board_table(board, "").rows[0][3] == 10


def test_the_csv_has_a_row_for_each_trial_in_full_precision(folder):
    rows = list(csv.DictReader(io.StringIO(board_csv(read_board(folder, ("lstm", "maxwell"))))))
    assert [(row["model"], float(row["walk"])) for row in rows] == [
        ("lstm", 1e-2),
        ("maxwell", 1e-5),
        ("maxwell", 3e-5),
    ]
    assert rows[1]["constants"] == '{"modulus": 1.5}'


def test_a_board_comes_back_from_its_csv(folder):
    board = read_board(folder, ["lstm", "maxwell"])
    assert board_from_csv(board_csv(board)) == board
    assert board_from_csv("") == {}
    with pytest.raises(ValueError, match="row that is none"):
        board_from_csv("model,seed\nlstm,0\n")


@pytest.fixture
def trial_module(tmp_path, monkeypatch):
    """A module that trials can be run from, in any process: `run(settings, model, seed)`."""
    (tmp_path / "board_of_test.py").write_text(
        "def run(settings, model, seed):\n"
        "    with open(f'{settings}/began.txt', 'a') as file:\n"
        "        file.write(f'{model}-{seed} ')\n"
        "    if model == 'prony':\n"
        "        raise ValueError('no luck')\n"
        "    if model == 'gru':\n"
        "        raise KeyboardInterrupt\n"
        "    from zoo.leaderboard import TrialResult, write_result\n"
        "    from pathlib import Path\n"
        "    result = TrialResult(model, seed, 1, 1.0, 'complete', {'walk': 0.5})\n"
        "    write_result(Path(settings), result)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    return "board_of_test:run"


def began(folder):
    return sorted((folder / "began.txt").read_text().split())


def test_only_missing_trials_are_run_each_in_a_process(tmp_path, trial_module):
    write_result(tmp_path, result("maxwell", 0, 1e-5))
    trials = [Trial("maxwell", 0), Trial("maxwell", 1), Trial("lstm", 0)]
    run_trials(trials, tmp_path, trial_module, str(tmp_path), workers=Workers(2))
    assert began(tmp_path) == ["lstm-0", "maxwell-1"]
    board = read_board(tmp_path, ("maxwell", "lstm"))
    assert [(r.seed, r.errors["walk"]) for r in board["maxwell"]] == [(0, 1e-5), (1, 0.5)]


def test_interrupted_and_damaged_results_are_run_again_and_are_on_no_board(tmp_path, trial_module):
    stopped = dataclasses.replace(result("maxwell", 0, 1e-5), ended="interrupted")
    write_result(tmp_path, stopped)
    write_result(tmp_path, result("maxwell", 1, 3e-5))
    trial_file(tmp_path, Trial("maxwell", 2)).write_text('{"model": "maxw')
    assert read_board(tmp_path, ("maxwell",)) == {"maxwell": [result("maxwell", 1, 3e-5)]}
    run_trials([Trial("maxwell", k) for k in range(3)], tmp_path, trial_module, str(tmp_path))
    assert began(tmp_path) == ["maxwell-0", "maxwell-2"]


def test_an_interrupted_trial_stops_the_board(tmp_path, trial_module):
    with pytest.raises(KeyboardInterrupt):
        run_trials([Trial("gru", 0)], tmp_path, trial_module, str(tmp_path))


def test_a_diverged_trial_is_named_below_the_table():
    board = {"lstm": [dataclasses.replace(result("lstm", 3, 1.0), ended="diverged")]}
    assert "lstm, seed 3" in board_table(board, "caption.").caption


def test_a_trial_that_fails_is_named_with_its_last_line(tmp_path, trial_module):
    with pytest.raises(ValueError, match="1 of 1 trials failed; the first: prony, seed 3: no luck"):
        run_trials([Trial("prony", 3)], tmp_path, trial_module, str(tmp_path))


def test_a_single_value_has_no_spread():
    assert format_spread([0.01]) == "10"
    assert format_spread([0.01, 0.03]) == "20 ± 14"
