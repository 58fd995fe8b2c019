"""The models that are shipped: intact, small, described."""

import re
from pathlib import Path

import pytest

from zoo.edge import counting, graph
from zoo.manifest import NAME, read_manifest, verify_folder
from zoo.report import model_tables

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(path.parent for path in (ROOT / "saved_models").glob(f"*/{NAME}"))


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda path: path.name)
def test_shipped_models_are_intact_and_small(folder):
    manifest = verify_folder(folder)
    assert sum(entry["bytes"] for entry in manifest["files"].values()) < 15e6
    assert manifest["name"] == folder.name and manifest["limits"]
    headline = next(iter(next(iter(manifest["metrics"].values())).values()))
    assert headline["baseline"] is not None and headline["baseline_name"]


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda path: path.name)
def test_manifest_and_card_have_the_one_count_of_multiply_accumulates(folder):
    manifest = read_manifest(folder)
    file = "step.tflite" if manifest["macs"]["per"] == "step" else "model.tflite"
    read = graph.read((folder / file).read_bytes(), file)
    assert manifest["macs"]["value"] == counting.multiply_accumulates(read)
    assert f"{manifest['macs']['value']:,} multiply-accumulates" in (folder / "CARD.md").read_text()


def test_all_shipped_models_together_are_small():
    entries = [each for folder in SHIPPED for each in read_manifest(folder)["files"].values()]
    assert sum(entry["bytes"] for entry in entries) < 48e6  # in the wheel


def test_a_tiny_classifier_of_sound_is_one_file_below_128_kb():
    (folder,) = (folder for folder in SHIPPED if folder.name == "scenes-tiny")
    assert read_manifest(folder)["files"]["model_int8.tflite"]["bytes"] <= 128e3


def test_tables_are_those_that_the_manifests_give():
    """After a change of saved models: `python -m zoo list --write-tables README.md`."""
    page = (ROOT / "saved_models" / "README.md").read_text()
    assert page == f"{model_tables.TITLE}\n{model_tables.task_tables(SHIPPED, SHIPPED[0].parent)}\n"
    readme = (ROOT / "README.md").read_text()
    assert f"\n{model_tables.summary_table(SHIPPED, ROOT)}\n" in readme


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda path: path.name)
def test_no_card_says_how_the_folders_of_a_computer_are_named(folder):
    for file in ("CARD.md", NAME):
        found = re.search(r"[\s`'\"=](/(?!/)[\w.-]+/[\w./-]+)", (folder / file).read_text())
        assert found is None, f"{file}: {found and found.group(1)}"
