"""Classifiers and linear heads on an embedding, on clips whose truth is known."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from recipes.embedding import __main__ as command_line
from recipes.embedding import head, scenes, transfer
from recipes.embedding.strangers import measure_strangers
from zoo import presets
from zoo.data.folds import make_folds
from zoo.data.synthesis.collection import scene_clips


@pytest.fixture(scope="module")
def clips():
    return scene_clips(sites=4, seed=0, duration_s=0.5, sample_rate_hz=8000)


@pytest.fixture(scope="module")
def model(clips):
    base = presets.sound(
        "residual_tiny_causal", 12, sample_rate_hz=8000, duration_s=0.5, task="embedding"
    )
    return scenes.build_classifier(base, 4, len(clips.classes), "few_blocks")


def test_folds_are_predicted_by_heads_of_the_others(clips, model):
    features = head.compute_features(model, clips)
    assert features.averages.shape == (len(clips), 48)  # of the fourth convolution
    folds = make_folds(clips.index, count=2)
    results = [scenes.evaluate_fold(features, clips, fold) for fold in folds]
    entry = scenes.accuracy_entry(results, clips.index["group"].astype(str).to_numpy())
    # untrained blocks still tell synthetic scenes apart better than chance
    assert entry["low"] <= entry["value"] <= entry["high"]
    assert entry["value"] > 2 / len(clips.classes) < entry["baseline"]
    temperature, _ = scenes.calibrate(results)
    fitted = head.fit_to(features, clips.labels, folds[0].train)
    scenes.set_head(model, fitted, temperature)
    x = clips[folds[0].test].to_array(duration_s=0.5)
    # the exported layer is the head, divided by the temperature
    cooled = (fitted[0] / temperature, fitted[1] / temperature)
    expected = head.probabilities_of(features.averages[folds[0].test], cooled)
    np.testing.assert_allclose(np.array(model(x)["probabilities"]), expected, atol=1e-3)


def test_strangers_are_scored_on_the_fold_that_was_never_heard(clips, model):
    features = head.compute_features(model, clips)
    assert np.allclose(head.embed(model, clips[np.arange(3)]), features.averages[:3], atol=1e-4)
    folds = make_folds(clips.index, count=4)
    far = -features.averages[:5]  # the opposite direction of clips
    unknown = measure_strangers(features, clips, folds, far, ("others",), "4")
    scores = unknown.metrics()["cross-validation, unknown sounds"]
    assert scores["AUROC, strangers against members"]["value"] == 1
    assert scores["false acceptance, strangers that pass"]["value"] == 0
    assert unknown.members == len(clips) and unknown.strangers == 5
    (last,) = (fold for fold in folds if fold.name == "fold 4")
    kept = scores["members that pass"]["value"]
    assert kept * last.test.sum() == pytest.approx(round(kept * last.test.sum()))
    none = measure_strangers(features, clips, folds, None, (), "4")
    assert none.threshold == unknown.threshold and "not measured" in none.limit()


def test_every_fold_is_asked_by_what_the_others_taught():
    labels = np.tile([0, 1], 10)
    index = SimpleNamespace(train=np.arange(20) < 10, test=np.arange(20) >= 10, name="fold 2")
    x = np.stack([labels - 0.5, np.ones(20)], axis=1)
    predicted = transfer.linear_head(x[index.train], labels[index.train], x[index.test])
    np.testing.assert_array_equal(predicted, labels[index.test])
    np.testing.assert_array_equal(
        transfer.ridge(x[index.train], labels[index.train], x[index.test]), labels[index.test]
    )


def test_every_part_is_called_with_its_own_options(monkeypatch, tmp_path):
    seen = []
    for name in command_line.RUNS:
        monkeypatch.setitem(command_line.RUNS, name, lambda options: seen.append(options.command))
    folder, file = str(tmp_path), str(tmp_path / "file")
    Path(file).touch()
    for given in (
        ["bank", "--esc10", folder],
        ["distil", "--teacher", file, "--bank", folder, "--out", folder],
        ["export", "--weights", file, "--fold4", folder, "--esc10", folder],
        ["scenes", "--data", folder],
        ["transfer", "--data", folder],
    ):
        assert command_line.main(given) == 0
    assert seen == list(command_line.RUNS)


def test_a_student_is_a_name_and_a_network_that_is_known(monkeypatch, tmp_path, capsys):
    folder, file = str(tmp_path), str(tmp_path / "file")
    Path(file).touch()
    words = ["distil", "--teacher", file, "--bank", folder, "--out", folder, "--students"]
    with pytest.raises(SystemExit):
        command_line.main([*words, "embedding"])
    assert "expected NAME=NETWORK" in capsys.readouterr().err
    with pytest.raises(ValueError, match=r"no network no_such\. Expected some of alexnet, "):
        command_line.main([*words, "embedding=no_such"])


def test_a_command_that_is_kept_names_another_embedding(monkeypatch, tmp_path):
    kept = []
    monkeypatch.setattr(scenes, "run", lambda settings: kept.append(settings.command))
    data = tmp_path / "my sounds"
    data.mkdir()
    command_line.main(["scenes", "--data", str(data)])
    command_line.main(["scenes", "--data", str(data), "--base", f"{tmp_path}/other"])
    assert kept == [
        f"python -m recipes.embedding scenes --data 'my sounds' --blocks 8 {base}--name "
        "scenes-distilled"
        for base in ("", "--base other ")
    ]
