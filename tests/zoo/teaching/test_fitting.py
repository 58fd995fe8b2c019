"""From clips to a classifier: fine-tuning, long recordings, unequal classes."""

import numpy as np
import pytest
import soundfile

from zoo import presets
from zoo.data import corpora
from zoo.teaching import fitting, tuning
from zoo.teaching.card import limits_of, manifest_metrics, write_report
from zoo.teaching.fitting import fit_classes, read_clips
from zoo.teaching.heads import fit_head
from zoo.teaching.model import earlier_of
from zoo.teaching.settings import TeachSettings

RATE_HZ = 8000


@pytest.fixture(scope="module")
def base():
    return presets.sound(
        "residual_tiny_causal", 12, sample_rate_hz=RATE_HZ, duration_s=0.5, task="embedding"
    )


def write_tones(folder, tones, seconds=0.5):
    """Files of a tone and some noise: class -> (frequency [Hz], recordings)."""
    rng = np.random.default_rng(0)
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    for name, (hz, count) in tones.items():
        (folder / name).mkdir(parents=True)
        for k in range(count):
            x = 0.2 * np.sin(2 * np.pi * hz * time_s) + 0.02 * rng.standard_normal(len(time_s))
            soundfile.write(folder / name / f"{k}.wav", x, RATE_HZ)
    return corpora.read(folder).index


def test_the_parts_of_a_base_are_the_base(base):
    first, last = tuning.split_base(base, "embedding")
    x = np.random.default_rng(1).uniform(-0.3, 0.3, (3, 4000)).astype("f4")
    whole = np.asarray(base(x)["embedding"])
    np.testing.assert_allclose(np.asarray(last(first(x))), whole, rtol=1e-5, atol=1e-6)
    share = last.count_params() / base.count_params()
    assert tuning.TUNED_SHARE <= share < 1


def test_training_begins_with_the_layers_and_the_head_that_are_given(base, monkeypatch):
    monkeypatch.setattr(tuning, "LEARNING_RATE", 0.0)
    monkeypatch.setattr(tuning, "STEPS", 1)
    first, last = tuning.split_base(base, "embedding")
    x = np.random.default_rng(1).uniform(-0.3, 0.3, (4, 4000)).astype("f4")
    features, labels = np.asarray(first(x)), np.array([0, 0, 1, 1])
    head = fit_head(tuning.apply_tail(last, features), labels, "linear")
    trained = tuning.Tuner(last, 2).train(features, labels, head, 0)
    np.testing.assert_allclose(np.asarray(trained(features)), np.asarray(last(features)))


def test_a_class_of_damaged_recordings_alone_is_named(base, tmp_path, capsys):
    index = write_tones(tmp_path, {"low": (300, 1), "high": (900, 1), "broken": (600, 1)})
    (tmp_path / "broken" / "0.wav").write_bytes(b"RIFF" + bytes(40))
    assert read_clips(index, base).classes == ("high", "low")
    said = capsys.readouterr().err
    assert "no recording can be used of broken" in said
    assert "1 damaged clip is left out, 0.wav: not readable as sound" in said


