"""The speech-snr recipe: truth of mixtures, split by source, a run from top to bottom."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from recipes.speech_snr import __main__ as command_line
from recipes.speech_snr import experiment, mixtures, training
from recipes.speech_snr.evaluation import whole_ratio_db
from recipes.speech_snr.mixtures import MixtureSettings, draw_mixture
from recipes.speech_snr.settings import Settings
from recipes.speech_snr.sources import Sources, make_sources, voice_floor_db
from zoo.data.bank import RATE_HZ, Bank, part_of


@pytest.fixture(scope="module")
def steady() -> Sources:
    """A tone for speech and white noise, both of constant power."""
    tone = np.sqrt(2) * np.sin(2 * np.pi * 1000 * np.arange(RATE_HZ) / RATE_HZ)
    noise = np.random.default_rng(0).standard_normal(8 * RATE_HZ)
    return Sources({"tone": [tone.astype("f4")]}, {"white": [noise.astype("f4")]})


def test_sources_of_constant_power_have_a_constant_ratio(steady):
    settings = MixtureSettings(snr_db=(6.0, 6.0), level_db_spl=(70.0, 70.0), change=0, room=0)
    mixture = draw_mixture(steady, np.random.default_rng(1), settings)
    assert mixture.whole_snr_db == pytest.approx(6.0, abs=0.1)
    np.testing.assert_allclose(mixture.snr_db[60:], 6.0, atol=0.7)  # noise varies from hop to hop
    level_db = 10 * np.log10(np.mean(np.square(mixture.samples))) + 100
    assert level_db == pytest.approx(70.0, abs=0.1)


def test_a_change_of_the_noise_changes_the_ratio(steady):
    settings = MixtureSettings(snr_db=(6.0, 6.0), change=1, room=0, floor_db_spl=(0.0, 0.0))
    spans = [
        np.ptp(draw_mixture(steady, np.random.default_rng(seed), settings).snr_db[60:])
        for seed in range(6)
    ]
    assert max(spans) > 3.0


def test_a_mixture_gets_quieter_once_and_its_truth_follows(steady):
    settings = MixtureSettings(change=0, room=0, floor_db_spl=(0.0, 0.0), fall=1.0, seconds=12.0)
    for seed in range(6):
        mixture = draw_mixture(steady, np.random.default_rng(seed), settings)
        powers = np.square(mixture.samples).reshape(-1, RATE_HZ // 10).mean(axis=1)
        steps = np.diff(10 * np.log10(powers))
        assert -80 < steps.min() < 0
        assert np.sort(steps)[2:].min() > -1.5  # at most two pieces hold the step
        assert mixture.level_dba[-1] < mixture.level_dba[60]
    same = MixtureSettings(change=0, room=0)
    first, second = (
        draw_mixture(steady, np.random.default_rng(1), each)
        for each in (same, dataclasses.replace(same, fall_db=10.0))
    )
    np.testing.assert_array_equal(first.samples, second.samples)


def test_no_speaker_and_no_recording_is_in_two_parts():
    rng = np.random.default_rng(0)
    rows = [
        {"kind": kind, "label": label, "group": f"{kind}-{k}", "fold": 0}
        for kind, label in (
            *(("voice", "en"), ("urban", "drilling"), ("urban", "street_music")),
            ("engine", "porsche"),
        )
        for k in range(12)
    ]
    fade = np.pad(np.ones(RATE_HZ), RATE_HZ // 2, constant_values=0.003)  # quiet ends, -50 dB
    clips = [(0.1 + 0.01 * k) * fade * rng.standard_normal(2 * RATE_HZ) for k in range(len(rows))]
    bank = Bank.of_clips(clips, rows)
    groups = [row["group"] for row in rows if row["label"] == "drilling"]
    parts = {part: make_sources(bank, part, 1, 0) for part in ("train", "validation", "test")}
    for part, sources in parts.items():
        expected = sum(part_of(group) == part for group in groups)
        assert len(sources.noise.get("recorded drilling", [])) == expected
        assert not any("music" in name for name in sources.noise)  # voices may be in it
    assert "recorded speech" in parts["train"].speech
    assert len(parts["train"].noise["recorded engine"]) > 4  # by its kind


def test_the_ratio_of_a_whole_is_that_of_powers():
    # 3 s with speech 9 times as strong as noise, 3 s of noise alone, both noises of power 0.01
    rng = np.random.default_rng(0)
    power = np.repeat([0.1, 0.01], 4 * RATE_HZ)
    samples = (np.sqrt(power) * rng.standard_normal(len(power))).astype("f4")
    hops = len(samples) // 256
    steady = np.full(hops, 10 * np.log10(9.0))
    assert whole_ratio_db(samples, steady) == pytest.approx(10 * np.log10(9.0), abs=1e-4)
    # the soft half counts less than the loud one, to which a mean of decibels pays no regard
    falling = np.where(np.arange(hops) < hops // 2, 10 * np.log10(9.0), -30.0)
    assert -3 < whole_ratio_db(samples, falling) < 10 * np.log10(9.0)
    assert whole_ratio_db(samples, falling) > falling[125:].mean() + 10


@pytest.mark.parametrize(("floor_db", "is_kept"), [(-40.0, True), (-20.0, False)])
def test_a_voice_with_noise_of_its_own_is_left_out(floor_db, is_kept):
    rng = np.random.default_rng(3)
    loud = np.repeat([0.0, 1.0, 0.0], [RATE_HZ // 10, RATE_HZ, RATE_HZ // 10])
    made = [
        0.1 * (loud + (1 - loud) * 10 ** (floor_db / 20)) * rng.standard_normal(len(loud))
        for _ in range(4)
    ]
    assert voice_floor_db(made) == pytest.approx(floor_db, abs=1.0)
    rows = [{"kind": "voice", "label": "en", "group": "a", "fold": 0} for _ in made]
    sources = make_sources(Bank.of_clips(made, rows), part_of("a"), 1, 0)
    assert ("recorded speech" in sources.speech) == is_kept


def test_voices_and_noises_at_other_speeds_have_another_pitch(steady):
    settings = MixtureSettings(snr_db=(60.0, 60.0), room=0, speech_octaves=0.25)
    peaks = []
    for seed in range(8):
        mixture = draw_mixture(steady, np.random.default_rng(seed), settings)
        power = np.abs(np.fft.rfft(mixture.samples)) ** 2
        peaks.append(np.argmax(power) / settings.seconds)
    assert 1000 * 2**-0.25 - 1 < min(peaks) < 950 and 1050 < max(peaks) < 1000 * 2**0.25 + 1


def test_a_clip_that_is_repeated_is_read_between_its_samples():
    clip = np.random.default_rng(0).standard_normal(1000).astype("f4")
    places = 990.3 + 1.13 * np.arange(5000)
    expected = np.interp(places, np.arange(1000), clip, period=1000)
    np.testing.assert_allclose(mixtures._interpolate(clip, places), expected, atol=1e-6)


def test_some_banks_are_only_trained_on(monkeypatch):
    rows = [{"kind": "engine", "label": "bus", "group": "a", "fold": 0}]
    banks = {k: Bank.of_clips([np.full(100, 0.1 * k)], rows) for k in (1, 2, 3)}
    monkeypatch.setattr(experiment, "read_bank", banks.get)
    bank, train = experiment.join_banks(Settings(bank=(1, 2), train_bank=(3,)))
    assert bank is not None and train is not None and (len(bank), len(train)) == (2, 3)
    assert experiment.join_banks(Settings()) == (None, None)
    assert experiment.join_banks(Settings(train_bank=(3,)))[0] is None


def test_training_goes_on_with_the_weights_of_a_saved_model(monkeypatch):
    saved = training.build()
    monkeypatch.setattr(training.models, "load", lambda name: SimpleNamespace(keras=saved))
    model = training.build()
    training.load_weights(model, "saved")
    for got, expected in zip(model.get_weights(), saved.get_weights(), strict=True):
        np.testing.assert_array_equal(got, expected)
    monkeypatch.setattr(saved, "get_weights", lambda: model.get_weights()[:-1])
    with pytest.raises(ValueError, match="its layers are not those"):
        training.load_weights(model, "saved")
    assert Settings().start is None


def test_a_smoke_run_measures_and_exports(monkeypatch, tmp_path, capsys):
    written = {}

    def write(target, about, endpoints, golden, options, **_):
        written.update(about=about, endpoints=endpoints, golden=golden)

    monkeypatch.setattr(experiment.export, "write", write)
    monkeypatch.setattr(experiment, "CLIPS", {"train": 1, "validation": 1, "test": 1})
    arguments = ["--quick", "--out", str(tmp_path / "run")]
    assert command_line.main(arguments) == 0
    about = written["about"]
    assert [each.name for each in about.quantities["prediction"]] == ["snr_db", "level_dba"]
    assert written["endpoints"].step.output["prediction"].shape == (None, 2)
    assert "WADA-SNR" in capsys.readouterr().out
    page = (tmp_path / "run" / "report.html").read_text()
    assert "Signal-to-noise ratio of speech" in page
    assert "Smoke run" in page


def test_a_folder_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="does not exist"):
        command_line.main(["--bank", "nowhere"])
