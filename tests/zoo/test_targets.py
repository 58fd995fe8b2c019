"""What a user keeps is never removed: targets are checked before anything is computed."""

import shutil

import numpy as np
import pytest

import zoo.__main__ as zoo
from recipes.hearing_aid.settings import Settings as HearingAid
from recipes.hysteresis.settings import Settings as Hysteresis
from recipes.lecture.settings import Settings as Lecture
from recipes.materials.settings import LeaderboardSettings, TrainSettings
from recipes.memory.settings import Settings as Memory
from recipes.scenes.settings import Settings as Scenes
from recipes.wheeze.settings import Settings as Wheeze
from zoo import targets
from zoo.manifest import file_entries, write_manifest
from zoo.runs import RunPaths


def write_model(folder):
    folder.mkdir(parents=True)
    (folder / "step.tflite").write_bytes(b"model")
    entries = {"format": 2, "formats": {}, "signatures": {}, "files": file_entries(folder)}
    write_manifest(folder, entries)
    return folder


def content(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file() and not p.is_symlink()}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A working folder with what a user keeps, and every kind of wrong target in it."""
    write_model(tmp_path / "saved_models" / "one")
    write_model(tmp_path / "saved_models" / "two")
    write_model(tmp_path / "noted" / "model")
    (tmp_path / "noted" / "model" / "notes.txt").write_text("mine")
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "thesis.tex").write_text("mine")
    (tmp_path / "kept" / "manifest.json").write_text('{"name": "a web site"}')
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "saved_models" / "one")
    (tmp_path / "nowhere").symlink_to(tmp_path / "absent")
    rows = np.arange(10)
    text = "\n".join(f"{t},{0.1 * t},{0.2 * t}" for t in rows)
    (tmp_path / "test.csv").write_text(f"time,stretch,stress\n{text}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ZOO_MODELS", raising=False)
    return tmp_path


REFUSED = {
    ".": "working folder",
    "..": "working folder",
    "saved_models": "all saved models",
    "file": "is a file",
    "file/below": "is a file",
    "link": "is a link",
    "nowhere": "is a link",
}
WRONG_EXPORTS = REFUSED | {"kept": "no export wrote it", "noted/model": "wrote notes.txt in it"}
WRONG_RUNS = REFUSED | {"saved_models/one": "is a saved model"}


@pytest.mark.parametrize(("target", "message"), WRONG_EXPORTS.items())
def test_an_export_replaces_nothing_but_an_export(home, target, message):
    before = content(home)
    with pytest.raises(ValueError, match=message) as caught:
        targets.check_export_target(home / target if "/" in target else target)
    assert "\n" not in str(caught.value)
    assert content(home) == before


def test_an_export_replaces_an_export_an_empty_and_an_absent_folder(home):
    (home / "empty").mkdir()
    for target in ("saved_models/one", "empty", "absent", "absent/below"):
        targets.check_export_target(target)
    assert not (home / "absent").exists()


RUNS = {
    "hysteresis": Hysteresis,
    "materials": TrainSettings,
    "leaderboard": LeaderboardSettings,
    "scenes": Scenes,
    "wheeze": Wheeze,
    "hearing_aid": HearingAid,
    "memory": Memory,
    "lecture": Lecture,
}


@pytest.mark.parametrize("recipe", RUNS)
def test_a_recipe_checks_its_folder_before_it_computes(home, monkeypatch, recipe):
    module = {"materials": "training", "leaderboard": "leaderboard"}.get(recipe, "experiment")
    package = "materials" if recipe == "leaderboard" else recipe
    experiment = __import__(f"recipes.{package}.{module}", fromlist=["run"])
    before = content(home)
    for target, message in WRONG_RUNS.items():
        out = home / target if "/" in target else target
        arguments = {"model": "maxwell"} if recipe == "materials" else {}
        settings = RUNS[recipe](out=type(home)(out), **arguments)
        with pytest.raises(ValueError, match=message):
            experiment.run(settings)
    assert content(home) == before


COMMANDS = {
    "identify": ["identify", "--csv", "test.csv", "--out"],
    "firmware": ["firmware", "saved_models/one", "--out"],
    "renew": ["export", "saved_models/one", "--renew", "--out"],
    "memory": ["memory", "saved_models/one", "--out"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_refuses_a_wrong_folder_in_one_line(home, capsys, command):
    wrong = WRONG_EXPORTS if command == "renew" else WRONG_RUNS
    before = content(home)
    for target, message in wrong.items():
        assert zoo.main([*COMMANDS[command], target]) == 2
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1, error
    assert content(home) == before


def test_certify_refuses_a_wrong_folder_before_it_certifies(exported, home, capsys):
    for target, message in WRONG_RUNS.items():
        assert zoo.main(["certify", str(exported.folder), "--quick", "--out", target]) == 2
        assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["predict", "saved_models/one", "test.csv", "--out", "test.csv"],
        ["predict", "saved_models/one", "test.csv", "--plot", "saved_models/one/a.png"],
        ["predict", "saved_models/one", "test.csv", "--out", "kept"],
        ["compare", "saved_models/one", "two", "--csv", "test.csv", "--out", "test.csv"],
        ["explain", "saved_models/one", "a.png", "--out", "kept"],
        ["export", "saved_models/one", "--c", "--out", "file/a.c"],
        ["data", "kept", "--plot", "kept/thesis.tex/a.png"],
    ],
)
def test_a_file_never_replaces_the_input_or_spoils_a_model(home, capsys, words):
    before = content(home)
    assert zoo.main(words) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and content(home) == before, error


def test_a_folder_that_cannot_be_written_and_a_full_disk_are_one_line(home, monkeypatch):
    def refuse(**_):
        raise PermissionError(13, "Permission denied")

    targets.check_output_folder("runs/a")
    usage = shutil.disk_usage(home)
    with monkeypatch.context() as patch:
        patch.setattr(targets.shutil, "disk_usage", lambda _: usage._replace(free=1_000_000))
        with pytest.raises(ValueError, match=r"needs about 100 MB, 1 MB are free") as caught:
            targets.check_export_target("runs/a/model")
    monkeypatch.setattr(targets.tempfile, "NamedTemporaryFile", refuse)
    with pytest.raises(ValueError, match=r"cannot be written \(Permission denied\)") as caught:
        targets.check_output_folder("runs/a")
    assert "\n" not in str(caught.value) and not (home / "runs").exists()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "/a", "a\\b", "a\n"])
def test_a_name_that_leaves_the_folder_of_runs_is_refused(name):
    with pytest.raises(ValueError, match="Expected a name of one word without slashes"):
        RunPaths(name, publish=True)
    assert RunPaths("..a").root.name == "..a"


def test_the_folder_of_the_data_is_no_folder_for_reports(tmp_path):
    data = tmp_path / "sounds"
    data.mkdir()
    with pytest.raises(ValueError, match="is the folder of the data"):
        RunPaths("a", data).check(data=data / ".." / "sounds")
    RunPaths("a", data / "out").check(data=data)


def test_a_run_removes_its_own_checkpoints_only(tmp_path):
    paths = RunPaths("a", tmp_path)
    for name in ("tiny-seed0/fold 1.npz", "other-seed1/fold.npz", "other-seed1/mine.txt"):
        (paths.checkpoints / name).parent.mkdir(parents=True, exist_ok=True)
        (paths.checkpoints / name).write_text("x")
    paths.remove_checkpoints()
    assert [p.name for p in paths.checkpoints.rglob("*")] == ["other-seed1", "mine.txt"]
