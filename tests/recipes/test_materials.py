"""Materials from the command line: help at once, a smoke run to the end, a board that goes on."""

import dataclasses
import json
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from recipes.materials import settings as materials
from recipes.materials.__main__ import main
from zoo.leaderboard import TrialResult, write_result
from zoo.metrics.comparison import Comparison
from zoo.report import Report
from zoo.tasks import Workers
from zoo.tasks.execution import resolve
from zoo.training import History

ROOT = Path(__file__).parents[2]
STEPS = 16


def test_help_is_answered_without_heavy_imports():
    code = (
        "import sys, recipes.materials.__main__ as m\n"
        "for command in ([], ['train'], ['leaderboard'], ['trial']):\n"
        "    try: m.main([*command, '--help'])\n"
        "    except SystemExit: pass\n"
        "heavy = {'tensorflow', 'keras', 'numpy', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(word in done.stdout for word in ("leaderboard", "--publish", "--seeds", "--quick"))


def test_models_on_offer_are_the_presets():
    from zoo import presets

    assert sorted((*materials.MODELS, *presets.SOLIDS)) == sorted(presets.NAMES)
    assert sorted(materials.MATERIAL_MODELS) == sorted(presets.MATERIAL)


def test_a_smoke_run_is_scored_and_certified(tmp_path, monkeypatch, capsys):
    """All but the export, which the test of `recipes.hysteresis` runs to its end."""
    from recipes.materials import training
    from zoo.data import hysteresis
    from zoo.stress.experiment import simulated_experiment

    def short_experiment(**settings):
        """As the recipe's, of paths of 16 steps."""
        walks = [hysteresis.split("walk", paths=40, seed=seed, steps=STEPS) for seed in (0, 1)]
        tests = hysteresis.protocol(paths=2, seed=2, steps=STEPS)
        refinement = hysteresis.refinement(paths=2, seed=2, steps=STEPS)
        return dataclasses.replace(
            simulated_experiment(paths=1, test_paths=1),
            **{"train": walks[0], "validation": walks[1]},
            **{"tests": tests, "refinement": refinement},
        )

    exports = []
    monkeypatch.setattr(training, "simulated_experiment", short_experiment)
    monkeypatch.setattr(
        training, "export_stress_model", lambda *words, **more: exports.append((*words, more))
    )
    monkeypatch.chdir(tmp_path)
    assert main(["train", "prony", "--quick", "--seed", "3"]) == 0
    ((folder, name, trained, more),) = exports
    assert folder == Path("runs/material-prony-quick/model") and name == "material-prony-quick"
    assert trained.command == "python -m recipes.materials train prony --seed 3 --quick"
    assert more["training"]["epochs"] == 2 and more["training"]["seed"] == 3
    assert more["entries"]["certificate"]["causality"]["passed"] is True
    assert len(more["entries"]["constants"]["moduli"]) == 3
    json.dumps(more["entries"]), json.dumps(more["training"])
    assert "self-consistency" in (tmp_path / folder.parent / "certificate.html").read_text()
    assert "loops.png" in {p.name for p in (tmp_path / folder.parent).iterdir()}
    assert [p.name for p in tmp_path.iterdir()] == ["runs"]
    assert "linear Maxwell" in capsys.readouterr().out


@pytest.fixture
def interrupted_run(tmp_path, monkeypatch):
    """Function that runs a training of which one epoch was done when Ctrl-C came."""
    from recipes.materials import training

    exports = []
    monkeypatch.setattr(
        training, "export_stress_model", lambda *words, **more: exports.append((*words, more))
    )
    monkeypatch.setattr(
        training,
        "fit_model",
        lambda *_, **more: History([1.0], [1.0], [1e-3], [1.0], ended="interrupted"),
    )
    monkeypatch.setattr(training, "simulated_experiment", small_experiment)
    monkeypatch.setattr(training, "certify", lambda *_: SimpleNamespace(entry=dict))
    monkeypatch.chdir(tmp_path)
    return lambda *words: (main(["train", "prony", "--quick", *words]), exports)


def test_an_interrupted_run_says_so_first_and_is_not_published(interrupted_run, capsys):
    code, ((folder, _, trained, more),) = interrupted_run("--publish")
    assert code == 130
    assert folder == Path("runs/material-prony-quick/model")
    assert trained.warnings[0].startswith("Training was interrupted after epoch 1")
    assert more["training"]["ended"] == "interrupted"
    page = (folder.parent / "report.html").read_text().split("<body")[1]
    assert page.index("interrupted after epoch 1") < page.index("<h2")
    assert "--publish: not after an interrupted training" in capsys.readouterr().err


def test_a_model_worse_than_its_baseline_needs_force(interrupted_run, monkeypatch):
    from recipes.materials import training

    worse = Comparison("nRMSE", 9310.0, 0.5, "elastic")
    monkeypatch.setattr(training, "compare_with_simplest", lambda *_: worse)
    _, ((_, _, trained, _),) = interrupted_run()  # a smoke run is exported, with the sentence
    assert "nRMSE 9.31e+03, elastic 0.5" in trained.warnings[1]
    quick = dataclasses.replace(materials.TrainSettings("prony"), quick=False)
    monkeypatch.setattr(training, "training_report", lambda *_: Report("page"))
    with pytest.raises(ValueError, match="not exported"):
        training.run(quick)


def small_experiment(**_):
    from zoo.stress.experiment import simulated_experiment

    return simulated_experiment(paths=8, test_paths=4)


def test_names_and_places_of_a_run():
    def settings(**options):
        return materials.TrainSettings("lmsc", **options)

    assert settings().paths.model == Path("runs/material-lmsc/model")
    assert settings(publish=True).paths.model == Path("saved_models/material-lmsc")
    assert settings(quick=True, publish=True).paths.model == Path(
        "saved_models/material-lmsc-quick"
    )


@pytest.fixture
def board(tmp_path):
    """A board of which one trial is done."""
    settings = materials.LeaderboardSettings(models=("maxwell",), seeds=1, out=tmp_path)
    result = TrialResult("maxwell", 0, 3, 10.0, "complete", {"walk": 1e-5, "loop area": 2e-5})
    write_result(settings.trials, result)
    return settings


def test_a_board_that_is_complete_is_written_down(board, monkeypatch):
    from recipes.materials import leaderboard

    def refuse(*_):
        raise AssertionError("no trial is missing")

    monkeypatch.setattr("zoo.tasks.running.ProcessWorker", refuse)
    leaderboard.run(board)
    text = (board.folder / "leaderboard.md").read_text()
    assert "| maxwell | 3 | 1 | 10 | 0.01 | 0.02 |" in text
    assert "leaderboard --models maxwell --seeds 1 --epochs 16 --steps 250" in text
    names = {p.name for p in board.folder.iterdir()}
    assert {"report.html", "error_against_parameters.png", "leaderboard.csv"} <= names


def test_published_trials_of_the_same_budget_stay_on_the_board(board, monkeypatch, tmp_path):
    from recipes.materials import leaderboard

    monkeypatch.setattr(leaderboard, "PUBLISHED", tmp_path / "published")
    (tmp_path / "published").mkdir()
    leaderboard.run(replace(board, publish=True))
    other = replace(board, models=("gru",), out=tmp_path / "later", publish=True)
    result = TrialResult("gru", 0, 9, 20.0, "complete", {"walk": 1e-3, "loop area": 2e-3})
    write_result(other.trials, result)
    leaderboard.run(other)
    text = (tmp_path / "published/leaderboard.md").read_text()
    assert "| maxwell | 3 | 1 | 10 | 0.01 | 0.02 |" in text and "| gru | 9 | 1 | 20 |" in text
    assert "--models gru maxwell --seeds 1" in text
    longer = replace(other, epochs=99, models=("gru",))
    write_result(longer.trials, result)
    leaderboard.run(longer)
    assert "maxwell" not in (tmp_path / "published/leaderboard.md").read_text()


def test_trials_of_another_budget_are_not_on_the_board(board):
    other = materials.LeaderboardSettings(steps_per_epoch=10, out=board.out)
    assert other.trials != board.trials and other.folder == board.folder


def test_a_trial_is_a_task_with_what_it_depends_on_and_an_absolute_folder(board, monkeypatch):
    from recipes.materials import leaderboard

    given = {}

    def run_trials(trials, folder, function, settings, *, workers):
        given.update(trials=trials, function=function, workers=workers)
        given["settings"] = pickle.loads(pickle.dumps(settings))

    monkeypatch.setattr(leaderboard, "run_trials", run_trials)
    leaderboard.run(replace(board, workers=Workers(2, "head:6379")))
    assert given["trials"] == [leaderboard.Trial("maxwell", 0)]
    assert resolve(given["function"]) is leaderboard.run_trial
    assert given["workers"] == Workers(2, "head:6379")
    assert given["settings"].trials == board.trials.absolute()
    assert given["settings"].workers is None


def test_an_interrupted_board_says_how_to_go_on(board, monkeypatch, capsys):
    from recipes.materials import leaderboard

    def interrupt(settings):
        raise KeyboardInterrupt

    monkeypatch.setattr(leaderboard, "run", interrupt)
    assert main(["leaderboard", "--out", str(board.out)]) == 130
    assert f"goes on from {board.trials}" in capsys.readouterr().err
