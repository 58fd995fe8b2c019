"""Augmentations on known signals: the change promised, and no other."""

from itertools import pairwise

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.signal import oaconvolve
from scipy.stats import chi2, kstest

from zoo.augment import (
    AddNoise,
    BetweenClass,
    Equaliser,
    FreqMixStyle,
    Gain,
    Mixup,
    Room,
    SameClass,
    SpecAugment,
    TimeShift,
    chain,
)

RATE = 8000
WAVEFORM = {
    "gain": lambda **more: Gain(**more),
    "shift": lambda **more: TimeShift(**more),
    "noise": lambda **more: AddNoise(**more),
    "room": lambda **more: Room(RATE, **more),
}
SPECTROGRAM = {
    "mask": lambda **more: SpecAugment(time_width=8, band_width=6, **more),
    "equaliser": lambda **more: Equaliser(**more),
    "style": lambda **more: FreqMixStyle(**{"share": 1.0, **more}),
}
layers = pytest.mark.parametrize("name", [*WAVEFORM, *SPECTROGRAM])


def layer_and_batch(name: str, clips: int = 6, **settings):
    rng = np.random.default_rng(0)
    if name in WAVEFORM:
        return WAVEFORM[name](**settings), rng.normal(0, 0.1, (clips, 2001)).astype("float32")
    x = rng.normal(0, 1, (clips, 40, 16, 1)) * rng.uniform(0.5, 3, (clips, 1, 16, 1))
    x += rng.normal(0, 4, (clips, 1, 16, 1))
    return SPECTROGRAM[name](**settings), x.astype("float32")


def augmented(step, x, seed=(3, 4), labels=None):
    """What a step makes of a batch as a map."""
    labels = np.zeros(len(x), "int32") if labels is None else labels
    y, labels = step.apply(tf.constant(x), tf.constant(labels), tf.constant(seed, tf.int32))
    return y.numpy(), labels.numpy()


# Every layer


@layers
def test_it_is_the_identity_at_inference(name):
    layer, x = layer_and_batch(name)
    np.testing.assert_array_equal(layer(x, training=False), x)
    np.testing.assert_array_equal(layer(x), x)
    model = keras.Sequential([keras.Input(x.shape[1:]), layer])
    np.testing.assert_array_equal(model.predict(x, verbose=0), x)


@layers
def test_a_layer_repeats_itself_with_its_seed_only(name):
    _, x = layer_and_batch(name)
    one, same, other = (layer_and_batch(name, seed=seed)[0] for seed in (1, 1, 2))
    first, second = one(x, training=True).numpy(), one(x, training=True).numpy()
    assert np.abs(first - x).max() > 1e-3
    assert np.abs(first - second).max() > 1e-3
    np.testing.assert_array_equal(same(x, training=True), first)
    np.testing.assert_array_equal(same(x, training=True), second)
    assert np.abs(other(x, training=True) - first).max() > 1e-3


@layers
def test_a_map_depends_on_its_seed_alone(name):
    layer, x = layer_and_batch(name)
    labels = np.arange(6, dtype="int32")
    first, kept = augmented(layer, x, seed=(1, 2), labels=labels)
    augmented(layer, x, seed=(1, 3))
    again, _ = augmented(layer, x, seed=(1, 2))
    np.testing.assert_array_equal(again, first)
    np.testing.assert_array_equal(kept, labels)
    assert np.abs(augmented(layer, x, seed=(1, 3))[0] - first).max() > 1e-3
    assert np.isfinite(first).all()
    assert first.shape == x.shape


@pytest.mark.parametrize("name", [*WAVEFORM, "mask"])
def test_clips_are_drawn_each_by_itself(name):
    layer, x = layer_and_batch(name)
    changes = augmented(layer, np.repeat(x[:1], 6, axis=0))[0]
    for a in range(6):
        for b in range(a):
            assert np.abs(changes[a] - changes[b]).max() > 1e-3


@layers
def test_a_model_with_it_trains(name):
    layer, x = layer_and_batch(name)
    head = [keras.layers.Flatten(), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input(x.shape[1:]), layer, *head])
    model.compile("sgd", "mse")
    history = model.fit(x, np.zeros((6, 1)), batch_size=3, epochs=1, verbose=0)
    assert np.isfinite(history.history["loss"]).all()


