"""Every tutorial runs from its first to its last section, hardly trained."""

import pytest

from recipes.tutorials.bring_your_own_material_test import __main__ as material_test
from recipes.tutorials.bring_your_own_material_test.tutorial import NOISE
from recipes.tutorials.bring_your_own_sounds import __main__ as sounds
from recipes.tutorials.look_inside_an_lstm import __main__ as inside


def test_look_inside_an_lstm(tmp_path, capsys):
    assert inside.main(["--quick", "--out", str(tmp_path)]) == 0
    assert len(list(tmp_path.glob("*.png"))) == 3
    assert "160 single steps" in capsys.readouterr().out


def test_bring_your_own_material_test(tmp_path, capsys):
    assert material_test.main(["--quick", "--out", str(tmp_path)]) == 0
    assert len(list(tmp_path.glob("*.png"))) == 3
    row = next(x for x in capsys.readouterr().out.splitlines() if x.startswith("held out "))
    # the law has the form of the material: what is left of the error is the noise
    assert float(row.split()[2]) == pytest.approx(NOISE, rel=0.1)


def test_bring_your_own_sounds(tmp_path, capsys):
    earlier = tmp_path / "recordings" / "wind" / "site-0-1.wav"  # of a run that was not quick
    earlier.parent.mkdir(parents=True)
    earlier.write_bytes(b"")
    assert sounds.main(["--quick", "--out", str(tmp_path)]) == 0
    assert len(list(tmp_path.glob("*.png"))) == 3
    text = capsys.readouterr().out
    assert "16 clips of 16 recordings" in text and "linear baseline: accuracy 0." in text
