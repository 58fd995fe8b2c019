"""The sound-events recipe: truth of frames, choice of thresholds, a run from top to bottom."""

import numpy as np

from recipes.sound_events import __main__ as command_line
from recipes.sound_events import experiment
from recipes.sound_events.evaluation import choose_settings, score
from recipes.sound_events.training import active_frames
from zoo.data.synthesis.soundscapes import LABELS
from zoo.data.synthesis.truth import Event
from zoo.metrics.events import pool_scores

HOP_S = 0.016
EVENTS = (Event("tone", 0.16, 0.48, 900, 1100), Event("speech", 0.32, 1.6, 100, 4000))


def test_frames_are_active_while_an_event_lasts():
    active = active_frames(EVENTS, 120)
    assert active[:, LABELS.index("tone")].nonzero()[0].tolist() == list(range(10, 30))
    assert active[:, LABELS.index("speech")].sum() == 80
    assert active.sum() == 100


def test_thresholds_are_those_that_find_the_events():
    rng = np.random.default_rng(0)
    truth = active_frames(EVENTS, 120)
    # probabilities that are too low by a factor: the usual threshold would find nothing
    p = [np.clip(0.4 * truth + 0.02 * rng.random(truth.shape), 0, 1) for _ in range(3)]
    chosen = choose_settings(p, [EVENTS] * 3)
    assert chosen.enter <= 0.4
    assert pool_scores(score(p, [EVENTS] * 3, chosen)).f1 == 1.0


def test_a_smoke_run_measures_and_exports(monkeypatch, tmp_path):
    written = {}

    def write(target, about, endpoints, golden, options, **_):
        written.update(about=about, endpoints=endpoints)

    monkeypatch.setattr(experiment.export, "write", write)
    arguments = ["--quick", "--soundscapes", "4", "--out", str(tmp_path / "run")]
    assert command_line.main(arguments) == 0
    assert written["about"].settings["classes"] == list(LABELS)
    assert set(written["about"].settings["events"]) >= {"enter", "leave"}
    assert written["endpoints"].step.output["probabilities"].shape == (None, len(LABELS))
    assert "Sound events" in (tmp_path / "run" / "report.html").read_text()
