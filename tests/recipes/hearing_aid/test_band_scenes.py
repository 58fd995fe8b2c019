"""Scenes mixed in bands: levels, labels and shares by closed forms; the boundary of two classes."""

from types import SimpleNamespace

import numpy as np
import pytest

from recipes.hearing_aid import band_pool, conditions, report
from recipes.hearing_aid.band_acoustics import BandMix
from recipes.hearing_aid.band_pool import BandPool, BandSound
from recipes.hearing_aid.band_scenes import BandMixer
from recipes.hearing_aid.band_training import training as band_training
from recipes.hearing_aid.classes import CLASSES
from recipes.hearing_aid.decision_search import HopPredictions
from recipes.hearing_aid.halves import experiment as halves
from recipes.hearing_aid.scene_mixing import SceneMix
from recipes.hearing_aid.summary import class_delays, summary_table
from recipes.hearing_aid.synthetic_machines import engine, fan
from zoo.data.sequences import SceneSequence
from zoo.edge.decision import DecisionSettings

HERTZ = np.array([100.0, 300.0, 900.0, 2700.0])
AS_RECORDED = {"response_db": 0.0, "tilt_db": 0.0, "narrow": 0.0, "two": 0.0, "behind": 0.0}
FLAT = BandMix(
    frames=64,
    level_db_spl=(60.0, 60.0),
    floor_db_spl=(-200.0, -200.0),
    alone=1.0,
    **AS_RECORDED,
)


def steady(label: str, group: str) -> BandSound:
    return BandSound((np.ones((50, 4), np.float32),) * 3, np.zeros(0, np.float32), label, group)


@pytest.fixture
def pool():
    names = ("speech", "noise", "engine", "music", "babble")
    sounds = {name: [steady(name, f"{name} {k}") for k in range(2)] for name in names}
    return BandPool(sounds, np.ones((400, 4), np.float32), HERTZ)


def test_a_label_counts_as_the_root_of_its_groups_and_groups_alike():
    # four groups of one clip and one group of two: shares 2 and 1 of 3
    sounds = [steady("rain", str(k)) for k in range(4)] + [steady("drill", "a")] * 2
    np.testing.assert_allclose(band_pool.draw_weights(sounds), [1 / 6] * 6)


def test_idling_engines_are_drawn_twice_as_often_as_other_labels_of_as_many_recordings():
    sounds = [steady(label, "a") for label in ("esc50 train", "urban engine_idling")]
    np.testing.assert_allclose(band_pool.draw_weights(sounds), [1 / 3, 2 / 3])


def test_noise_and_engines_follow_each_other_more_often_than_chance(pool):
    mixer, rng = BandMixer(pool, BandMix(pairs=0.5)), np.random.default_rng(0)
    noise, engine, music = (CLASSES.index(k) for k in ("noise", "wind_or_vehicle", "music"))
    after = [mixer.next_kind(rng, noise) for _ in range(2000)]
    # half of the time, and one in five of the other half
    assert np.mean(np.array(after) == engine) == pytest.approx(0.6, abs=0.04)
    assert noise not in after
    after = [mixer.next_kind(rng, music) for _ in range(2000)]
    assert np.mean(np.array(after) == engine) == pytest.approx(0.2, abs=0.04)


def test_the_loss_of_the_hard_pair_takes_them_as_the_only_two_classes():
    noise, engine, music = (CLASSES.index(k) for k in ("noise", "wind_or_vehicle", "music"))
    p, y = np.zeros((1, 2, len(CLASSES))), np.zeros((1, 2, len(CLASSES)))
    p[0, :, [noise, engine, music]] = [[0.1], [0.3], [0.6]]
    y[0, 0, noise], y[0, 1, music] = 1, 1
    # the first of two frames is noise, at 0.1 / (0.1 + 0.3); music has no part in it
    loss = band_training.pair_loss(p, y)
    assert float(loss) == pytest.approx(-np.log(0.25) / 2, rel=1e-5)


def test_scenes_have_the_level_that_is_asked_for(pool):
    mixer = BandMixer(pool, FLAT)
    for kind in (CLASSES.index("noise"), CLASSES.index("music")):
        x, share, _ = mixer.scene(np.random.default_rng(kind), kind, 64)
        # 60 dB SPL is 40 dB below full scale, 20 below the sources, whose powers are 1
        np.testing.assert_allclose(np.median(x), 10 ** (-20 / 10), rtol=0.5)
        assert share == 0 and x.shape == (64, 4)
    wind = mixer.acoustics.wind(np.random.default_rng(0), 64)
    assert np.mean(wind @ np.gradient(HERTZ)) == pytest.approx(np.gradient(HERTZ).sum(), rel=1e-5)
    assert (np.diff(np.log(wind), axis=1) < 0).all()  # it falls with frequency