@layers
def test_a_share_of_clips_stays(name):
    layer, x = layer_and_batch(name, clips=400, share=0.3)
    changed = np.any(augmented(layer, x)[0] != x, axis=tuple(range(1, x.ndim)))
    rate = 0.3 if name != "mask" else 0.3 * (1 - (1 / 8 / 6) ** 2)  # all its masks may be empty
    assert changed.mean() == pytest.approx(rate, abs=4 * np.sqrt(0.21 / 400))
    untouched, _ = layer_and_batch(name, share=0.0)
    np.testing.assert_array_equal(augmented(untouched, x)[0], x)


@layers
def test_it_comes_back_from_its_settings(name):
    layer, x = layer_and_batch(name, seed=5, share=0.5)
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    np.testing.assert_array_equal(again(x, training=True), layer(x, training=True))


@layers
def test_it_runs_in_a_graph_of_unknown_shape(name):
    layer, x = layer_and_batch(name)
    spec = tf.TensorSpec([None] * (x.ndim - 1) + [x.shape[-1] if x.ndim == 4 else None])
    graph = tf.function(lambda x: layer.apply(x, x, tf.constant((3, 4)))[0], input_signature=[spec])
    np.testing.assert_allclose(graph(x), augmented(layer, x)[0], atol=1e-5)


@layers
def test_quiet_sound_survives_mixed_precision(name):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        layer, x = layer_and_batch(name)
    finally:
        keras.config.set_dtype_policy("float32")
    y = layer(1e-6 * x, training=True)
    assert y.dtype == tf.float32
    assert np.abs(y).max() > 0


# Waveforms


def test_gain_is_uniform_between_its_bounds():
    x = np.ones((2000, 5), "float32")
    y, _ = augmented(Gain((-10.0, 4.0)), x)
    decibels = 20 * np.log10(y)
    np.testing.assert_allclose(decibels, np.repeat(decibels[:, :1], 5, axis=1), atol=1e-5)
    assert kstest(decibels[:, 0], "uniform", (-10, 14)).pvalue > 1e-3


def test_a_shift_is_a_rotation():
    x = np.random.default_rng(0).normal(size=(300, 64)).astype("float32")
    y, _ = augmented(TimeShift(0.25), x)
    shifts = []
    for before, after in zip(x, y, strict=True):
        matches = [k for k in range(-32, 32) if np.array_equal(np.roll(before, k), after)]
        assert len(matches) == 1
        shifts += matches
    assert set(shifts) == set(range(-16, 17))


def test_a_spectrogram_is_rotated_in_time_alone():
    x = np.random.default_rng(0).normal(size=(5, 20, 3, 1)).astype("float32")
    for clip, rotated in zip(x, augmented(TimeShift(), x)[0], strict=True):
        (shift,) = [k for k in range(20) if np.array_equal(np.roll(clip, k, axis=0), rotated)]
        assert 0 <= shift < 20


@pytest.mark.parametrize("snr_db", [-5.0, 10.0])
def test_noise_has_the_ratio_asked_for(snr_db):
    n = np.arange(RATE)
    x = np.stack([a * np.sin(0.3 * n) for a in (1e-4, 0.1, 0.9)]).astype("float32")
    noise = augmented(AddNoise((snr_db, snr_db), (0.0, 0.0)), x)[0] - x
    measured_db = 10 * np.log10(np.mean(x**2, axis=1) / np.mean(noise.astype(float) ** 2, axis=1))
    np.testing.assert_allclose(measured_db, snr_db, atol=0.01)


@pytest.mark.parametrize("colour", [0.0, 1.0, 2.0])
def test_noise_has_its_colour(colour):
    x = np.ones((8, 4 * RATE), "float32")
    noise = augmented(AddNoise((0.0, 0.0), (colour, colour)), x)[0] - x
    power = np.mean(np.abs(np.fft.rfft(noise)) ** 2, axis=0)
    edges = np.geomspace(20, power.size - 1, 12).astype(int)
    density = [power[a:b].mean() for a, b in pairwise(edges)]
    middle = np.sqrt(edges[1:] * edges[:-1])
    slope = np.polyfit(np.log(middle), np.log(density), 1)[0]
    assert slope == pytest.approx(-colour, abs=0.06)


