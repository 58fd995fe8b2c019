"""Importing one module registers every class that a file of this package may name."""

import re
import subprocess
import sys
from pathlib import Path

import keras
import pytest

import zoo.registration
from zoo.cells import LSTMCell, MaxwellCell
from zoo.late_registration import CLASSES
from zoo.recurrent import Increments, recurrent_model

PACKAGE = Path(zoo.__file__).parent
MARK = "@keras.saving.register_keras_serializable("


def test_every_registered_class_is_imported():
    source = Path(zoo.registration.__file__).read_text()
    imported = set(re.findall(r"^ *import (zoo\S+)", source, re.M))
    defining = {
        ".".join(("zoo", *path.relative_to(PACKAGE).with_suffix("").parts))
        for path in PACKAGE.rglob("*.py")
        if f"\n{MARK}" in path.read_text()
    }
    assert imported - {"zoo.convnets"} == defining
    assert {"zoo>VisibleRNN", "zoo>Trim"} <= set(keras.saving.get_custom_objects())
    assert {f"zoo>{name}" for name in CLASSES} == {
        name for name in keras.saving.get_custom_objects() if name.startswith("zoo>")
    }


OPEN = """
{first}
assert "zoo.recurrent" not in sys.modules
model = keras.models.load_model(sys.argv[1])
print(type(model).__name__, *model.output)
"""


@pytest.mark.parametrize(
    "first",
    [
        "import sys, zoo; assert not {'keras', 'numpy'} & set(sys.modules); import keras",
        "import sys, keras, zoo",
    ],
    ids=["before Keras", "after Keras"],
)
def test_keras_opens_files_of_the_package_after_one_import(first, tmp_path):
    model = recurrent_model([LSTMCell(3), MaxwellCell()], front=Increments(), targets=None)
    model.save(tmp_path / "model.keras")
    child = subprocess.run(
        [sys.executable, "-c", OPEN.format(first=first), tmp_path / "model.keras"],
        capture_output=True,
        text=True,
        cwd=PACKAGE.parent,
    )
    assert child.returncode == 0, child.stderr
    assert child.stdout.split() == ["RecurrentModel", *model.output]
