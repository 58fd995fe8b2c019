"""Any rate, block size and type give the same results; what cannot be classified is reported."""

import numpy as np
import pytest
import scipy.signal

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


def without_offset(x):
    """x (samples,) through a high-pass of 5 Hz; before it lies the mean of its first hop."""
    pole = np.exp(-2 * np.pi * 5 / RATE)
    return scipy.signal.lfilter([1, -1], [1, -pole], x, zi=[-np.mean(x[:HOP])])[0]


def conditions(results):
    return [result.condition for result in results]


def test_blocks_of_any_size_are_classified_hop_by_hop(model):
    x = noise(20 * HOP + 50)
    results = classify(zoo.edge.StreamClassifier(model), x)
    assert conditions(results) == [Condition.SOUND] * 20
    sound = without_offset(x[: 20 * HOP]).reshape(20, HOP)
    expected = edge_models.expected(sound)
    np.testing.assert_allclose([a.probabilities for a in results], expected, rtol=1e-4)
    np.testing.assert_allclose([a.time_s for a in results], np.arange(1, 21) * HOP / RATE)
    levels = 10 * np.log10(np.mean(sound**2, axis=1))
    np.testing.assert_allclose([a.level_dbfs for a in results], levels, atol=1e-4)


def test_the_level_of_a_clipped_hop_is_without_its_offset(model):
    """Three samples at full scale are held at the value before them."""
    x = 0.3 + noise(10 * HOP, 0.01)
    x[6 * HOP + 100 : 6 * HOP + 103] = 1.0
    result = classify(zoo.edge.StreamClassifier(model), x)[6]
    assert result.condition is Condition.CLIPPED
    hop = x[6 * HOP : 7 * HOP].copy()
    hop[100:103] = hop[99]
    assert result.level_dbfs == pytest.approx(20 * np.log10(np.std(hop)), abs=0.01)


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
    if condition is Condition.SILENT:  # the model takes a step from the sound before to that after
        rest = without_offset(np.delete(x.reshape(10, HOP), 4, axis=0).ravel()).reshape(9, HOP)
        fade = np.pi / 2 * (np.arange(HOP) + 0.5) / HOP
        between = rest[3, ::-1] * np.cos(fade) + rest[4, ::-1] * np.sin(fade)
        hops = np.insert(rest, 4, between, axis=0)
    else:  # the model takes its step with the last good value in place of the spoilt ones
        spoilt = (np.arange(len(x)) >= 4 * HOP + 60) & ~(np.abs(x) < 0.95)
        hops = without_offset(np.where(spoilt, x[4 * HOP + 59], x)).reshape(10, HOP)
    probabilities = [a.probabilities for a in results if a.probabilities is not None]
    expected = np.delete(edge_models.expected(hops), 4, axis=0)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-4)


def test_a_hop_that_is_clipped_throughout_is_bridged(model):
    x = noise(10 * HOP)
    silent, clipped = x.copy(), x.copy()
    silent[4 * HOP : 5 * HOP] = 0
    clipped[4 * HOP : 5 * HOP] = np.sign(x[4 * HOP : 5 * HOP])
    after = [classify(zoo.edge.StreamClassifier(model), each)[5:] for each in (silent, clipped)]
    for a, b in zip(*after, strict=True):
        np.testing.assert_allclose(a.probabilities, b.probabilities, rtol=1e-6)


def test_a_gap_is_a_condition_of_the_hop_it_is_in(model):
    x = noise(10 * HOP)
    classifier = zoo.edge.StreamClassifier(model)
    results = classifier.process(x[: 4 * HOP + 60])
    classifier.mark_gap()
    results += classifier.process(x[4 * HOP + 60 :])
    assert conditions(results) == [Condition.GAP if k == 4 else Condition.SOUND for k in range(10)]
    assert results[4].probabilities is None and np.isfinite(results[4].level_dbfs)


@pytest.mark.parametrize(
    ("spoilt", "condition"), [(1.5, Condition.GAP), (np.nan, Condition.NOT_FINITE)]
)
def test_a_clipped_hop_behind_a_gap_is_a_gap(model, spoilt, condition):
    x = noise(3 * HOP)
    x[HOP + 5] = spoilt
    classifier = zoo.edge.StreamClassifier(model)
    results = classifier.process(x[:HOP])
    classifier.mark_gap()
    results += classifier.process(x[HOP:])
    assert conditions(results) == [Condition.SOUND, condition, Condition.SOUND]


@pytest.mark.parametrize("shape", [(0,), (0, 1)])
def test_an_empty_block_gives_no_hop(model, shape):
    x = noise(2 * HOP)
    classifier = zoo.edge.StreamClassifier(model)
    blocks = [x[:100], np.zeros(shape, np.float32), x[100:]]
    results = [result for block in blocks for result in classifier.process(block)]
    assert conditions(results) == [Condition.SOUND, Condition.SOUND]