def test_silence_stays_silent():
    x = np.zeros((2, 999), "float32")
    for layer in (AddNoise(), Room(RATE), Gain(), TimeShift()):
        np.testing.assert_array_equal(augmented(layer, x)[0], x)


@pytest.mark.parametrize("reverberation_s", [0.2, 0.6])
def test_a_room_dies_away_in_its_time(reverberation_s):
    click = np.zeros((64, RATE), "float32")
    click[:, 100] = 1
    room = Room(RATE, (reverberation_s, reverberation_s), (0.0, 0.0))
    response = augmented(room, click)[0].astype(float)
    assert np.abs(response[:, :100]).max() < 1e-6  # nothing before the click
    left = np.cumsum(np.mean(response[:, 101:] ** 2, axis=0)[::-1])[::-1]  # Schroeder 1965
    decibels = 10 * np.log10(left / left[0])
    late = np.flatnonzero((decibels < -5) & (decibels > -35))
    slope = np.polyfit(late / RATE, decibels[late], 1)[0]
    assert -60 / slope == pytest.approx(reverberation_s, rel=0.03)


@pytest.mark.parametrize("direct_db", [-6.0, 0.0, 9.0])
def test_a_room_has_the_direct_sound_asked_for(direct_db):
    click = np.zeros((5, RATE), "float32")
    click[:, 0] = 1
    response = augmented(Room(RATE, (0.3, 0.3), (direct_db, direct_db)), click)[0].astype(float)
    echoes = np.sum(response[:, 1:] ** 2, axis=1)
    np.testing.assert_allclose(10 * np.log10(response[:, 0] ** 2 / echoes), direct_db, atol=0.01)
    np.testing.assert_allclose(response[:, 0] ** 2 + echoes, 1, rtol=1e-4)


def test_a_room_is_a_convolution():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(1, 3000)).astype("float32")
    click = np.eye(1, 3000, dtype="float32")
    room = Room(RATE, (0.2, 0.2))
    expected = oaconvolve(x[0], augmented(room, click)[0][0])[:3000]
    np.testing.assert_allclose(augmented(room, x)[0][0], expected, atol=1e-4)


# Spectrograms


def test_masks_cover_whole_stretches_and_nothing_else():
    x = np.random.default_rng(2).normal(5, 1, (50, 60, 30, 1)).astype("float32")
    layer = SpecAugment(time_masks=1, time_width=10, band_masks=1, band_width=7, fill=0.0)
    y = augmented(layer, x)[0]
    hidden = (y == 0)[..., 0]
    times, bands = hidden.all(axis=2), hidden.all(axis=1)
    np.testing.assert_array_equal(hidden, times[:, :, None] | bands[:, None, :])
    np.testing.assert_array_equal(y[~hidden], x[~hidden])
    for rows, width in ((times, 10), (bands, 7)):
        assert (np.abs(np.diff(rows, axis=1, prepend=False, append=False)).sum(axis=1) <= 2).all()
        assert rows.sum(axis=1).max() == width - 1


def test_time_and_band_masks_are_drawn_independently():
    x = np.ones((200, 40, 40, 1), "float32")
    counts = {"time_masks": 1, "band_masks": 1, "time_width": 10, "band_width": 10}
    hidden = augmented(SpecAugment(**counts, fill=0.0), x)[0][..., 0] == 0
    times, bands = hidden.all(axis=2), hidden.all(axis=1)
    # width (10 of them) and start (about 35) of both agree by chance in one clip of 300
    assert (times == bands).all(axis=1).mean() < 0.1


def test_masks_are_filled_with_the_mean_of_their_clip():
    x = np.random.default_rng(2).normal(5, 1, (20, 60, 30, 1)).astype("float32")
    y = augmented(SpecAugment(), x)[0]
    for before, after in zip(x, y, strict=True):
        np.testing.assert_allclose(after[after != before], before.mean(), rtol=1e-5)


