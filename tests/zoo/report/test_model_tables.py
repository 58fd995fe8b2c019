"""Tables of saved models hold what the manifests say."""

import shutil
from pathlib import Path

import pytest

from zoo.report import model_tables as tables

ROOT = Path(__file__).parents[3]


@pytest.fixture
def root(exported, tmp_path):
    """A folder of one saved model."""
    shutil.copytree(exported.folder, tmp_path / "saved_models" / "small-lstm")
    return tmp_path / "saved_models"


def test_the_page_beside_the_models_has_a_table_for_each_task(root):
    (page,) = tables.write_tables(root)
    text = page.read_text()
    assert page == root / "README.md"
    assert "## Stress history of a test" in text
    assert "| nRMSE, walk | 0.25 | 0.5 (elastic) |" in text
    assert "[small-lstm](small-lstm/CARD.md)" in text


def test_readme_gets_a_short_table_between_its_lines(root, exported):
    readme = root.parent / "README.md"
    readme.write_text(f"Before\n{tables.START}\nold\n{tables.END}\nAfter\n")
    assert tables.write_tables(root, readme) == [root / "README.md", readme]
    text = readme.read_text()
    assert text.startswith("Before\n") and text.endswith("After\n") and "\nold\n" not in text
    smallest = min(
        entry["bytes"] for name, entry in exported.manifest["files"].items() if "tflite" in name
    )
    assert (
        "| [small-lstm](saved_models/small-lstm/CARD.md) | stress history of a test | "
        f"{exported.manifest['parameters']:,} | {smallest / 1e3:.0f} | nRMSE 0.25, walk |"
    ) in text


def test_readme_without_the_lines_is_left_alone(root):
    readme = root.parent / "README.md"
    readme.write_text("nothing")
    with pytest.raises(ValueError, match="expected the lines"):
        tables.write_tables(root, readme)
    assert readme.read_text() == "nothing" and not (root / "README.md").exists()


def test_a_folder_without_models_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no saved models"):
        tables.write_tables(tmp_path)


def test_intervals_and_baselines_are_shown():
    results = [
        {"value": 0.75, "low": 0.5, "high": 0.875, "baseline": 0.25, "baseline_name": "linear"},
        {"value": 0.5, "baseline": 0.375, "baseline_name": "linear"},
        {},
    ]
    assert tables._format_value(results[0]) == "0.75 (0.5–0.88)"
    assert tables._format_value(results[2]) == ""
    assert tables._format_baseline(results) == "0.25–0.375 (linear)"
