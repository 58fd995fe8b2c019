"""Exit codes and one-line errors; what the small install without the extra `train` can do."""

import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf

from zoo.cli import command
from zoo.progress import say

ROOT = Path(__file__).parents[3]
# Runs `zoo` where nothing but numpy and ai-edge-litert is installed.
SMALL = f"""
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {set(command.TRAIN_MODULES)}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
from zoo.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def fail(error):
    def main():
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (ValueError("two\n lines"), 2, "error: two lines\n"),
        (FileNotFoundError(2, "No such file", "x"), 2, "error: [Errno 2] No such file: 'x'\n"),
        (ValueError("file '\x1b[2J\x07a\udcff'"), 2, "error: file '\\x1b[2J\\x07a\\udcff'\n"),
        (KeyboardInterrupt(), 130, "\ninterrupted\n"),
        (
            ModuleNotFoundError("No module named 'keras.src'", name="keras.src"),
            2,
            "error: the package keras is not installed. "
            "Install it: pip install 'signals-with-memory[train]'\n",
        ),
        (
            ModuleNotFoundError("No module named 'numpy'", name="numpy"),
            2,
            "error: the package numpy is not installed. "
            "Install it: pip install 'signals-with-memory'\n",
        ),
        (
            ModuleNotFoundError("No module named 'torch'", name="torch"),
            2,
            "error: the package torch is not installed. Install it: pip install 'torch'\n",
        ),
    ],
)
def test_a_mistake_is_one_line_and_a_traceback_on_request(error, code, text, capsys, monkeypatch):
    monkeypatch.delenv("ZOO_TRACEBACK", raising=False)
    assert command.call(fail(error)) == code
    assert capsys.readouterr() == ("", text)
    monkeypatch.setenv("ZOO_TRACEBACK", "1")
    if code == 2:
        with pytest.raises(type(error)):
            command.call(fail(error))


@pytest.mark.parametrize(
    "error",
    [TypeError("defect"), ModuleNotFoundError("No module named 'zoo.x'", name="zoo.x")],
)
def test_a_defect_of_the_program_is_raised(error):
    with pytest.raises(type(error)):
        command.call(fail(error))


def test_damage_that_tf_data_reports_is_one_line(capsys):
    def read(row):
        raise ValueError(f"row {row}: damaged\nsecond line")

    def main():
        rows = tf.data.Dataset.range(3)
        for _ in rows.map(lambda row: tf.numpy_function(read, [row], tf.float32)):
            pass

    assert command.call(main) == 2
    assert capsys.readouterr().err == "error: row 0: damaged\n"
    with pytest.raises(tf.errors.InvalidArgumentError):  # a defect of the program
        command.call(lambda: tf.debugging.assert_equal(1, 2))


def test_progress_shows_control_characters_as_escapes(capsys):
    say("a\x1b]0;title\x07\nb Δ²")
    assert capsys.readouterr().err == "a\\x1b]0;title\\x07 b Δ²\n"


@pytest.mark.parametrize(("result", "code"), [(None, 0), (0, 0), (1, 1)])
def test_the_code_of_a_command_is_passed_on(result, code):
    assert command.call(lambda: result) == code
    with pytest.raises(SystemExit) as ended:
        command.run(lambda: result)
    assert ended.value.code == code


def test_a_reader_that_leaves_is_no_error():
    words = [sys.executable, "-m", "zoo", "list", "--json"]
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        errors = process.stderr.read()
    assert (process.returncode, errors) == (0, b"")


def small(*words):
    return subprocess.run(
        [sys.executable, "-c", SMALL, *words], cwd=ROOT, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    "words",
    [
        ("list",),
        ("describe", "scenes-tiny"),
        ("verify", "material-maxwell"),
        ("budget", "material-maxwell", "--steps", "20", "--json"),
    ],
    ids=" ".join,
)
def test_the_small_install_lists_describes_verifies_and_measures(words):
    done = small(*words)
    assert (done.returncode in (0, 1), done.stderr) == (True, "") and done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("describe", "residual_tiny"),
        ("predict", "scenes-tiny", "x.wav"),
        ("explain", "scenes-tiny", "x.wav"),
        ("memory", "hysteresis-rnn"),
        ("compare", "hysteresis-rnn", "hysteresis-gru"),
        ("export", "hysteresis-rnn", "--c"),
        ("certify", "hysteresis-rnn"),
        ("identify", "--csv", "x.csv"),
        ("data", "."),
    ],
    ids=" ".join,
)
def test_a_missing_extra_is_named_in_one_line(words):
    done = small(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: the package ") and done.stderr.count("\n") == 1
    assert "pip install 'signals-with-memory[train]'" in done.stderr