@pytest.mark.parametrize("axis", [0, 1])
def test_masks_are_drawn_as_those_of_tensorflow_io(axis):
    import tensorflow_io as tfio

    draws, size, width = 1500, 20, 8
    x = np.ones((draws, size, size, 1), "float32")
    counts = {"time_masks": 1 - axis, "band_masks": axis}
    ours = augmented(SpecAugment(**counts, time_width=width, band_width=width, fill=0.0), x)[0]
    ours = np.take(ours[..., 0], 0, axis=2 - axis) == 0  # (draws, size)
    draw = tfio.audio.freq_mask if axis else tfio.audio.time_mask
    tf.random.set_seed(0)
    many = tf.function(lambda: tf.map_fn(lambda one: draw(one, param=width), x[..., 0]))
    theirs = np.take(many().numpy(), 0, axis=2 - axis) == 0
    for quantity in (lambda m: m.sum(axis=1), lambda m: m.argmax(axis=1)):
        table = np.stack([np.bincount(quantity(m), minlength=size) for m in (ours, theirs)])
        table = table[:, table.sum(axis=0) > 0]
        expected = table.sum(axis=0) / 2
        statistic = np.sum((table - expected) ** 2 / expected)
        assert chi2.sf(statistic, table.shape[1] - 1) > 1e-3


def test_an_equaliser_adds_a_line_through_points_over_the_bands():
    layer, x = layer_and_batch("equaliser", clips=200, decibels=3.0, gain_db=0.0, points=4)
    added = augmented(layer, x)[0] - x
    np.testing.assert_allclose(added, np.broadcast_to(added[:, :1], x.shape), atol=1e-5)
    curves = added[:, 0, :, 0]  # 16 bands: the four points lie on bands 0, 5, 10, 15
    expected = [np.interp(np.arange(16), [0, 5, 10, 15], curve[::5]) for curve in curves]
    np.testing.assert_allclose(curves, expected, atol=1e-5)
    assert kstest(curves[:, ::5].ravel(), "uniform", args=(-3, 6)).pvalue > 1e-3


def test_an_equaliser_turns_the_volume_for_the_whole_clip():
    layer, x = layer_and_batch("equaliser", clips=200, decibels=0.0, gain_db=9.0)
    added = augmented(layer, x)[0] - x
    gain = added.mean(axis=(1, 2, 3))
    np.testing.assert_allclose(
        added, np.broadcast_to(gain[:, None, None, None], x.shape), atol=1e-5
    )
    assert kstest(gain, "uniform", args=(-9, 18)).pvalue > 1e-3


def test_a_shift_of_an_old_file_keeps_its_setting():
    config = TimeShift(0.2, seed=3).get_config()
    old = {**config, "most": config.pop("max_share")}
    assert TimeShift.from_config(old).get_config() == TimeShift(0.2, seed=3).get_config() | {
        "name": config["name"]
    }


def test_style_of_a_clip_lies_between_its_own_and_anothers():
    _, x = layer_and_batch("style", clips=2)
    for seed in range(20):
        y = augmented(FreqMixStyle(alpha=1.0, share=1.0), x, seed=(seed, 0))[0]
        # what is left of a clip without its mean and deviation in each band is untouched
        plain = [(z - z.mean((1, 3), keepdims=True)) / z.std((1, 3), keepdims=True) for z in (x, y)]
        np.testing.assert_allclose(*plain, atol=1e-4)
        for statistic in (np.mean, np.std):
            before, after = statistic(x, axis=(1, 3)), statistic(y, axis=(1, 3))
            share = (after[0] - before[1]) / (before[0] - before[1])
            np.testing.assert_allclose(share, share[0], atol=2e-3)
            assert -1e-4 < share[0] < 1 + 1e-4


# Mixing


