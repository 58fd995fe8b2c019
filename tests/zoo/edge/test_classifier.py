"""Any rate, block size and type give the same results; what cannot be classified is reported."""

import numpy as np
import pytest

import zoo.edge
from tests import edge_models
from zoo.edge import Condition

HOP, RATE = edge_models.HOP, edge_models.RATE_HZ


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return zoo.edge.open(edge_models.write_folder(tmp_path_factory.mktemp("edge") / "tiny-ear"))


def noise(samples, scale=0.1, seed=0):
    return np.random.default_rng(seed).normal(scale=scale, size=samples).clip(-0.9, 0.9)


def classify(classifier, x, seed=0):
    """All results to x, in random blocks."""
    rng, results, place = np.random.default_rng(seed), [], 0
    classifier.reset()
    while place < len(x):
        size = int(rng.integers(0, 700))
        results += classifier.process(x[place : place + size])
        place += size
    return results + classifier.finish()


def conditions(results):
    return [result.condition for result in results]


def test_blocks_of_any_size_are_classified_hop_by_hop(model):
    x = noise(20 * HOP + 50)
    results = classify(zoo.edge.StreamClassifier(model), x)
    assert conditions(results) == [Condition.SOUND] * 20
    expected = edge_models.expected(x[: 20 * HOP].reshape(20, HOP))
    np.testing.assert_allclose([a.probabilities for a in results], expected, rtol=1e-4)
    np.testing.assert_allclose([a.time_s for a in results], np.arange(1, 21) * HOP / RATE)
    levels = 10 * np.log10(np.mean(x[: 20 * HOP].reshape(20, HOP) ** 2, axis=1))
    np.testing.assert_allclose([a.level_dbfs for a in results], levels, atol=1e-4)


def test_every_type_and_number_of_channels_is_the_same_sound(model):
    whole = np.round(noise(10 * HOP) * 2**15).astype(np.int16)
    classifier = zoo.edge.StreamClassifier(model)
    expected = [a.probabilities for a in classify(classifier, whole.astype(np.float64) / 2**15)]
    for same in (
        whole,
        whole.astype(np.int32) << 16,
        np.stack([whole, whole], axis=1),
        whole.astype(np.float32)[:, None] / np.float32(2**15),
    ):
        probabilities = [a.probabilities for a in classify(classifier, same)]
        np.testing.assert_allclose(probabilities, expected, rtol=1e-5)


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_another_rate_sounds_alike(model, rate):
    def tone(rate_hz):
        t = np.arange(rate_hz) / rate_hz
        return 0.4 * np.sin(2 * np.pi * 440 * t) * np.sin(np.pi * t) ** 2

    own = classify(zoo.edge.StreamClassifier(model), tone(RATE))
    other = classify(zoo.edge.StreamClassifier(model, rate), tone(rate))
    assert len(own) == len(other)
    # The first and the last hop fade to nothing and are silent in both.
    pairs = [(a, b) for a, b in zip(own, other, strict=True) if a.probabilities is not None]
    for a, b in pairs:
        np.testing.assert_allclose(a.probabilities, b.probabilities, atol=1e-4)
        assert a.level_dbfs == pytest.approx(b.level_dbfs, abs=0.02)


def spoiled(kind):
    """Ten hops of noise, and which of them the fault in hop 4 spoils."""
    x = noise(10 * HOP)
    here = 4 * HOP + 60
    if kind == "nan":
        x[here] = np.nan
    elif kind == "infinity":
        x[here] = -np.inf
    elif kind == "full scale":
        x[here : here + 3] = [32767 / 32768] * 3
    elif kind == "beyond":
        x[here] = 1.2
    elif kind == "zeros":
        x[4 * HOP : 5 * HOP] = 0
    elif kind == "stuck":
        x[4 * HOP : 5 * HOP] = 0.3
    return x


