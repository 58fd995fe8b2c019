"""Mixtures, projections and the clock of a distillation."""

import keras
import numpy as np
import pytest
from keras import ops

from zoo.convnets import sound_model
from zoo.data.bank import RATE_HZ, Bank
from zoo.distillation import Distiller, Mixer, MixSettings, Projection, TimeBudget, no_input
from zoo.spectrogram import FrontEnd, Spectrogram, Standardize

from tests.small_models import SMALL  # isort: skip

SAMPLES = 4000
PLAIN = MixSettings(
    SAMPLES, {"a": 1.0, "b": 1.0}, speed=0, second=0, texture=0, response_db=0, room=0, noise=0
)


def make_bank(seed=0):
    rng = np.random.default_rng(seed)
    clips = [0.1 * rng.normal(size=size).astype("float32") for size in (3000, 6000, 5000)]
    rows = [{"kind": kind, "label": kind, "fold": 0} for kind in ("a", "b", "c")]
    return Bank.of_clips(clips, rows)


def test_an_excerpt_is_a_part_of_its_clip_at_the_reference_level():
    bank = make_bank()
    mixer = Mixer(bank, PLAIN)
    excerpts, rows = (ops.convert_to_numpy(each) for each in mixer.excerpts(16))
    assert set(rows) == {0, 1}  # c is no kind of the settings
    for x, row in zip(excerpts, rows, strict=True):
        gain = 10 ** ((-20 - bank.table["loud_db"].iloc[row]) / 20)
        clip = gain * bank.clip(row)
        repeated = np.tile(clip, 4)
        # a fraction of a sample may lie between the two: correlate, as for a delay
        spectrum = np.fft.rfft(repeated, 2**15) * np.conj(np.fft.rfft(x, 2**15))
        peak = np.fft.irfft(spectrum).max() / np.sum(x**2)
        assert peak == pytest.approx(1, abs=0.2)


def test_mixtures_are_finite_and_of_the_gains_asked_for():
    settings = MixSettings(SAMPLES, {"a": 1.0, "c": 1.0}, texture=0.5, room=1.0, gain_db=20.0)
    teacher_input, student_input, rows = Mixer(make_bank(), settings).draw(32)
    teacher_input, student_input = (
        ops.convert_to_numpy(teacher_input),
        ops.convert_to_numpy(student_input),
    )
    assert (
        np.isfinite(teacher_input).all()
        and np.isfinite(student_input).all()
        and rows.shape == (32,)
    )
    gains_db = 20 * np.log10(
        np.linalg.norm(student_input, axis=1) / np.linalg.norm(teacher_input, axis=1)
    )
    assert np.abs(gains_db).max() <= 20 + 1e-3 and np.ptp(gains_db) > 10


def test_a_bank_without_the_kinds_is_refused():
    with pytest.raises(ValueError, match="no clip of x"):
        Mixer(make_bank(), MixSettings(SAMPLES, {"x": 1.0}))


@pytest.mark.parametrize("whitening", [0.0, 0.5, 1.0])
def test_projection(whitening):
    rng = np.random.default_rng(0)
    deviations = np.array([8.0, 4.0, 2.0, 1.0, 0.5])
    x = rng.normal(size=(20_000, 5)) * deviations @ np.linalg.qr(rng.normal(size=(5, 5)))[0] + 3
    projection = Projection.fit(x, 3, whitening)
    y = (x - projection.mean) @ projection.matrix
    covariance = np.cov(y.T)
    expected = deviations[:3] ** (2 - 2 * whitening)
    expected = 3 * expected / expected.sum()  # a mean square of 1 in all
    np.testing.assert_allclose(covariance, np.diag(expected), atol=0.05)
    assert projection.explained == pytest.approx(84 / 85.25, abs=0.005)


def make_student(name):
    front = FrontEnd(sample_rate_hz=RATE_HZ, window_s=0.032, hop_s=0.016, mels=16)
    layers = [Spectrogram(front, name="spectrogram"), Standardize(name="standardize")]
    return sound_model(SMALL, layers, 6, samples=SAMPLES, task="embedding", name=name)


def make_teacher():
    waveform = keras.Input((SAMPLES,), name="waveform")
    level = ops.log(ops.mean(ops.square(ops.reshape(waveform, (-1, 10, 400))), axis=2) + 1e-6)
    scores = keras.layers.Dense(4, activation="sigmoid")(level)
    model = keras.Model(waveform, {"embedding": level, "scores": scores})
    model.trainable = False
    return model


def test_every_student_learns_and_the_teacher_does_not():
    keras.utils.set_random_seed(0)
    students, teacher = {name: make_student(name) for name in ("one", "two")}, make_teacher()
    rng = np.random.default_rng(0)
    projection = Projection.fit(rng.normal(size=(200, 10)), 6)
    distiller = Distiller(Mixer(make_bank(), PLAIN), teacher, students, projection, batch=4)
    before = {name: [w.copy() for w in each.get_weights()] for name, each in students.items()}
    fixed = [w.copy() for w in teacher.get_weights()]
    distiller.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
    budget = TimeBudget(0.01, 1e-2, name="test")
    distiller.fit(
        no_input(), epochs=5, steps_per_epoch=2, callbacks=[budget], verbose=0, shuffle=False
    )
    assert budget.steps == 2  # the time is over at the end of the first epoch
    assert np.isfinite(budget.losses).all()
    for name, each in students.items():
        kernel = each.get_layer("conv1").get_weights()[0]
        assert not np.array_equal(kernel, before[name][2]), name
    for now, then in zip(teacher.get_weights(), fixed, strict=True):
        np.testing.assert_array_equal(now, then)
