"""Materials from the command line: help at once, a board that goes on, files for a solver."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from recipes.materials import experiment as materials
from recipes.materials import leaderboard

ROOT = Path(__file__).parents[2]


def test_help_is_answered_without_tensorflow():
    code = (
        "import sys, recipes.materials as m\n"
        "for command in ([], ['leaderboard'], ['identify'], ['certify'], ['export']):\n"
        "    try: m.main([*command, '--help'])\n"
        "    except SystemExit: pass\n"
        "heavy = {'tensorflow', 'keras', 'numpy', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(word in done.stdout for word in ("certify", "leaderboard", "--fortran", "--law"))


def test_models_on_offer_are_the_presets():
    from zoo import presets

    assert sorted(materials.MODELS) == sorted(presets.NAMES)


@pytest.fixture
def folder(tmp_path):
    """Runs as they are left by a board that was stopped."""
    (tmp_path / "runs-16x250").mkdir()
    for model, seed, error in (("maxwell", 0, 1e-5), ("maxwell", 1, 3e-5), ("lstm", 0, 1e-2)):
        result = {
            "model": model,
            "seed": seed,
            "parameters": 3 if model == "maxwell" else 4897,
            "seconds": 10.0,
            "ended": "complete",
            "scores": {"walk": {"nrmse": error, "nrmse_p95": 2 * error}},
            "audit": {"negative dissipation": 0.0},
            "constants": {},
        }
        (tmp_path / "runs-16x250" / f"{model}-{seed}.json").write_text(json.dumps(result))
    return tmp_path


def test_a_board_takes_up_what_is_there_and_gives_mean_and_spread(folder):
    plan = leaderboard.Plan(("maxwell",), 2, 16, 250, folder)
    leaderboard.leaderboard(plan, jobs=1)
    text = (folder / "leaderboard.md").read_text()
    assert "| maxwell | 3 | 2 | 10 | 0.02 ± 0.014 |" in text  # 1e3 mean and standard deviation
    assert "| lstm | 4,897 | 1 | 10 | 10 |" in text
    assert "leaderboard --models maxwell --seeds 2 --epochs 16 --steps 250" in text
    with open(folder / "leaderboard.csv") as file:
        rows = list(csv.DictReader(file))
    assert [(row["model"], float(row["walk"])) for row in rows] == [
        ("lstm", 1e-2),
        ("maxwell", 1e-5),
        ("maxwell", 3e-5),
    ]


def test_runs_of_another_budget_are_not_on_the_board(folder, monkeypatch):
    asked = []
    monkeypatch.setattr(leaderboard, "_in_a_process", lambda plan, *run: asked.append(run) or "no")
    with pytest.raises(ValueError, match="1 of 1 runs failed"):
        leaderboard.leaderboard(leaderboard.Plan(("maxwell",), 1, 16, 10, folder), jobs=1)
    assert asked == [("maxwell", 0)]


def test_an_interrupted_board_says_how_to_go_on(folder, monkeypatch, capsys):
    def interrupt(plan, jobs):
        raise KeyboardInterrupt

    monkeypatch.setattr(leaderboard, "leaderboard", interrupt)
    assert materials.main(["leaderboard", "--folder", str(folder)]) == 130
    assert f"goes on from {folder / 'runs-16x250'}" in capsys.readouterr().err


def test_a_run_that_fails_is_named(folder, monkeypatch):
    monkeypatch.setattr(leaderboard, "_in_a_process", lambda plan, model, seed: f"{model}: no luck")
    with pytest.raises(ValueError, match="1 of 1 runs failed; the first: prony: no luck"):
        leaderboard.leaderboard(leaderboard.Plan(("prony",), 1, 1, 1, folder), jobs=1)


def test_a_saved_model_becomes_c_and_fortran(exported, tmp_path):
    for language, ending in (("--c", "c"), ("--fortran", "f90")):
        out = tmp_path / f"step.{ending}"
        assert materials.main(["export", str(exported.folder), language, "--out", str(out)]) == 0
        assert "small_lstm_step" in out.read_text()
    if shutil.which("gcc"):
        compile_c = ["gcc", "-std=c99", "-Wall", "-c", str(tmp_path / "step.c")]
        subprocess.run([*compile_c, "-o", str(tmp_path / "step.o")], check=True)


def test_what_is_not_a_model_is_one_line(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "recipes.materials", "certify", str(tmp_path / "nothing")],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
