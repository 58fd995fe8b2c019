"""Labels by hand: operating point, abstention, and what is no sound."""

import json
import wave
from pathlib import Path

import numpy as np
import pytest

import zoo.edge
from zoo.edge.__main__ import main
from zoo.edge.clips import classify_stream
from zoo.edge.condition import Condition
from zoo.edge.labels import LabelRule, clip_condition
from zoo.edge.windows import sliding_windows, window_starts

MODELS = Path(__file__).parents[3] / "saved_models"
RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("entries", "probabilities", "label"),
    [
        ({}, [0.2, 0.5, 0.3], "b"),
        ({"abstain_below": 0.5}, [0.2, 0.5, 0.3], "b"),
        ({"abstain_below": 0.51}, [0.2, 0.5, 0.3], None),
        ({"abstain_below": None}, [0.2, 0.5, 0.3], "b"),
        ({"operating_point": {"class": "b", "threshold": 0.17}}, [0.83, 0.17], "b"),
        ({"operating_point": {"class": "b", "threshold": 0.17}}, [0.84, 0.16], "a"),
        ({"operating_point": {"class": "a", "threshold": 0.9}}, [0.89, 0.11], "b"),
        (
            {"operating_point": {"class": "b", "threshold": 0.17}, "abstain_below": 0.9},
            [0.83, 0.17],
            None,
        ),
    ],
)
def test_a_label_follows_the_manifest(entries, probabilities, label):
    manifest = {"classes": list("abc")[: len(probabilities)], **entries}
    assert LabelRule.from_manifest(manifest).label(np.array(probabilities)) == label


def test_evidence_has_even_odds_at_the_threshold():
    """Log-odds are taken from those of the threshold: of 0.2 at 0.2 nothing is left."""
    rule = LabelRule(("a", "b"), positive="b", threshold=0.2)
    for p in (0.0, 0.05, 0.2, 0.7, 1.0):
        with np.errstate(divide="ignore"):
            odds = np.divide(p, 1 - p) / (0.2 / 0.8)
        share = 1.0 if np.isinf(odds) else odds / (1 + odds)
        np.testing.assert_allclose(rule.evidence(np.array([1 - p, p])), [1 - share, share])
    certain = LabelRule(("a", "b"), positive="b", threshold=1.0)
    np.testing.assert_array_equal(certain.evidence(np.array([0.0, 1.0])), [0.5, 0.5])
    np.testing.assert_array_equal(certain.evidence(np.array([0.5, 0.5])), [1.0, 0.0])
    abstaining = LabelRule(("a", "b", "c"), abstain_below=0.5)
    np.testing.assert_allclose(abstaining.evidence(np.array([0.4, 0.3, 0.3])), 3 * [1 / 3])
    np.testing.assert_array_equal(
        abstaining.evidence(np.array([0.5, 0.25, 0.25])), [0.5, 0.25, 0.25]
    )


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ({}, "Expected `classes`"),
        ({"classes": ["a", "b"], "operating_point": {"class": "a"}}, "Export the model again"),
        ({"classes": ["a", "b"], "operating_point": {"class": "c", "threshold": 0.5}}, "'c'"),
        ({"classes": list("abc"), "operating_point": {"class": "a", "threshold": 0.5}}, "two"),
        ({"classes": ["a", "b"], "abstain_below": 1.5}, "from 0 to 1"),
    ],
)
def test_a_rule_that_cannot_be_read_is_one_line(manifest, message):
    with pytest.raises(ValueError, match=message) as caught:
        LabelRule.from_manifest(manifest)
    assert "\n" not in str(caught.value)


def test_probabilities_that_are_not_finite_have_no_label():
    with pytest.raises(ValueError, match="0 of them finite"):
        LabelRule(("a", "b")).label(np.full(2, np.nan))


def test_nan_and_silence_are_no_sound():
    sound = 1e-3 * RNG.normal(size=100)
    assert clip_condition(sound) is Condition.SOUND
    assert clip_condition(np.zeros(100)) is Condition.SILENT
    assert clip_condition(np.full(100, 0.3)) is Condition.SILENT  # an offset alone
    for value in (np.nan, np.inf):
        assert clip_condition(np.where(np.arange(100) == 3, value, sound)) is Condition.NOT_FINITE


@pytest.mark.parametrize("weights", ["float32", "int8"])
@pytest.mark.parametrize("value", [0.0, np.nan])
def test_every_format_refuses_nan_and_silence(weights, value):
    model = zoo.edge.open_clips(MODELS / "wheeze-tiny", weights=weights)
    clip = np.full(model.samples, value, np.float32)
    label = model.classify(clip)
    assert label.name is None and np.isnan(label.probability)
    assert str(label) == ("(silent)" if value == 0 else "(not finite)")
    with pytest.raises(ValueError, match="A clip must hold sound"):
        model.probabilities(clip)
    with pytest.raises(ValueError, match=r"16000 samples at 4000 Hz. Received: shape \(5,\)"):
        model.classify(clip[:5])


