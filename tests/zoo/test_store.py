"""Saved models are listed, verified before they are parsed, and shown in README."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from zoo import store
from zoo.manifest import read_manifest, verify_folder


@pytest.fixture
def copy(exported, tmp_path):
    shutil.copytree(exported.folder, tmp_path / "small-lstm")
    return tmp_path / "small-lstm"


def test_a_faithful_copy_is_verified(copy):
    assert verify_folder(copy)["name"] == "small-lstm"
    assert store.folders(copy.parent) == [copy]


@pytest.mark.parametrize("file", ["step.tflite", "model.keras", "serving/saved_model.pb"])
def test_a_single_flipped_bit_is_found(copy, file):
    content = bytearray((copy / file).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / file).write_bytes(content)
    with pytest.raises(ValueError, match=r"SHA-256 differs"):
        store.load(copy)


def test_loaded_models_answer_as_the_golden_outputs(exported):
    golden = np.load(exported.folder / "golden.npz")
    answer = store.load(exported.folder)(golden["x"])["prediction"]
    np.testing.assert_allclose(answer, golden["prediction"], atol=1e-6)
    served = store.load(exported.folder, "saved_model")
    answer = served.signatures["serving_default"](x=golden["x"])
    np.testing.assert_allclose(answer["cell_1"], golden["cell_1"], atol=1e-6)


def test_load_knows_two_kinds(exported):
    with pytest.raises(ValueError, match="'keras' or 'saved_model'"):
        store.load(exported.folder, "onnx")


def test_readme_gets_the_figures_of_the_manifests(copy):
    readme = copy.parent / "README.md"
    readme.write_text(f"Before\n{store.START}\nold\n{store.END}\nAfter\n")
    assert store.main([str(copy.parent), "--readme", str(readme)]) == 0
    text = readme.read_text()
    assert text.startswith("Before\n") and text.endswith("After\n") and "\nold\n" not in text
    assert "| nRMSE, walk | 0.25 | 0.5 (elastic) |" in text
    assert "[small-lstm](small-lstm/CARD.md)" in text


def test_readme_without_markers_is_left_alone(copy):
    readme = copy.parent / "README.md"
    readme.write_text("nothing")
    with pytest.raises(ValueError, match="expected the lines"):
        store.update(readme, [copy])
    assert readme.read_text() == "nothing"


def test_a_damaged_model_makes_the_command_fail(copy, capsys):
    (copy / "CARD.md").write_text("better than it is")
    assert store.main([str(copy.parent)]) == 2
    assert "SHA-256" in capsys.readouterr().err


SHIPPED = store.folders(Path(__file__).parents[2] / "saved_models")


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda path: path.name)
def test_shipped_models_are_intact_and_small(folder):
    facts = verify_folder(folder)
    assert sum(entry["bytes"] for entry in facts["files"].values()) < 15e6
    assert facts["name"] == folder.name and facts["limits"]
    headline = next(iter(next(iter(facts["metrics"].values())).values()))
    assert headline["baseline"] is not None and headline["baseline_name"]


def test_all_shipped_models_together_are_small():
    files = [each for folder in SHIPPED for each in read_manifest(folder)["files"].values()]
    assert sum(entry["bytes"] for entry in files) < 40e6


def test_a_tiny_classifier_of_sound_is_one_file_below_128_kb():
    (folder,) = (folder for folder in SHIPPED if folder.name == "scenes-tiny")
    assert read_manifest(folder)["files"]["model_int8.tflite"]["bytes"] <= 128e3


def test_readme_table_is_the_one_that_the_manifests_give():
    root = Path(__file__).parents[2]
    text = (root / "README.md").read_text()
    table = text.split(store.START)[1].split(store.END)[0].strip()
    assert table == store.markdown(SHIPPED, root)
