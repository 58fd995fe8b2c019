"""README's figures: small files of a fixed width, made from the shipped models."""

import matplotlib.image
import pytest

from recipes.tutorials.figures import __main__ as figures
from recipes.tutorials.figures.drawing import WIDTH_PX

NAMES = ("loops_and_states", "spectrogram_and_evidence")


@pytest.mark.parametrize("name", NAMES)
def test_shipped_figures_are_small_and_of_the_width_that_readme_expects(name):
    path = figures.FOLDER / f"{name}.png"
    assert path.stat().st_size < 150_000
    assert matplotlib.image.imread(path).shape[1] == WIDTH_PX


def test_figures_are_written_from_the_shipped_models(tmp_path, capsys):
    assert figures.main(["--out", str(tmp_path)]) == 0
    assert {path.stem for path in tmp_path.iterdir()} == set(NAMES)
    name, p = capsys.readouterr().out.split(":")[0].split()
    assert name == "speech" and float(p) > 0.9
