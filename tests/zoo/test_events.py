"""Events from probabilities by hand, and their score against sed_eval where it is installed."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from zoo.__main__ import main
from zoo.edge.labels import LabelRule
from zoo.events import EventSettings, detect_events, find_events
from zoo.folders import find
from zoo.manifest import read_manifest
from zoo.metrics.events import Event, EventScore, pool_scores, score_events

MODELS = Path(__file__).parents[2] / "saved_models"
EDGES = np.arange(11) / 10  # ten frames of 0.1 s


def events_in(values, **settings):
    plain = {"max_gap_s": 0.0, "min_duration_s": 0.0, **settings}
    found = find_events(np.array(values)[:, None], EDGES, ["x"], EventSettings(**plain))
    return [(round(e.onset_s, 6), round(e.offset_s, 6), e.probability) for e in found]


def test_an_event_begins_at_enter_and_ends_below_leave():
    rising_and_falling = [0.1, 0.4, 0.6, 0.9, 0.4, 0.31, 0.2, 0.4, 0.45, 0.0]
    assert events_in(rising_and_falling) == [(0.2, 0.6, 0.9)]  # 0.45 never enters
    assert events_in(rising_and_falling, leave=0.5) == [(0.2, 0.4, 0.9)]
    assert events_in(rising_and_falling, enter=0.4) == [(0.1, 0.6, 0.9), (0.7, 0.9, 0.45)]


def test_short_gaps_are_closed_and_short_events_left_out():
    p = [0.9, 0.9, 0.0, 0.9, 0.9, 0.9, 0.0, 0.0, 0.9, 0.0]
    assert events_in(p) == [(0.0, 0.2, 0.9), (0.3, 0.6, 0.9), (0.8, 0.9, 0.9)]
    assert events_in(p, max_gap_s=0.15) == [(0.0, 0.6, 0.9), (0.8, 0.9, 0.9)]
    assert events_in(p, max_gap_s=0.15, min_duration_s=0.2) == [(0.0, 0.6, 0.9)]


def test_frames_that_were_not_classified_end_an_event():
    assert events_in([0.9, 0.9, np.nan, 0.9] + [0.0] * 6) == [(0.0, 0.2, 0.9), (0.3, 0.4, 0.9)]


def test_a_moving_average_removes_a_single_frame():
    p = [0.0, 0.0, 0.9, 0.0, 0.0, 0.9, 0.9, 0.9, 0.9, 0.9]
    assert [each[0] for each in events_in(p, smoothing_s=0.3)] == [0.5]


def test_thresholds_and_shapes_are_checked():
    with pytest.raises(ValueError, match="0 < leave <= enter <= 1"):
        EventSettings(enter=0.2, leave=0.3)
    with pytest.raises(ValueError, match=r"must be \(10, 2\)"):
        find_events(np.zeros((10, 1)), EDGES, ["a", "b"])


TRUE = [Event(0.0, 1.0, "a"), Event(2.0, 3.0, "a"), Event(2.0, 2.4, "b"), Event(5.0, 6.0, "b")]
FOUND = [
    Event(0.15, 1.9, "a"),  # onset within 0.2 s, offset far off
    Event(2.3, 3.0, "a"),  # onset too late
    Event(1.9, 2.45, "b"),
    Event(2.05, 2.3, "b"),  # a second one for the same true event
    Event(5.0, 6.4, "a"),  # another class
]


def test_events_match_one_with_one_within_the_collar():
    assert score_events(TRUE, FOUND) == EventScore(correct=2, detected=5, true=4)
    with_offsets = score_events(TRUE, FOUND, offset_share=0.5)
    assert with_offsets == EventScore(correct=1, detected=5, true=4)
    both = pool_scores([score_events(TRUE, FOUND), with_offsets])
    assert (both.precision, both.recall) == (3 / 10, 3 / 8) and both.f1 == 6 / 18
    # a greedy match of the first with the first would find one only
    crossed = score_events([Event(0, 1, "a"), Event(0.3, 1, "a")], [Event(0.15, 1, "a")] * 2)
    assert crossed.correct == 2
    assert np.isnan(score_events([], []).f1)


@pytest.mark.parametrize("offset_share", [None, 0.5])
@pytest.mark.parametrize("seed", range(5))
def test_scores_are_those_of_sed_eval(seed, offset_share):
    sed_eval = pytest.importorskip("sed_eval", reason="sed_eval is not installed")
    rng = np.random.default_rng(seed)

    def draw(count):
        onsets = rng.uniform(0, 20, count)
        return [Event(t, t + rng.uniform(0.3, 2), str(rng.choice(["a", "b"]))) for t in onsets]

    true = draw(30)
    found = [
        Event(e.onset_s + rng.normal(0, 0.2), e.offset_s + rng.normal(0, 0.3) + 1, e.label)
        for e in true[:20]
    ] + draw(10)
    metrics = sed_eval.sound_event.EventBasedMetrics(
        event_label_list=["a", "b"],
        t_collar=0.2,
        percentage_of_length=offset_share or 0.0,
        evaluate_onset=True,
        evaluate_offset=offset_share is not None,
        event_matching_type="optimal",
    )
    as_dicts = [
        [{"event_label": e.label, "onset": e.onset_s, "offset": e.offset_s} for e in each]
        for each in (true, found)
    ]
    metrics.evaluate(*as_dicts)
    expected = metrics.results_overall_metrics()["f_measure"]
    score = score_events(true, found, offset_share=offset_share)
    assert score.f1 == pytest.approx(expected["f_measure"])
    assert score.precision == pytest.approx(expected["precision"])


def test_the_command_prints_events_and_writes_a_label_track(tmp_path, capsys):
    from zoo.data.synthesis import scene

    parts = [
        scene(name, seed=3, duration_s=3.0, sample_rate_hz=16_000).samples
        for name in ("quiet_room", "speech")
    ]
    recording, labels = tmp_path / "x.wav", tmp_path / "labels.txt"
    soundfile.write(recording, np.concatenate(parts), 16_000, subtype="FLOAT")
    words = ["events", "hearing-aid", recording, "--labels", labels, "--plot", tmp_path / "p.png"]
    assert main([*map(str, words)]) == 0
    text = capsys.readouterr().out
    rows = [line.split("\t") for line in labels.read_text().splitlines()]
    assert rows and all(float(row[0]) < float(row[1]) <= 6.0 for row in rows)
    assert all(row[2] in text for row in rows) and (tmp_path / "p.png").exists()
    assert main(["events", "hysteresis-rnn", str(recording)]) == 2
    assert "is no classifier of sound" in capsys.readouterr().err


def test_thresholds_of_the_manifest_are_the_defaults():
    assert EventSettings.from_manifest({}) == EventSettings()
    entry = {"enter": 0.7, "leave": 0.35, "smoothing_s": 0.1}
    assert EventSettings.from_manifest({"events": entry}) == EventSettings(
        0.7, 0.35, smoothing_s=0.1
    )
    assert EventSettings.from_manifest({"operating_point": {"class": "x"}}) == EventSettings(
        0.5, 0.5
    )
    with pytest.raises(ValueError, match="`events` of the manifest"):
        EventSettings.from_manifest({"events": {"threshold": 0.5}})


def test_events_of_a_detector_are_those_of_its_threshold(tmp_path):
    t = np.arange(0, 12, 1 / 4000)
    sound = 0.05 * np.random.default_rng(0).standard_normal(len(t))
    sound[len(t) // 2 :] += 0.2 * np.sin(2 * np.pi * 400 * t[len(t) // 2 :])
    recording = tmp_path / "x.wav"
    soundfile.write(recording, sound, 4000, subtype="FLOAT")
    detection = detect_events("wheeze-tiny", recording)
    threshold = LabelRule.from_manifest(read_manifest(find("wheeze-tiny"))).threshold
    is_wheeze = detection.probabilities[:, 1] >= threshold
    middles_s = (detection.starts_s + detection.ends_s) / 2
    for label, expected in (("wheeze", is_wheeze), ("normal", ~is_wheeze)):
        events = [each for each in detection.events if each.label == label]
        inside = [any(e.onset_s < at < e.offset_s for e in events) for at in middles_s]
        np.testing.assert_array_equal(inside, expected)
        highest = detection.probabilities[expected, detection.classes.index(label)].max()
        assert max(each.probability for each in events) == pytest.approx(highest)
