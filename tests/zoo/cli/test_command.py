"""What every recipe's command line does alike: help at once, the command that does it again."""

import argparse
import importlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from recipes.hearing_aid import __main__ as hearing_aid
from recipes.hysteresis import __main__ as hysteresis
from recipes.lecture import __main__ as lecture
from recipes.materials import __main__ as materials
from recipes.memory import __main__ as memory
from recipes.scenes import __main__ as scenes
from recipes.wheeze import __main__ as wheeze
from zoo.__main__ import parser as zoo_parser
from zoo.cli import command
from zoo.cli.options import add_run_options

ROOT = Path(__file__).parents[3]
RECIPES = {
    "hysteresis": ("--cell", "--units", "--csv", "--stretch", "--group", "--exponent", "--quick"),
    "lecture": ("--out", "--seed"),
    "materials": ("train", "leaderboard", "trial"),
    "memory": ("--quick", "--model", "--csv", "--live", "--seed", "--out", "--length"),
    "scenes": ("--data", "--model", "--folds", "--checkpoint", "--tensorboard", "--out"),
    "wheeze": ("--data", "--seeds", "--checkpoint", "no medical device"),
    "hearing_aid": ("--data", "--model", "--c"),
}


@pytest.mark.parametrize(("recipe", "words"), RECIPES.items())
def test_help_is_answered_without_heavy_imports(recipe, words):
    code = (
        f"import sys, recipes.{recipe}.__main__ as r\n"
        "try: r.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'tensorflow', 'keras', 'numpy', 'matplotlib', 'pandas'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    text = " ".join(done.stdout.split())
    assert not [word for word in words if word not in text]
    assert "default: None" not in text and "default: False" not in text
    assert not re.search(r"\(default: [^)]*\) \(default: ", text)


SLOW = ("tensorflow", "keras", "torch", "jax", "matplotlib", "pandas", "librosa")  # to import
CHILDREN = ("recipes.benchmarks.faults.jobs", "recipes.benchmarks.lstm_training.worker")


def recipe_commands():
    """Every module below `recipes` that is run by `python -m`, but for those without options."""
    files = (ROOT / "recipes").rglob("*.py")
    runs = [path for path in files if 'if __name__ == "__main__":' in path.read_text()]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in runs]
    return sorted({name.removesuffix(".__main__") for name in names} - {*CHILDREN})