def test_speech_and_noise_add_as_powers_with_a_soft_label_at_the_boundary(pool):
    settings = BandMix(frames=64, level_db_spl=(80.0, 80.0), noisy_db=(12.0, 12.0), **AS_RECORDED)
    mixer = BandMixer(pool, settings)
    noisy = CLASSES.index("speech_in_noise")
    mixer.acoustics.room = lambda rng, x, share: x
    x, share, _ = mixer.scene(np.random.default_rng(1), noisy, 64)
    assert share == pytest.approx(0.5)
    np.testing.assert_allclose(x, 1 + 10**-1.2, rtol=1e-6)


def test_another_recording_chain_changes_bands_but_not_the_level(pool):
    mixer = BandMixer(pool, BandMix(frames=64))
    rng, widths = np.random.default_rng(3), np.gradient(HERTZ)
    x = rng.uniform(0.5, 2, (64, 4)).astype(np.float32)
    changed = [mixer.acoustics.recorded(rng, x) for _ in range(20)]
    for y in changed:
        assert np.mean(y @ widths) == pytest.approx(np.mean(x @ widths), rel=1e-4)
        # the same gain at every time
        np.testing.assert_allclose(y / x, np.broadcast_to((y / x)[:1], x.shape), rtol=1e-4)
    spread_db = np.std([10 * np.log10(y[0] / x[0]) for y in changed], axis=0)
    assert (spread_db > 1).all()


def test_an_engine_fires_at_a_wandering_rate_and_a_fan_keeps_its_tones():
    def line_widths(make, count=12):
        """Share of the power below 1 kHz that lies within 1/4 Hz of the strongest line."""
        shares = []
        for seed in range(count):
            x = make(np.random.default_rng(seed))
            assert np.sqrt(np.mean(x**2)) == pytest.approx(0.1, rel=1e-3) and len(x) == 128_000
            power = np.abs(np.fft.rfft(x * np.hanning(len(x)))[: 8 * 1000]) ** 2
            top = int(power.argmax())
            shares.append(power[max(0, top - 2) : top + 3].sum() / power.sum())
        return np.median(shares)

    assert line_widths(fan) > 1.5 * line_widths(engine)


def test_weights_are_averaged_one_by_one():
    trained, start = [np.array([1.0, 2.0]), np.array(8.0)], [np.array([3.0, 2.0]), np.array(0.0)]
    mean = band_training.mean_weights(trained, start, 0.75)
    np.testing.assert_allclose(mean[0], [1.5, 2.0])
    assert mean[1] == 6.0


def test_validation_sources_stay_apart_whatever_is_learnt_from():
    measured = band_training.BandTraining(1.0)
    shipped = band_training.BandTraining(1.0, all_sources=True)
    assert (measured.parts, shipped.parts) == (("train",), ("train", "test"))


def test_a_batch_has_levels_and_one_label_a_frame(pool):
    targets = {name: np.full((2, 3), 0.5, np.float32) for name in ("noise", "engine", "music")}
    mixer = BandMixer(pool, BandMix(frames=300), targets)
    x, y, target, weight = mixer.draw(np.random.default_rng(2), 6)
    assert x.shape == (6, 300, 4, 1) and np.isfinite(x).all()
    np.testing.assert_allclose(y.sum(axis=-1), 1, rtol=1e-6)
    assert ((np.diff(y.argmax(axis=-1), axis=1) != 0).sum(axis=1) >= 0).all()
    # the teacher speaks of noise, vehicles and music alone
    assert set(np.unique(y[weight > 0].argmax(axis=-1))) <= {3, 4, 5}
    assert set(np.unique(target[weight > 0])) == {0.5}
    again = mixer.draw(np.random.default_rng(2), 6)[0]
    np.testing.assert_array_equal(x, again)


def test_the_boundary_of_a_logistic_curve_is_its_centre():
    snrs = np.arange(-6.0, 31.0, 3.0)
    speech = 0.9 / (1 + np.exp(-(snrs - 10.5) / 2.5))
    boundary, width = conditions.fit_boundary(snrs, speech, 0.9 - speech)
    assert (boundary, width) == (pytest.approx(10.5, abs=1e-4), pytest.approx(2.5, abs=1e-4))
    assert np.isnan(conditions.fit_boundary(snrs, 0 * snrs, 0 * snrs)).all()


def test_failures_are_the_longest_stretch_of_each_mistake():
    classes = ("quiet", "speech")
    truth = np.array([0] * 10 + [1] * 10)
    certain = np.eye(2)[[0] * 8 + [1] * 2 + [1, 0, 0, 0, 1, 0, 1, 1, 1, 1]]
    predictions = HopPredictions(truth, certain, np.full(20, -30.0), 1.0)
    decision = DecisionSettings(0.01, enter=0.5, leave=0.5, dwell_s=0.0)
    sequence = SceneSequence(np.arange(40, dtype=np.float32), truth, 2, 16_000)
    contents = SimpleNamespace(decision=decision, classes=classes)
    texts = [each.text for each in report.failures([sequence], [predictions], contents)]
    assert texts == [
        "speech taken for quiet for 3.0 s, at 11 s of sequence 1",
        "quiet taken for speech for 2.0 s, at 8 s of sequence 1",
    ]