def test_mixup_mixes_labels_as_it_mixes_clips():
    x = np.eye(8, dtype="float32")  # clip k is all in sample k, so the mixture tells its parts
    y, labels = augmented(Mixup(classes=8, alpha=1.0), x, labels=np.arange(8, dtype="int32"))
    np.testing.assert_allclose(y, labels, atol=1e-6)
    np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-6)
    assert ((labels > 0).sum(axis=1) <= 2).all()
    assert (labels.max(axis=1) < 0.999).any()


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_mixup_draws_from_a_beta_distribution(alpha):
    x = np.eye(1000, dtype="float32")  # what is left of a clip in itself is its share
    y, _ = augmented(Mixup(classes=2, alpha=alpha), x, labels=np.zeros(1000, "int32"))
    assert kstest(np.diag(y), "beta", (alpha, alpha)).pvalue > 1e-3
    assert kstest(np.diag(y), "beta", (2 * alpha, 2 * alpha)).pvalue < 1e-3


def test_between_class_follows_its_formula():
    rng = np.random.default_rng(3)
    loud = np.array([1, 0.1, 2, 0.5, 1, 3])
    x = (loud[:, None] * rng.normal(size=(6, 400))).astype("float32")
    classes = np.array([0, 1, 2, 0, 1, 2], "int32")
    y, labels = augmented(BetweenClass(classes=3), x, labels=classes)
    for k in range(6):
        r = labels[k, classes[k]]
        (other,) = np.flatnonzero((labels[k] > 0) & (np.arange(3) != classes[k]))
        assert labels[k].sum() == pytest.approx(1, abs=1e-6)
        level = 10 * np.log10(np.mean(x**2, axis=1))
        expected = []
        for j in np.flatnonzero(classes == other):
            p = 1 / (1 + 10 ** ((level[k] - level[j]) / 20) * (1 - r) / r)
            expected.append((p * x[k] + (1 - p) * x[j]) / np.sqrt(p**2 + (1 - p) ** 2))
        assert min(np.abs(y[k] - e).max() for e in expected) < 1e-4


def test_between_class_leaves_a_batch_of_one_class_alone():
    x = np.random.default_rng(0).normal(size=(4, 50)).astype("float32")
    y, labels = augmented(BetweenClass(classes=2), x, labels=np.ones(4, "int32"))
    np.testing.assert_allclose(y, x, rtol=1e-6)
    np.testing.assert_array_equal(labels, [[0, 1]] * 4)


def test_shares_of_classes_can_be_mixed_again():
    x = np.random.default_rng(0).normal(size=(6, 50)).astype("float32")
    twice = chain(BetweenClass(classes=3), Mixup(classes=3))
    y, labels = twice(tf.constant(x), tf.constant([0, 1, 2, 0, 1, 2]), tf.constant((0, 1)))
    assert y.shape == (6, 50)
    np.testing.assert_allclose(labels.numpy().sum(axis=1), 1, atol=1e-5)


# Chains


def test_a_chain_gives_each_step_its_own_seed():
    x, labels, seed = tf.ones((4, 10)), tf.zeros(4), tf.constant((1, 2))
    one, two = (
        20 * np.log10(chain(*steps)(x, labels, seed)[0][:, 0])
        for steps in ((Gain(),), (Gain(), Gain()))
    )
    assert np.abs((two - one) - one).min() > 0.01


def test_batches_are_augmented_by_their_step_alone():
    from zoo.data.synthesis.collection import scene_clips

    clips = scene_clips(sites=2, seed=0, scenes=("rain", "wind"), duration_s=0.3)
    augment = chain(Gain(), TimeShift(), AddNoise(), Room(16_000), Mixup(classes=2))
    run = list(clips.dataset(4, seed=9, augment=augment).take(3))
    resumed = next(iter(clips.dataset(4, seed=9, augment=augment, start_step=2)))
    for whole, again in zip(run[2], resumed, strict=True):
        np.testing.assert_array_equal(whole, again)
    assert np.abs(run[1][0] - run[2][0]).max() > 1e-4
    assert run[0][1].shape == (4, 2)


