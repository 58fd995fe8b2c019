"""A training whose process is killed behind a random epoch ends as one that nobody stopped."""

import json

import numpy as np

from recipes.benchmarks.cluster import faults, work
from recipes.benchmarks.cluster.experiment import markdown
from recipes.benchmarks.cluster.settings import Settings
from zoo.tasks import Workers


def test_a_killed_training_goes_on_and_ends_the_same(tmp_path, monkeypatch):
    settings = Settings(training="numpy")
    found, deaths = faults.kill_worker(
        tmp_path / "killed", settings, Workers(2), np.random.default_rng(0)
    )
    assert deaths == 1
    monkeypatch.setattr(work, "PAUSE_S", 0.0)
    whole = faults.make_tasks(tmp_path / "whole", "numpy")
    for task in whole:
        work.train_numpy(**task.arguments)
    assert found == faults.results(whole)
    losses = json.loads(found[0])["losses"]
    assert len(losses) == work.EPOCHS and losses[-1] < losses[0]


def test_a_result_that_is_not_whole_is_none(tmp_path):
    path = tmp_path / "0.json"
    assert work.read_result(path) is None
    path.write_text('{"text": "a", "sha256": "b"}')
    assert work.read_result(path) is None


def test_the_page_has_a_row_for_each_fault():
    row = {"rounds": 10, "noticed": 10, "same": 9, "seconds": 5}
    text = markdown({"worker numpy": row, "replica": row})
    assert "| kill -9 of a training process; processes; training with numpy | 10 | 10 | 9 |" in text
