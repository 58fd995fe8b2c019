"""Rows of the benchmark: former names are read, the table has means over folds and seeds."""

import json
from pathlib import Path

import pytest

from recipes.benchmarks.scene_folds import __main__ as command_line
from recipes.benchmarks.scene_folds import experiment
from recipes.benchmarks.scene_folds.settings import Settings
from recipes.scenes.settings import AUGMENTATIONS


def row(fold, accuracy, *, seed=0, without=(), model="residual_tiny"):
    return {
        "data": "esc10",
        "model": model,
        "without": list(without),
        "seed": seed,
        "steps": 800,
        "fold": fold,
        "accuracy": accuracy,
        "baseline": 0.5,
        "parameters": 1000,
    }


def test_a_run_for_every_network_seed_and_ablation():
    settings = Settings(Path("data"), models=("a", "b"), seeds=2, ablation=True)
    runs = experiment.list_runs(settings)
    assert runs[:4] == [("a", 0, ()), ("b", 0, ()), ("a", 1, ()), ("b", 1, ())]
    assert runs[4] == ("a", 0, AUGMENTATIONS[:1]) and runs[-1] == ("b", 0, AUGMENTATIONS)
    assert len(runs) == 4 + 2 * (len(AUGMENTATIONS) + 1)


def test_rows_with_former_names_are_read_by_the_present_ones(tmp_path):
    path = tmp_path / "rows.jsonl"
    assert experiment.read_rows(path) == []
    path.write_text(json.dumps(row("fold 1", 0.5, without=["company"], model="alexnet_tiny")))
    (read,) = experiment.read_rows(path)
    assert (read["model"], read["without"]) == ("residual_tiny", ["same-class"])


def test_the_table_has_means_over_folds_and_seeds_and_the_command():
    rows = [
        row(fold, accuracy, seed=seed)
        for seed in (0, 1)
        for fold, accuracy in (("fold 1", 0.8), ("fold 2", 0.9))
    ]
    table = experiment.make_table([*rows, row("fold 1", 0.7, without=["masks"])])
    assert "| residual_tiny | 1,000 | – | 800 | 2 | 85.0 ± 5.8 | 80.0, 90.0 |" in table
    assert "| masks | 800 | 1 | 70.0 ± nan | 70.0 |" in table
    assert "reaches 50.0 %" in table
    assert "--data esc10 --models residual_tiny --seeds 2 --ablation" in table


def test_a_folder_that_is_not_there_is_refused_before_tensorflow(tmp_path):
    with pytest.raises(ValueError, match="does not exist"):
        command_line.main(["--data", str(tmp_path / "nowhere")])