def test_clips_of_one_class_fill_a_bounded_number_of_windows(base, tmp_path):
    index = write_tones(tmp_path, {"long": (300, 1), "Zug (f\u00fcr uns)": (900, 1)}, 20.0)
    clips = read_clips(index, base)
    assert len(clips) <= 2 * fitting.MAX_WINDOWS and len(clips) > fitting.MAX_WINDOWS
    settings = TeachSettings(tmp_path, name="Zu Hause (2)", out=tmp_path / "out")
    taught = fit_classes(base, clips, settings)
    assert taught.model.name == "Zu_Hause__2_"  # a space ends the export of a SavedModel
    assert taught.facts["recordings"] == 2
    assert [count[::2] for count in taught.counts] == [("Zug (f\u00fcr uns)", 1), ("long", 1)]
    assert sum(count[1] for count in taught.counts) == len(clips)
    write_report(settings, taught)
    page = settings.paths.report.read_text()
    assert "Zug (f\u00fcr uns)" in page and "What was learnt from." in page
    assert taught.choice.accuracy == {}
    assert "not known" in limits_of(taught, {"limits": ["model_int8.tflite is off", "of it"]})[0]
    assert not any("tflite" in each for each in limits_of(taught, {"limits": ["model.tflite"]}))
    again = limits_of(taught, {"limits": ["Accuracy is", "Base: of it"], "unknown": {}})
    assert again[-1] == "Base: of it" and "Base: Accuracy is" not in again
    assert [*manifest_metrics(taught)] == ["unknown sounds, each class a stranger to the others"]
    # an unknown answer is possible even from one recording a class
    assert -1 < taught.head.threshold < 1


def test_fine_tuning_is_taken_where_it_is_better(base, tmp_path, monkeypatch):
    monkeypatch.setattr(tuning, "STEPS", 2)
    monkeypatch.setattr(tuning, "PARTS", 2)
    monkeypatch.setattr(tuning, "MIN_CLIPS", 16)
    monkeypatch.setattr(fitting, "NOISY_COPIES", 1)
    real = fitting.try_tuning

    def decided(*arguments):
        trial = real(*arguments)
        assert 0 <= trial.tuned <= 1 and trial.layers > 1
        return tuning.TuningTrial(trial.layers, 0.9, 0.7, 0.01)

    monkeypatch.setattr(fitting, "try_tuning", decided)
    before = base.get_weights()
    clips = read_clips(write_tones(tmp_path, {"low": (300, 8), "high": (900, 9)}), base)
    taught = fit_classes(base, clips, TeachSettings(tmp_path))
    assert "was chosen: 90.0% against 70.0% of the frozen" in taught.sentence()
    assert taught.facts["fine_tuned_layers"] > 1
    # the base itself stays; the first layers of the copy do, the last are its own
    for a, b in zip(before, base.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    inside = [w for layer in taught.model.layers[:-1] for w in layer.get_weights()]
    same = [np.array_equal(a, b) for a, b in zip(before, inside, strict=True)]
    assert same[0] and not all(same)
    settings = TeachSettings(tmp_path, frozen=True)
    assert fit_classes(base, clips, settings).trial is None
    # and it takes further classes
    manifest = {
        "classes": list(taught.classes),
        "training": taught.facts,
        "unknown": {"examples": list(taught.examples)},
    }
    earlier = earlier_of(taught.model, manifest)
    assert earlier is not None and earlier.classes == ("high", "low")


def test_too_few_recordings_are_not_tuned_on():
    labels = np.repeat([0, 1], [50, 40])
    groups = np.array([f"{k}" for k in range(90)])
    assert tuning.why_not(labels, groups) == ""
    groups[50:] = "one"
    assert "there are 1 and 90" in tuning.why_not(labels, groups)


def test_the_gain_must_be_above_twice_its_standard_error():
    assert not tuning.TuningTrial(9, 0.80, 0.80, 0.0).is_better
    narrow = tuning.TuningTrial(9, 0.82, 0.80, 0.015)
    assert not narrow.is_better and "not taken: 82.0% against 80.0%" in narrow.sentence()
    assert tuning.TuningTrial(9, 0.85, 0.80, 0.02).is_better


def test_no_class_is_left_out_of_many_clips():
    """Every tenth of 30,000 clips may miss a class of eight, which lie side by side."""
    labels = np.zeros(30_000, int)
    labels[11:19] = 1
    rows = fitting.rows_to_tune_on(labels)
    assert len(rows) <= fitting.MAX_CLIPS + 8 and (np.diff(rows) > 0).all()
    assert (labels[rows] == 1).sum() == 8
    np.testing.assert_array_equal(fitting.rows_to_tune_on(labels[:3000]), np.arange(3000))
