"""A hostile model folder runs no code of its own, whichever command is given it.

Five ways that once ran code or read files of the host, each tried with every command that opens
models. Hashes and seal fit: whoever writes a folder writes them too. That each would have run is
shown by a control.
"""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from ai_edge_litert.interpreter import Interpreter

import zoo
import zoo.__main__
from recipes import app
from tests.harmful_model import Harmful
from zoo.cli import command
from zoo.export import verification
from zoo.folders import find
from zoo.manifest import file_entries, write_manifest

COMMANDS = {
    "predict": ("predict", "FOLDER", "INPUT.csv"),
    "verify": ("verify", "FOLDER"),
    "describe": ("describe", "FOLDER"),
    "memory": ("memory", "FOLDER"),
    "explain": ("explain", "FOLDER", "INPUT.wav"),
    "compare": ("compare", "FOLDER", "INPUT.csv"),
    "firmware": ("firmware", "FOLDER", "--out", "c", "--steps", "2"),
    "export": ("export", "FOLDER", "--c", "--out", "step.c"),
    "renew": ("export", "FOLDER", "--renew", "--out", "renewed"),
    "app": ("app", "FOLDER", "--csv", "INPUT.csv"),
}
OPENS = tuple(name for name in COMMANDS if name != "renew")  # which takes half a minute
NAME, CODE = b"prediction", b"x;int b;//"  # as many bytes: its place in the file stays


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A copy of a shipped model, beside inputs, in the working folder."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(find("hysteresis-rnn"), tmp_path / "model")
    rows = [f"{0.1 * n:.1f},{0.001 * n}" for n in range(12)]
    (tmp_path / "INPUT.csv").write_text("\n".join(["time_s,strain", *rows]))
    soundfile.write(tmp_path / "INPUT.wav", np.zeros(800), 8000)
    return tmp_path / "model"


def reseal(folder, change=lambda manifest: None):
    """Hashes and a seal that fit what stands in the folder."""
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    (folder / "manifest.json").unlink()
    manifest["files"] = file_entries(folder)
    write_manifest(folder, manifest)


def run(name):
    """Exit code of a command as a shell sees it."""
    words = ["model" if word == "FOLDER" else word for word in COMMANDS[name]]
    if words[0] == "app":
        return command.call(lambda: app.main(words[1:]))
    return zoo.__main__.main(words)


def check_nothing_ran(name, capsys, mark):
    """One line and exit code 2, or the work done; nothing of the folder was run either way."""
    code = run(name)
    errors = capsys.readouterr().err
    assert code in (0, 1 if name == "verify" else 2) and "Traceback" not in errors
    assert code == 0 or name == "verify" or errors.count("error: ") == 1
    assert not mark.exists()
    return code, errors


def write_module(folder, mark):
    """A module and a package that leave a mark where they are imported."""
    code = f"open({str(mark)!r}, 'w').close()\n"
    (folder / "evil").mkdir(parents=True, exist_ok=True)
    (folder / "evil" / "__init__.py").write_text(code)
    (folder / "evil_file.py").write_text(code)


def name_modules(manifest):
    """Let a manifest ask for modules, as it does for classes of the package."""
    for entry in manifest["formats"].values():
        entry["needs"] = ["evil", "evil_file", "model.evil", "evil.evil"]


@pytest.mark.parametrize("place", ["in the folder", "importable"])
def test_no_module_is_imported_because_a_manifest_names_it(
    folder, tmp_path, monkeypatch, capsys, place
):
    """1: a module in the model's own folder; 2: a foreign module that `needs` names."""
    mark, home = tmp_path / "ran", folder if place == "in the folder" else tmp_path / "elsewhere"
    write_module(home, mark)
    reseal(folder, name_modules)
    monkeypatch.syspath_prepend(str(home))
    for name in OPENS if place == "in the folder" else ("verify", "predict", "app"):
        check_nothing_ran(name, capsys, mark)
    formats = json.loads((folder / "manifest.json").read_text())["formats"]  # as children get them
    needs = [verification._format(entry).needs for entry in formats.values()]
    assert set(needs) == {("zoo.registration",)}
    subprocess.run([sys.executable, "-c", "import evil"], cwd=home, check=True)
    assert mark.exists()  # the control


def test_a_saved_model_that_writes_a_file_is_not_run(folder, tmp_path, capsys):
    """3: by no command without `--trust`."""
    mark = tmp_path / "ran"
    harmful = Harmful(str(mark))
    shutil.rmtree(folder / "serving")
    harmful.save(folder / "serving")
    reseal(folder)
    for name in OPENS:
        check_nothing_ran(name, capsys, mark)
    zoo.load(folder, "saved_model", trust=True).predict(x=np.zeros((1, 5, 3), np.float32))
    assert mark.exists()  # the control


def test_an_output_name_of_a_tflite_file_does_not_become_c(folder, tmp_path, capsys):
    """4: refused where C is written."""
    for file in folder.glob("*.tflite"):
        file.write_bytes(file.read_bytes().replace(NAME, CODE))
    runner = Interpreter(str(folder / "step.tflite")).get_signature_runner("step")
    assert CODE.decode() in runner.get_output_details()  # the control: LiteRT knows it so

    def rename(manifest):
        for signature in manifest["signatures"].values():
            outputs = signature["outputs"]
            outputs[CODE.decode()] = outputs.pop(NAME.decode())

    reseal(folder, rename)
    code, errors = check_nothing_ran("firmware", capsys, tmp_path / "ran")
    assert code == 2 and "name of letters, digits" in errors
    written = [*tmp_path.glob("c/*"), *tmp_path.glob("step.*")]
    assert not any(CODE in file.read_bytes() for file in written)


def test_a_link_in_the_folder_is_not_followed(folder, tmp_path, capsys):
    """5: a file of the host neither hashed nor read, whether the manifest lists it or not."""
    secret = tmp_path / "secret"
    secret.write_text("of the host")
    (folder / "notes").symlink_to(secret)
    for is_listed in (False, True):
        if is_listed:
            reseal(folder)
        for name in COMMANDS:
            code, errors = check_nothing_ran(name, capsys, tmp_path / "ran")
            assert code != 0 or name == "describe", name  # which reads the manifest only
            assert "of the host" not in errors
