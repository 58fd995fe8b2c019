"""The comparison of explanation methods: its rule, its truths, and a run from top to bottom."""

import numpy as np
import pytest

from recipes.explain.__main__ import main
from recipes.explain.blocks import halves
from recipes.explain.choice import choose
from recipes.explain.wheezes import lines_of
from zoo.data.synthesis.events import CHANGE_KINDS, DURATION_S, RATE_HZ, STEP_DB, change_clip

CLIPS = 60
RNG = np.random.default_rng(0)


def test_a_smoke_run_writes_a_table_and_a_page_and_goes_on_from_its_blocks(tmp_path, capsys):
    out, table = tmp_path / "explain", tmp_path / "methods.md"
    words = ["--quick", "--methods", "gradient", "deconvolution", "--out", str(out)]
    assert main([*words, "--table", str(table)]) == 0
    text, progress = capsys.readouterr()
    rows = [line.split()[0] for line in text.splitlines()[2:4]]
    assert rows == ["gradient", "deconvolution"]
    assert "epoch" in progress
    page = (out / "report.html").read_text()
    assert "Smoke run (--quick)" in page
    assert page.count("<figure") == 11  # a clip of each kind by each method, and a curve
    assert page.count("<audio") == 15  # each clip, and its evidence by each method
    written = table.read_text()
    for heading in ("correlation, random weights", "random down to", "within 50 ms", "wheeze"):
        assert heading in written
    assert "python -m recipes.explain" in written
    assert len(list(out.glob("checkpoints/*/events-clips-*.npz"))) == 2  # 15 clips


def measures(**means: float) -> dict[str, np.ndarray]:
    """Of `CLIPS` clips, with small differences from clip to clip."""
    return {name: mean + 0.01 * RNG.normal(size=CLIPS) for name, mean in means.items()}


def test_a_method_that_random_weights_do_not_change_cannot_win():
    scores = {
        "gradient": measures(hit=0.8, inside=0.5, deletion=0.4),
        "deconvolution": measures(hit=1.0, inside=0.9, deletion=0.1),
    }
    correlations = {"gradient": np.full(9, 0.1), "deconvolution": np.full(9, 0.6)}
    assert choose(scores, correlations)[0] == "gradient"
    with pytest.raises(ValueError, match=r"No method has a correlation below 0\.2"):
        choose(scores, {name: np.full(9, 0.5) for name in scores})


def test_the_rule_asks_pointing_then_evidence_inside_then_deletion_then_for_the_unit():
    same = dict(hit=0.9, inside=0.5, deletion=0.3)
    correlations = {name: np.zeros(9) for name in ("occlusion", "gradient", "smoothgrad")}
    base = measures(**same)

    def choice(**better: float) -> str:
        shift = {name: better.get(name, 0.0) for name in same}
        scores = {name: dict(base) for name in correlations}
        scores["smoothgrad"] = {name: base[name] + shift[name] for name in same}
        return choose(scores, correlations)[0]

    assert choice() == "occlusion"
    assert choice(hit=0.1) == choice(inside=0.1) == choice(deletion=-0.1) == "smoothgrad"
    assert choice(hit=-0.1, inside=0.5) == choice(inside=-0.1, deletion=-0.2) == "occlusion"


def test_one_half_chooses_and_the_other_is_reported():
    first, second = halves(45)
    assert not set(first) & set(second)
    assert sorted([*first, *second]) == list(range(45))
    assert set(first) == {*range(10), *range(20, 30), *range(40, 45)}


@pytest.mark.parametrize("kind", CHANGE_KINDS)
def test_noise_changes_its_level_at_the_time_of_the_event(kind):
    clip = change_clip(kind, 4)
    (event,) = clip.events
    split = round(event.onset_s * RATE_HZ) if kind != "steady" else round(DURATION_S * RATE_HZ / 2)
    after = split + (round(0.01 * RATE_HZ) if kind != "steady" else 0)
    before_rms, after_rms = (
        np.sqrt(np.mean(x**2)) for x in np.split(clip.samples, [split, after])[::2]
    )
    step_db = 20 * np.log10(after_rms / before_rms)
    low, high = {"onset": STEP_DB, "offset": (-STEP_DB[1], -STEP_DB[0]), "steady": (0, 0)}[kind]
    assert low - 1 < step_db < high + 1
    np.testing.assert_array_equal(change_clip(kind, 4).samples, clip.samples)


def test_lines_are_found_where_a_tone_lasts_and_not_in_noise():
    t = np.arange(16_000) / 4000
    noise = RNG.normal(size=t.size)
    times_s, hz = 0.04 * np.arange(100), np.arange(60, 1060, 7.8)
    assert lines_of(noise, 4000, times_s, hz).mean() < 0.002
    tone = 2 * np.sin(2 * np.pi * 400 * t) * ((t > 1.5) & (t < 2.5))
    found = lines_of(noise + tone, 4000, times_s, hz)
    rows, columns = np.nonzero(found)
    assert np.mean(np.abs(hz[columns] - 400) <= 25) > 0.85
    assert np.mean((times_s[rows] > 1.4) & (times_s[rows] < 2.6)) > 0.85
    assert found[(times_s > 1.6) & (times_s < 2.4)].any(axis=1).all()
    short = 2 * np.sin(2 * np.pi * 400 * t) * ((t > 1.5) & (t < 1.55))
    assert lines_of(noise + short, 4000, times_s, hz).mean() < 0.002
