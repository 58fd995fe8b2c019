"""Cross-validation: no group on two sides, calibration without test clips, checkpoints by key."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.small_models import small_sound_model
from zoo import crossvalidation
from zoo.convnets import split_model, standardize_of
from zoo.crossvalidation import AugmentationSettings, Predictions, TrainingSettings, network
from zoo.crossvalidation import folds as fold_training
from zoo.data.cache import ClipStore
from zoo.data.folds import group_keys, make_folds
from zoo.data.speed import add_speeds
from zoo.data.synthesis.collection import scene_clips
from zoo.spectrogram import FrontEnd, Spectrogram, Trim
from zoo.training import History

FRONT_END = FrontEnd(sample_rate_hz=8000, window_s=0.032, hop_s=0.016, mels=16)


@pytest.fixture(scope="module")
def clips():
    return scene_clips(
        sites=5, seed=0, scenes=("rain", "speech"), duration_s=0.5, sample_rate_hz=8000
    )


def test_no_group_trains_validates_and_tests_at_once(clips):
    for fold in make_folds(clips.index, count=3):
        train, validation = crossvalidation.split_validation(
            clips, np.flatnonzero(fold.train), seed=0
        )
        parts = (train, validation, np.flatnonzero(fold.test))
        assert sorted(np.concatenate(parts)) == list(range(len(clips)))
        groups = [set(group_keys(clips.index)[part]) for part in parts]
        assert all(groups) and sum(map(len, groups)) == 5


def test_a_single_group_cannot_be_split(clips):
    one = np.flatnonzero(group_keys(clips.index) == group_keys(clips.index)[0])
    with pytest.raises(ValueError, match=r"two groups .* Received: 1"):
        crossvalidation.split_validation(clips, one, seed=0)


def test_a_fold_without_test_clips_is_refused(clips):
    fold = replace(make_folds(clips.index, count=3)[0], test=np.zeros(len(clips), bool))
    with pytest.raises(ValueError, match="no clip to test on"):
        crossvalidation.evaluate_fold(lambda: None, clips, fold, TrainingSettings(1, 1))


def test_the_linear_baseline_separates_classes_of_different_level(clips):
    features = clips.with_features(Spectrogram(FRONT_END))
    for row in np.flatnonzero(clips.labels == 1):
        features.source[row][:] += 60  # decibels
    predictions = crossvalidation.linear_baseline(features, np.arange(6), np.arange(6, 10))
    np.testing.assert_array_equal(predictions.probabilities.argmax(axis=1), predictions.labels)


def test_training_behind_the_front_end_trains_the_whole(clips, tmp_path):
    waveforms = clips.to_array()
    waveforms[::2, 1500:] = 0  # which the front end trims
    source = ClipStore(waveforms.ravel(), np.full(len(waveforms), waveforms.shape[1]))
    clips = replace(clips, source=source, rows=np.arange(len(waveforms)))
    model = small_sound_model("small", 2, sample_rate_hz=8000, duration_s=0.5)
    features = add_speeds(clips, ()).with_features(split_model(model)[0])
    settings = TrainingSettings(epochs=1, steps_per_epoch=2, checkpoints=tmp_path)
    trained, history = crossvalidation.train_network(
        model, features, np.arange(8), np.arange(8, 10), settings, "fold 1"
    )
    assert len(history.loss) == 1 and len(list(tmp_path.glob("fold-1-*.npz"))) == 1
    predictions = crossvalidation.predict(trained, features, np.arange(10))
    np.testing.assert_allclose(
        model(clips.to_array())["probabilities"], predictions.probabilities, atol=1e-5
    )
    bands = np.stack([features.source[row] for row in range(8)])
    mean = standardize_of(model).mean
    np.testing.assert_allclose(mean[:, 0], bands.mean(axis=(0, 1, 3)), rtol=1e-4)


def test_a_run_with_the_same_settings_is_resumed(clips, tmp_path):
    settings = TrainingSettings(epochs=1, steps_per_epoch=1, checkpoints=tmp_path)
    weights = []
    for scale in (1.0, 2.0):  # initial weights that the checkpoint replaces in the second run
        model = small_sound_model("small", 2, sample_rate_hz=8000, duration_s=0.5)
        model.set_weights([scale * values for values in model.get_weights()])
        features = add_speeds(clips, ()).with_features(split_model(model)[0])
        trained, _ = crossvalidation.train_network(
            model, features, np.arange(8), None, settings, "fold 1"
        )
        weights.append(trained.get_weights())
    for first, second in zip(*weights, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_no_fold_is_calibrated_by_its_own_test_part_and_none_loses_clips_to_that(
    count, clips, monkeypatch
):
    trained_on = []

    def train_network(model, features, train, monitored, settings, name):
        trained_on.append(train)
        return model, History(loss=[1.0])

    def predict(model, features, rows):
        return Predictions(features.labels[rows], np.full((len(rows), 2), 0.5), rows)

    monkeypatch.setattr(fold_training, "predict", predict)
    features = clips.with_features(Spectrogram(FRONT_END))
    selected = make_folds(clips.index, count=3)[:count]
    results = crossvalidation.cross_validate(
        lambda: None, features, selected, TrainingSettings(1, 1), train=train_network
    )
    for fold, result, rows in zip(selected, results, trained_on, strict=True):
        calibrating = set(result.validation.rows)
        assert calibrating and not calibrating & set(result.test.rows)
        if count > 1:
            np.testing.assert_array_equal(rows, np.flatnonzero(fold.train))
        else:
            assert not calibrating & set(rows)


def test_no_augmentation_is_no_function():
    settings = AugmentationSettings(time_shift=False, equaliser_db=0.0, masks=False)
    assert network.make_augmentation(settings, (None, 30, 16, 1), 2) is None


def test_clips_of_the_same_class_are_mixed():
    settings = AugmentationSettings(same_class=1.0, time_shift=False, masks=False, equaliser_db=0.0)
    augment = network.make_augmentation(settings, (None, 30, 16, 1), 2)
    x, labels = np.zeros((2, 30, 16, 1), np.float32), np.zeros(2, np.int32)
    y, _ = augment(x, labels, np.array([1, 2], np.int32))
    assert np.all(y > 0.4)  # decibels: two as loud, or one ten times softer


def test_clips_take_the_band_statistics_of_others():
    settings = AugmentationSettings(
        freq_mixstyle=1.0, time_shift=False, masks=False, equaliser_db=0.0
    )
    augment = network.make_augmentation(settings, (None, 400, 3, 1), 2)
    rng = np.random.default_rng(0)
    offsets = np.array([0.0, 30.0])[:, None, None, None]  # two microphones
    x = (rng.normal(size=(2, 400, 3, 1)) + offsets).astype(np.float32)
    means = [
        augment(x, np.zeros(2, np.int32), np.array([0, k]))[0].numpy().mean((1, 2, 3))
        for k in range(20)
    ]
    assert np.ptp(np.array(means)[:, 0]) > 5  # the first took some of the second's level
    assert np.min(means) > -1 and np.max(means) < 31


def test_a_checkpoint_of_another_experiment_is_not_resumed(clips):
    features = clips.with_features(Spectrogram(FRONT_END))
    mixed = AugmentationSettings(same_class=0.5)
    variants = [
        TrainingSettings(2, 3),
        TrainingSettings(2, 3, augmentation=mixed),
        TrainingSettings(2, 3, seed=1),
        TrainingSettings(2, 4),
    ]
    plain, trimming = (
        network.front_end_key(keras.Sequential([Spectrogram(FRONT_END), *more]))
        for more in ([], [Trim()])
    )
    keys = {network.checkpoint_key(settings, features, plain) for settings in variants}
    keys.add(network.checkpoint_key(variants[0], features[np.arange(5)], plain))
    keys.add(network.checkpoint_key(variants[0], features, trimming))
    assert len(keys) == 6
    again = network.front_end_key(keras.Sequential([Spectrogram(FRONT_END)]))
    assert again == plain  # whatever number Keras gave the layer
    same = TrainingSettings(2, 3, checkpoints=Path("elsewhere"), logs=Path("there"))
    assert network.checkpoint_key(same, features, plain) in keys


def test_pooled_predictions_keep_their_order():
    parts = [Predictions(np.array([k]), np.full((1, 2), 0.5), np.array([10 * k])) for k in range(3)]
    pooled = crossvalidation.pool_predictions(parts)
    np.testing.assert_array_equal(pooled.labels, [0, 1, 2])
    np.testing.assert_array_equal(pooled.rows, [0, 10, 20])
    assert pooled.probabilities.shape == (3, 2)