def test_a_clip_is_classified_as_its_golden_output():
    folder = MODELS / "wheeze-tiny"
    manifest = json.loads((folder / "manifest.json").read_text())
    model = zoo.edge.open_clips(folder)
    with np.load(folder / "golden.npz") as golden:
        for clip, expected in zip(golden["waveform"], golden["probabilities"], strict=True):
            np.testing.assert_allclose(model.probabilities(clip), expected, atol=1e-5)
            label = model.classify(clip)
            assert label.name in manifest["classes"]
            index = manifest["classes"].index(label.name)
            assert label.probability == pytest.approx(expected[index], abs=1e-5)


def test_precisions_that_are_not_there_are_named():
    with pytest.raises(ValueError, match=r"a file for clips, got 'int4'. There are: .*int8"):
        zoo.edge.open_clips(MODELS / "wheeze-tiny", weights="int4")


def test_a_stream_is_labelled_clip_by_clip_whatever_its_blocks():
    model = zoo.edge.open_clips(MODELS / "wheeze-tiny")
    sound = (1e-2 * RNG.normal(size=9 * 4000)).astype(np.float32)
    sound[:16_000] = 0
    sound[20_000] = np.nan
    for size in (500, 4000, len(sound)):
        blocks = [sound[start : start + size] for start in range(0, len(sound), size)]
        results = list(classify_stream(model, 4000, blocks))
        assert [each[:2] for each in results] == [(0, 4), (4, 8), (5, 9)]
        conditions = [each.label.condition for each in results]
        assert conditions == [Condition.SILENT, Condition.NOT_FINITE, Condition.NOT_FINITE]
    results = list(classify_stream(model, 8000, [np.repeat(sound[24_000:], 2)]))
    (result,) = results
    assert [each[:2] for each in classify_stream(model, 4000, [sound], hop_s=2.5)] == [
        *[(0, 4), (2.5, 6.5)],
        (5, 9),
    ]
    assert result[:2] == (0, 3) and result.label.condition is Condition.SOUND


@pytest.mark.parametrize("hop", [None, 3, 10, 14])
@pytest.mark.parametrize("samples", [0, 3, 10, 11, 25, 30])
def test_windows_cover_a_stream_and_end_with_it(samples, hop):
    stream = np.arange(samples, dtype=np.float32)
    windows = list(sliding_windows(np.array_split(stream, 7), 10, hop))
    assert all(len(w.samples) == 10 for w in windows)
    for window in windows:
        expected = np.resize(stream[window.start : window.end], 10)
        np.testing.assert_array_equal(window.samples, expected)
    if samples:
        starts = [k for k in range(0, max(samples - 10, 0), hop or 10)] + [max(samples - 10, 0)]
        assert [w.start for w in windows] == starts == window_starts(samples, 10, hop).tolist()
        assert windows[-1].end == samples
    else:
        assert not windows


def test_even_odds_of_a_decision_are_those_of_the_operating_point():
    rule = LabelRule(("a", "b"), positive="b", threshold=0.2)
    np.testing.assert_allclose(rule.evidence(np.array([0.8, 0.2])), [0.5, 0.5])
    # odds of 3 : 7 over the odds 1 : 4 of the threshold: 12 : 7
    np.testing.assert_allclose(rule.evidence(np.array([0.7, 0.3])), [7 / 19, 12 / 19])
    np.testing.assert_allclose(LabelRule(("a", "b")).evidence(np.array([0.7, 0.3])), [0.7, 0.3])
    doubtful = LabelRule(tuple("abc"), abstain_below=0.5)
    np.testing.assert_allclose(doubtful.evidence(np.array([0.4, 0.3, 0.3])), np.full(3, 1 / 3))
    np.testing.assert_allclose(doubtful.evidence(np.array([0.6, 0.2, 0.2])), [0.6, 0.2, 0.2])


def test_the_command_labels_clips(tmp_path, capsys):
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(4000)
        file.writeframes(np.zeros(16_000, "<i2").tobytes())
    assert main([str(MODELS / "wheeze-tiny"), str(path)]) == 0
    output = capsys.readouterr()
    assert output.out.splitlines()[1].split() == ["0.000", "4.000", "(silent)"]
    assert output.err.startswith("label: wheeze from probability 0.")


def test_the_clip_with_a_gap_has_no_label():
    model = zoo.edge.open_clips(MODELS / "wheeze-tiny")
    sound = (1e-2 * RNG.normal(size=12 * 4000)).astype(np.float32)
    blocks = [sound[:17_000], Condition.GAP, sound[17_000:]]
    labels = [label for _, _, label in classify_stream(model, 4000, blocks)]
    assert [label.condition for label in labels] == [
        Condition.SOUND,
        Condition.GAP,
        Condition.SOUND,
    ]
    assert labels[1].name is None and str(labels[1]) == "(gap)"


def test_channels_of_a_clip_are_those_of_a_stream():
    model = zoo.edge.open_clips(MODELS / "wheeze-tiny")
    sound = (1e-2 * RNG.normal(size=4 * 4000)).astype(np.float32)
    notes = []
    ((_, _, mono),) = classify_stream(model, 4000, [sound])
    pair = np.stack([sound, -sound], axis=1)
    ((_, _, label),) = classify_stream(model, 4000, [pair], notes.append)
    assert label.probability == pytest.approx(mono.probability, abs=1e-6)
    assert notes == ["channels cancel each other, channel 1 is used alone"]