# Mistakes


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Gain((3.0, -3.0)), "`decibels` must be"),
        (lambda: Gain(share=1.5), "`share` must lie between 0 and 1"),
        (lambda: TimeShift(1.5), "`max_share` must be"),
        (lambda: AddNoise(snr_db=(20.0, 10.0)), "`snr_db` must be"),
        (lambda: Room(RATE, reverberation_s=(0.0, 1.0)), "`reverberation_s` must be"),
        (lambda: SpecAugment(time_width=0), "widths 1 or more"),
        (lambda: SpecAugment(fill="median"), "`fill` must be numbers or 'mean'"),
        (lambda: Equaliser(decibels=-1.0), "`decibels` must be"),
        (lambda: Equaliser(points=1), "`points` must be 2 or more"),
        (lambda: FreqMixStyle(alpha=0.0), "`alpha` must be positive"),
        (lambda: Mixup(classes=1), "`classes` must be 2 or more"),
        (lambda: Mixup(classes=3, alpha=-1.0), "`alpha` must be positive"),
    ],
)
def test_mistakes_are_named(make, says):
    with pytest.raises(ValueError, match=says):
        make()


@pytest.mark.parametrize("range_db", [0.0, 10.0])
def test_same_class_adds_the_power_of_another_clip(range_db):
    levels = np.array([-20.0, -26.0, -80.0, 3.0], "float32")
    x = levels[:, None, None, None] + np.random.default_rng(0).normal(size=(4, 5, 3, 1)).astype(
        "float32"
    )
    classes = np.array([0, 0, 1, 2], "int32")
    y, labels = augmented(SameClass(share=1.0, range_db=range_db), x, labels=classes)
    np.testing.assert_array_equal(labels, classes)
    np.testing.assert_array_equal(y[2:], x[2:])  # nobody of their class is there
    power = 10 ** (x / 10)
    for clip, other in ((0, 1), (1, 0)):
        added = (10 ** (y[clip] / 10) - power[clip]) / power[other]  # everywhere the same gain
        gain_db = 10 * np.log10(added.mean())
        np.testing.assert_allclose(added, added.mean(), rtol=2e-3)
        assert abs(gain_db) <= range_db + 1e-3
    stayed, _ = augmented(SameClass(share=0.0), x, labels=classes)
    np.testing.assert_array_equal(stayed, x)


def test_same_class_mix_is_drawn_for_each_clip_and_among_all_of_its_class():
    x = np.eye(40, dtype="float32")[:, :, None, None] * 100
    y, _ = augmented(SameClass(share=0.5, range_db=0.0), x, labels=np.zeros(40, "int32"))
    joined = (y > 50).sum(axis=(1, 2, 3)) == 2
    assert 8 < joined.sum() < 32
    others = {
        int(np.flatnonzero((y[k, :, 0, 0] > 50) & (x[k, :, 0, 0] == 0))[0])
        for k in range(40)
        if joined[k]
    }
    assert len(others) > 6


def test_same_class_mixes_at_the_gain_drawn_for_each_clip():
    x, labels = np.zeros((400, 1, 1, 1), "float32"), np.zeros(400, "int32")
    y, _ = augmented(SameClass(share=1.0, range_db=10.0), x, labels=labels)
    gain_db = 10 * np.log10(10 ** (y.ravel() / 10) - 1)
    assert -10.01 < gain_db.min() < -9 and 9 < gain_db.max() < 10.01
    assert abs(gain_db.mean()) < 1 and abs(gain_db.std() - 20 / np.sqrt(12)) < 0.5


def test_same_class_needs_numbers_of_classes():
    with pytest.raises(ValueError, match="before Mixup and BetweenClass"):
        augmented(SameClass(), np.zeros((2, 3, 3, 1), "float32"), labels=np.eye(2, dtype="float32"))


def test_a_mask_takes_the_value_of_each_band():
    x = np.zeros((8, 20, 4, 1), "float32")
    y = augmented(SpecAugment(time_width=10, band_masks=0, fill=[1.0, 2.0, 3.0, 4.0]), x)[0]
    hidden = y[..., 0][y[..., 0].any(axis=2)]
    assert len(hidden) and np.all(hidden == [1, 2, 3, 4])


@pytest.mark.parametrize("settings", [{"share": 1.5}, {"range_db": -1.0}])
def test_same_class_mix_out_of_range_is_refused(settings):
    with pytest.raises(ValueError, match="between 0 and 1"):
        SameClass(**settings)