@pytest.mark.parametrize(
    ("kind", "condition"),
    [
        ("nan", Condition.NOT_FINITE),
        ("infinity", Condition.NOT_FINITE),
        ("full scale", Condition.CLIPPED),
        ("beyond", Condition.CLIPPED),
        ("zeros", Condition.SILENT),
        ("stuck", Condition.SILENT),
    ],
)
def test_a_spoiled_hop_is_reported_and_not_classified(model, kind, condition):
    x = spoiled(kind)
    results = classify(zoo.edge.StreamClassifier(model), x)
    assert conditions(results) == [condition if k == 4 else Condition.SOUND for k in range(10)]
    assert results[4].probabilities is None
    np.testing.assert_array_equal(results[4].program.posterior, results[3].program.posterior)
    # The model goes on as if that hop had never been.
    rest = np.delete(x.reshape(10, HOP), 4, axis=0)
    probabilities = [a.probabilities for a in results if a.probabilities is not None]
    np.testing.assert_allclose(probabilities, edge_models.expected(rest), rtol=1e-4)


def test_two_samples_at_full_scale_are_a_peak(model):
    x = noise(10 * HOP)
    x[600:602] = 1.0
    assert conditions(classify(zoo.edge.StreamClassifier(model), x)) == [Condition.SOUND] * 10


def test_clipping_is_seen_across_the_seam_of_two_blocks(model):
    x = noise(2 * HOP)
    x[60:63] = -1.0
    classifier = zoo.edge.StreamClassifier(model)
    classifier.reset()
    results = [a for part in (x[:61], x[61:62], x[62:]) for a in classifier.process(part)]
    assert conditions(results) == [Condition.CLIPPED, Condition.SOUND]


def test_clipping_of_one_channel_survives_mixing_and_resampling(model):
    x = np.stack([noise(96_000), noise(96_000, seed=1)], axis=1)
    x[48_000:48_010, 1] = 1.0
    results = classify(zoo.edge.StreamClassifier(model, 48_000), x)
    (place,) = (k for k, c in enumerate(conditions(results)) if c is not Condition.SOUND)
    assert results[place].condition is Condition.CLIPPED
    assert results[place].time_s - HOP / RATE <= 1.0 <= results[place].time_s


def test_the_program_follows_the_sound(model):
    soft, loud = noise(8000, scale=0.01), noise(16_000, scale=0.6)
    results = classify(zoo.edge.StreamClassifier(model), np.concatenate([soft, loud]))
    changes = [(a.time_s, a.program.name) for a in results if a.program.changed]
    assert [name for _, name in changes] == ["quiet", "music"]
    assert 1.0 < changes[1][0] < 1.5


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (np.zeros((3, 2, 1)), r"\(samples, channels\)"),
        (np.zeros(3, np.uint8), "int16, int32 or floating"),
        (np.zeros(3, complex), "int16, int32 or floating"),
        (np.zeros((3, 0)), r"\(samples, channels\)"),
    ],
)
def test_what_is_not_sound_is_refused(model, block, message):
    with pytest.raises(ValueError, match=message):
        zoo.edge.StreamClassifier(model).process(block)


def test_a_model_that_takes_no_sound_is_refused(tmp_path):
    stress = zoo.edge.open("saved_models/hysteresis-lstm")
    with pytest.raises(ValueError, match="from `x` to `prediction`"):
        zoo.edge.StreamClassifier(stress)
    changes = [
        ({"classes": None}, "Expected `classes`"),
        ({"decision": 3}, "Expected `classes` and `decision`"),
        ({"decision": {"mood": 1}}, "no setting mood"),
        *(({"front_end": odd}, "sample_rate_hz") for odd in ({}, 3, {"sample_rate_hz": 0})),
    ]
    for k, (change, message) in enumerate(changes):
        folder = edge_models.write_folder(tmp_path / str(k), **change)
        with pytest.raises(ValueError, match=message):
            zoo.edge.StreamClassifier(zoo.edge.open(folder))
