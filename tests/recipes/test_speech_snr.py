"""The speech-snr recipe: truth of mixtures, split by source, a run from top to bottom."""

import numpy as np
import pytest

from recipes.speech_snr import __main__ as command_line
from recipes.speech_snr import experiment
from recipes.speech_snr.mixtures import MixtureSettings, draw_mixture
from recipes.speech_snr.sources import Sources, make_sources
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


def test_no_speaker_and_no_recording_is_in_two_parts():
    rng = np.random.default_rng(0)
    rows = [
        {"kind": kind, "label": label, "group": f"{kind}-{k}", "fold": 0}
        for kind, label in (("voice", "en"), ("urban", "drilling"), ("urban", "street_music"))
        for k in range(12)
    ]
    clips = [(0.1 + 0.01 * k) * rng.standard_normal(2 * RATE_HZ) for k in range(len(rows))]
    bank = Bank.of_clips(clips, rows)
    groups = [row["group"] for row in rows if row["label"] == "drilling"]
    parts = {part: make_sources(bank, part, 1, 0) for part in ("train", "validation", "test")}
    for part, sources in parts.items():
        expected = sum(part_of(group) == part for group in groups)
        assert len(sources.noise.get("recorded drilling", [])) == expected
        assert not any("music" in name for name in sources.noise)  # voices may be in it
    assert "recorded speech" in parts["train"].speech


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
