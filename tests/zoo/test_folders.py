"""Saved models are found by name: ZOO_MODELS first, then ./saved_models, then the package's own."""

from pathlib import Path

import pytest

from zoo import folders, manifest


def make(root: Path, name: str) -> Path:
    (root / name).mkdir(parents=True)
    (root / name / manifest.NAME).write_text("{}")
    return root / name


@pytest.fixture
def roots(tmp_path, monkeypatch):
    """A folder for each root, the working folder moved to an empty place."""
    package, working, named = tmp_path / "package", tmp_path / "working", tmp_path / "named"
    for folder in (package / "zoo", working, named):
        folder.mkdir(parents=True)
    monkeypatch.setattr(folders, "_PACKAGE", package / "zoo")
    monkeypatch.chdir(working)
    monkeypatch.setenv(folders.VARIABLE, str(named))
    return {
        "named": named,
        "working": working / "saved_models",
        "package": package / "zoo" / "saved_models",
        "checkout": package / "saved_models",
    }


def test_the_first_root_that_has_the_name_wins(roots):
    for root in reversed(roots.values()):
        folder = make(root, "a")
        assert folders.find("a").resolve() == folder
        assert [each.resolve() for each in folders.list_folders()] == [folder]


def test_models_of_all_roots_are_listed_by_name(roots, monkeypatch):
    for name, root in zip("dcba", roots.values(), strict=True):
        make(root, name)
    assert [each.name for each in folders.list_folders()] == ["a", "b", "c", "d"]
    monkeypatch.delenv(folders.VARIABLE)
    assert [each.name for each in folders.list_folders()] == ["a", "b", "c"]


def test_a_path_that_is_there_is_taken_as_it_is(roots, tmp_path):
    (tmp_path / "working" / "model.keras").write_text("")
    assert folders.find("model.keras") == Path("model.keras")
    assert folders.find(tmp_path) == tmp_path


def test_a_folder_that_is_no_model_does_not_hide_one(roots, tmp_path):
    (tmp_path / "working" / "a").mkdir()
    assert folders.find("a") == Path("a")
    folder = make(roots["package"], "a")
    assert folders.find("a") == folder
    assert folders.find("./a") == Path("a")


@pytest.mark.parametrize("name", ["b", "saved_models/a", "../a"])
def test_an_unknown_name_is_answered_with_those_there_are(roots, name):
    make(roots["checkout"], "a")
    with pytest.raises(ValueError, match=r"no such model.*: a\.$"):
        folders.find(name)