class SceneStub:
    """Scenes of one value: their signal-to-noise ratio [dB] / 100, in the place of sound."""

    def __init__(self):
        self.settings, self.levels = SceneMix(hops=200), []

    def draw_class(self, number, count):
        self.levels.append(self.settings.level_db_spl[0])
        snr = self.settings.noisy_snr_db[0] if number == CLASSES.index("speech_in_noise") else 0
        return np.full((count, 200 * 256), snr / 100, np.float32)


def test_programs_are_measured_at_each_ratio_and_level():
    def predict(x):
        is_clear = x.reshape(-1, 256)[:, 0] > 0.10
        return np.eye(6)[np.where(is_clear, conditions.SPEECH, conditions.NOISY)]

    mixer, decision = SceneStub(), DecisionSettings(0.01, enter=0.5, leave=0.5, dwell_s=0.0)
    found = conditions.measure_conditions(mixer, predict, decision, scenes=2)
    assert found.by_snr.shape == (12, 4, 6)
    np.testing.assert_array_equal(found.by_snr[:, 2, conditions.SPEECH], found.snrs_db > 10)
    assert 9 < found.boundary_db < 12
    assert set(mixer.levels) == set(conditions.LEVELS_DB_SPL)
    panels = conditions.snr_panels(found)
    np.testing.assert_allclose(sum(panels.values()), np.ones((4, 12)))


def test_delays_of_a_class_are_those_of_its_scenes():
    truth = np.array([0, 0, 0, 1, 1, 1, 0, 0])
    programs = np.array([-1, 0, 0, 0, 0, 1, 1, 1])
    delays = class_delays([(truth, programs)], ("quiet", "speech", "music"), 0.5)
    assert set(delays) == {"quiet", "speech"}
    np.testing.assert_array_equal(delays["quiet"], [0.5, np.inf])
    np.testing.assert_array_equal(delays["speech"], [1.0])


def test_the_summary_says_what_was_reached():
    settled = "from 2 s after each change on"
    values = {
        f"balanced accuracy {settled}": (0.87, 0.88),
        f"accuracy in speech {settled}": (0.95, 1.0),
        f"accuracy in music {settled}": (0.65, 0.8),
        "false switches a minute": (1.2, 20.0),
        "share of scenes never found": (0.04, 0.0),
        "median delay [s]": (1.5, 0.2),
        "delay of 9 in 10 changes [s]": (None, 1.0),
    }
    entries = {name: {"value": a, "baseline": b} for name, (a, b) in values.items()}
    boundary = {"boundary": {"value": 13.5, "baseline": 12.0}}
    table = summary_table({"sequences": entries, "conditions": boundary, "step": {}})
    reached = {row[0].split(",")[0]: row[3] for row in table.rows}
    assert list(reached.values()) == ["yes", "no", "no", "yes", "yes", "no", "yes", "yes"]
    assert any("music" in row[0] and row[1] == 65 for row in table.rows)
    assert any("off by" in row[0] and row[1] == pytest.approx(1.5) for row in table.rows)


def test_each_half_is_measured_with_the_decision_of_the_other(monkeypatch):
    """A decision that knows one class only is right where the other half was fitted to that one."""
    always = {name: object() for name in "ab"}
    fitted = []

    def fit(classes, predictions, say, refine):
        fitted.append(predictions)
        return always["ab"[len(fitted) - 1]]

    def decide(settings, classes, predictions):
        return np.zeros(200, int) if settings is always["a"] else predictions.truth

    monkeypatch.setattr(halves, "fit_decision", fit)
    monkeypatch.setattr(halves, "decide_programs", decide)
    truth = np.repeat([0, 1], 100)
    first, second = (
        [HopPredictions(truth, np.eye(2)[truth], np.zeros(200), 0.1) for _ in range(2)]
        for _ in range(2)
    )
    monkeypatch.setattr(halves, "SEQUENCES", 2)
    more = [[*each, *each] for each in (first, second)]  # fitted to, and not measured on
    more[1][3] = more[1][3]._replace(truth=0 * truth)
    table = halves.halves_table(("quiet", "speech"), more)
    assert fitted[0] is more[0] and fitted[1] is more[1]
    rows = {row[0]: row[1:5] for row in table.rows}
    # balanced, quiet, speech, likeliest class
    assert rows["second half"] == (0.5, 1.0, 0.0, 1.0)
    assert rows["first half"] == (1.0, 1.0, 1.0, 1.0)
    assert rows["both"] == (0.75, 1.0, 0.5, 1.0)
    never_found = [row[6] for row in table.rows]
    assert never_found == [0.5, 0.0, 0.25]
    assert [row[-1] for row in table.rows] == [0.0, 0.0, 0.0]  # certain and right
