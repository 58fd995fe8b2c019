"""What one clipped hop changes: the comparison and its sentence."""

import numpy as np
import soundfile

from recipes.benchmarks import clipped_hop
from tests import edge_models

RATE_HZ = 16_000


def test_the_sentence_counts_cases_time_and_moves():
    cases = [
        clipped_hop.Case("a", "speech", 0.0, 0.01),
        clipped_hop.Case("b", "noise", 1.5, 0.3),
        clipped_hop.Case("c", "noise", 0.5, 0.04),
        clipped_hop.Case("d", "music", 0.0, 0.06),
    ]
    text = clipped_hop.describe(cases)
    assert text.startswith("4 cases; in the 3 s after a clipped hop the program differed in 2 (50")
    assert "for 1.00 s in the median, above 0.5 s in 1, 1.50 s at most, 16.67 % of all time" in text
    assert text.endswith("probabilities moved by up to 0.30, above 0.05 in 50 %")


def test_a_case_is_a_recording_with_and_without_one_clipped_hop(tmp_path):
    model = edge_models.write_folder(tmp_path / "tiny-ear")
    random = np.random.default_rng(0)
    (tmp_path / "sounds").mkdir()
    for name in "abc":
        x = random.normal(scale=0.1, size=RATE_HZ).clip(-0.9, 0.9)
        soundfile.write(tmp_path / "sounds" / f"{name}.wav", x, RATE_HZ)
    (tmp_path / "sounds" / "d.wav").write_bytes(b"no sound")
    sounds = [*clipped_hop.draw_sounds([tmp_path / "sounds"], 4, 0, RATE_HZ)]
    assert sorted(name for name, _ in sounds) == ["a.wav", "b.wav", "c.wav"]
    assert all(len(x) == 10 * RATE_HZ and np.abs(x).max() <= 0.98 for _, x in sounds)
    levels = [10 * np.log10(np.mean(x**2)) for _, x in sounds]
    assert -50.5 < min(levels) < max(levels) < -14.5 and np.ptp(levels) > 1
    cases = [*clipped_hop.measure_cases(model, iter(sounds))]
    assert [case.name for case in cases] == [name for name, _ in sounds]
    assert all(0 <= case.changed_s <= 3 and 0 <= case.moved <= 1 for case in cases)
