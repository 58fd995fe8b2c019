"""Importing one module registers every class that a file of this package may name."""

import re
from pathlib import Path

import keras

import zoo.registration

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