@pytest.mark.parametrize("offset", [0.02, -0.5])
def test_a_constant_offset_changes_neither_level_nor_probabilities(model, offset):
    x = noise(20 * HOP, scale=10 ** (-75 / 20))
    own = classify(zoo.edge.StreamClassifier(model), x)
    other = classify(zoo.edge.StreamClassifier(model), x + offset)
    for a, b in zip(own, other, strict=True):
        assert a.level_dbfs == pytest.approx(b.level_dbfs, abs=0.01)
        assert a.level_dbfs == pytest.approx(-75, abs=2.5)
        np.testing.assert_allclose(a.probabilities, b.probabilities, atol=1e-6)


@pytest.mark.parametrize("rate", [RATE, 48_000])
def test_dead_and_opposite_channels_are_noticed(model, rate):
    x = noise(2 * rate)
    mono = classify(zoo.edge.StreamClassifier(model, rate), x)
    for channels, note in (
        ([x, 0 * x], "no sound in channel 2, left out"),
        ([0 * x + 0.1, x], "no sound in channel 1, left out"),
        ([x, -x], "channels cancel each other, channel 1 is used alone"),
        ([x, x], ""),
    ):
        classifier = zoo.edge.StreamClassifier(model, rate)
        results = classify(classifier, np.stack(channels, axis=1))
        assert classifier.mix.note == note
        for a, b in zip(mono, results, strict=True):
            assert a.level_dbfs == pytest.approx(b.level_dbfs, abs=1e-3)


def test_independent_channels_are_averaged(model):
    rng = np.random.default_rng(0)
    x = rng.normal(scale=0.1, size=(RATE, 2)).clip(-0.9, 0.9)
    results = classify(zoo.edge.StreamClassifier(model), x)
    expected = [
        10 * np.log10(np.mean(hop**2)) for hop in x.mean(axis=1)[: 62 * HOP].reshape(62, HOP)
    ]
    np.testing.assert_allclose([a.level_dbfs for a in results], expected, atol=0.2)


def test_a_dead_channel_is_noticed_when_it_dies_and_when_it_comes_back(model):
    x = noise(3 * RATE)
    other = x.copy()
    other[RATE : 2 * RATE] = 0
    classifier = zoo.edge.StreamClassifier(model)
    notes = []
    for start in range(0, len(x), 100):
        classifier.process(np.stack([x, other], axis=1)[start : start + 100])
        notes.append(classifier.mix.note)
    changes = [k * 100 / RATE for k in range(1, len(notes)) if notes[k] != notes[k - 1]]
    assert len(changes) == 2 and notes[0] == notes[-1] == ""
    assert 1 < changes[0] < 2 and 2 <= changes[1] < 2.1


def test_two_samples_at_full_scale_are_a_peak(model):
    x = noise(10 * HOP)
    x[600:602] = 1.0
    assert conditions(classify(zoo.edge.StreamClassifier(model), x)) == [Condition.SOUND] * 10


def test_no_block_size_hides_a_click(model):
    x = noise(4 * HOP)
    x[HOP + 9 : HOP + 12] = 1.0
    whole = classify(zoo.edge.StreamClassifier(model), x)
    for size in (1, 2, HOP + 10, HOP + 11):
        classifier = zoo.edge.StreamClassifier(model)
        parts = [x[k : k + size] for k in range(0, len(x), size)]
        results = [a for part in parts for a in classifier.process(part)] + classifier.finish()
        assert conditions(results) == conditions(whole)
        for a, b in zip(whole, results, strict=True):
            assert a.level_dbfs == b.level_dbfs


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
        ({"classes": None}, "not a manifest"),
        ({"decision": 3}, "Expected `classes` and `decision`"),
        ({"decision": {"mood": 1}}, "no setting mood"),
        *(
            ({"front_end": odd}, r"sample_rate_hz|not a manifest")
            for odd in ({}, 3, {"sample_rate_hz": 0})
        ),
    ]
    for k, (change, message) in enumerate(changes):
        folder = edge_models.write_folder(tmp_path / str(k), **change)
        with pytest.raises(ValueError, match=message):
            zoo.edge.StreamClassifier(zoo.edge.open(folder))


def test_the_rule_of_the_manifest_is_applied_hop_by_hop(tmp_path):
    """Abstention by the manifest: no program begins, and no hop has a label."""
    x = noise(40 * HOP, scale=0.3)
    plain = zoo.edge.open(edge_models.write_folder(tmp_path / "plain"))
    results = classify(zoo.edge.StreamClassifier(plain), x)
    likeliest = [max(zip(r.probabilities, edge_models.CLASSES, strict=True)) for r in results]
    assert [r.label for r in results] == [name for _, name in likeliest]
    assert results[-1].program.name is not None
    limit = max(p for p, _ in likeliest)
    doubtful = edge_models.write_folder(tmp_path / "doubtful", abstain_below=float(limit) + 1e-4)
    results = classify(zoo.edge.StreamClassifier(zoo.edge.open(doubtful)), x)
    assert {r.label for r in results} == {None} and results[-1].program.name is None
    np.testing.assert_allclose(results[-1].program.posterior, np.full(3, 1 / 3))