def test_help_of_every_command_waits_for_no_slow_package():
    names = recipe_commands()
    code = (
        "import contextlib, importlib.abc, io, runpy, sys\n"
        "class Refuse(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        f"        if name.split('.')[0] in {SLOW}: raise SystemError(f'imports {{name}}')\n"
        "sys.meta_path.insert(0, Refuse())\n"
        f"for name in {names}:\n"
        "    sys.argv, out = [name, '--help'], io.StringIO()\n"
        "    try:\n"
        "        with contextlib.redirect_stdout(out):\n"
        "            runpy.run_module(name, run_name='__main__', alter_sys=True)\n"
        "    except SystemExit as end:\n"
        "        if end.code: print(name, 'ends with', end.code)\n"
        "    except SystemError as error:\n"
        "        print(name, error)\n"
        "    if 'usage: ' not in out.getvalue(): print(name, 'prints no help')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert len(names) > 40 and "recipes.hearing_aid.halves" in names


@pytest.mark.parametrize(
    "words",
    [
        "recipes.hysteresis --seed -1",
        "recipes.memory --seed 4294967296",
        "recipes.hearing_aid.halves model --bank . --seed -1",
        "recipes.materials trial lstm -1",
        "zoo identify --csv a.csv --seed -1",
        "recipes.hysteresis --checkpoint {folder}",
        "recipes.materials train maxwell --checkpoint {folder}",
        "recipes.scenes --checkpoint {file}",
        "recipes.hearing_aid --checkpoint {file}",
        "recipes.scenes --tensorboard {file}",
        "recipes.embedding transfer --data {folder} --teacher {folder}",
        "recipes.embedding transfer --data {folder} --teacher {folder}/none.tflite",
        "recipes.embedding transfer --data {folder} --out {folder}",
        "recipes.embedding bank --out {file}",
        "recipes.embedding bank --packages {folder}/none",
        "recipes.hearing_aid.band_training --out {folder}/a --bank {folder}/none",
        "recipes.hearing_aid.scene_training --bank {folder} --out {file}",
    ],
)
def test_seeds_and_places_are_refused_before_any_work_by_the_name_of_their_option(
    words, tmp_path, capsys
):
    (tmp_path / "file").write_text("")
    package, *words = words.format(folder=tmp_path, file=tmp_path / "file").split()
    module = importlib.import_module(f"{package}.__main__")
    with pytest.raises(SystemExit) as end:
        module.parser().parse_args(words)
    *_, line = capsys.readouterr().err.splitlines()
    name = words[-2] if words[-2].startswith("--") else "seed"
    assert end.value.code == 2 and f"error: argument {name}: " in line


@pytest.mark.parametrize(
    ("recipe", "words", "expected"),
    [
        (hysteresis, [], "python -m recipes.hysteresis --seed 0"),
        (
            hysteresis,
            ["--csv", "far/away/test.csv", "--dt-range", "0.01:0.4", "--out", "there", "--quick"],
            "python -m recipes.hysteresis --dt-range 0.01:0.4 --csv far/away/test.csv --seed 0 "
            "--quick",
        ),
        (
            scenes,
            ["--without", "speeds", "masks", "--checkpoint", "c", "--folds", "2"],
            "python -m recipes.scenes --folds 2 --without speeds masks --seed 0",
        ),
    ],
)
def test_a_command_is_written_without_places_of_results(recipe, words, expected):
    parser = recipe.parser()
    assert command.format_command_line(parser, parser.parse_args(words)) == expected


def parse_subcommand(words):
    """Options of `zoo`, and the parser of its subcommand where it keeps it."""
    options = zoo_parser().parse_args(words)
    return options, options.parser


def parse_materials(words):
    options = materials.parser().parse_args(words)
    return options, options.parser


def parse_with(recipe):
    return lambda words: (recipe.parser().parse_args(words), recipe.parser())


@pytest.mark.parametrize(
    ("parse", "prog", "words"),
    [
        (parse_with(hysteresis), 3, "--cell gru --csv data/a.csv --csv b.csv --strain e --seed 3"),
        (parse_with(hysteresis), 3, "--csv data/a.csv --stress-unit kPa --cycles 2 --units 8"),
        (parse_with(hysteresis), 3, "--dt-range 0.0033333333333:0.4 --learning-rate 0.0012345678"),
        (parse_with(memory), 3, "--quick --length 60 --seed 2"),
        (parse_with(lecture), 3, "--seed 5"),
        (parse_with(scenes), 3, "--data some/folder --model alexnet_gap --without speeds masks"),
        (parse_with(wheeze), 3, "--data some/folder --seeds 2"),
        (parse_with(hearing_aid), 3, "--data some/folder"),
        (parse_materials, 4, "train maxwell --epochs 3 --seed 7"),
        (parse_subcommand, 2, "identify --csv d/one.csv --law relaxation --branches 2 --seed 4"),
        (parse_subcommand, 2, "identify --csv one.csv --strain-unit % --area 78.5 --starts 3"),
        (parse_subcommand, 2, "certify some/model.keras --amplitude=-0.05:0 --rates 0.1:2"),
        (parse_subcommand, 2, "certify hysteresis-lstm --csv d/a.csv --quick"),
    ],
    ids=lambda value: value.split(" -")[0] if isinstance(value, str) else None,
)
def test_a_printed_command_is_read_as_the_same_settings(parse, prog, words):
    options, parser = parse(words.split())
    printed = shlex.split(command.format_command_line(parser, options))
    subcommand = printed[prog - 1 : prog] if parse in (parse_subcommand, parse_materials) else []
    again, _ = parse([*subcommand, *printed[prog:]])
    left_out = {*command.LOCATION_OPTIONS, "parser", "run", "act"}
    expected = {k: v for k, v in vars(options).items() if k not in left_out}
    assert {k: v for k, v in vars(again).items() if k not in left_out} == expected
    for option in (each for each in ("seed", "law") if expected.get(each) is not None):
        assert f"--{option}" in printed


def test_a_path_below_the_present_folder_is_written_relative_to_it(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    parser = hysteresis.parser()
    options = parser.parse_args(["--csv", str(tmp_path / "d" / "a.csv"), "--csv", "../b.csv"])
    assert "--csv d/a.csv ../b.csv" in command.format_command_line(parser, options)


def test_a_path_elsewhere_does_not_say_where(monkeypatch, tmp_path):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    options = hysteresis.parser().parse_args(["--csv", str(tmp_path / "a.csv")])
    line = command.format_command_line(hysteresis.parser(), options)
    assert "--csv PATH/a.csv" in line and str(tmp_path) not in line


def test_deterministic_operations_are_asked_for_before_tensorflow_is_imported(monkeypatch):
    monkeypatch.setenv("TF_DETERMINISTIC_OPS", "0")
    parser = argparse.ArgumentParser()
    add_run_options(parser, "model")
    assert "deterministic" not in vars(parser.parse_args(["--seed", "1"]))
    assert os.environ["TF_DETERMINISTIC_OPS"] == "0"
    assert "deterministic" not in vars(parser.parse_args(["--deterministic"]))
    assert os.environ["TF_DETERMINISTIC_OPS"] == "1"
