"""What every recipe's command line does alike: help at once, the command that does it again."""

import subprocess
import sys
from pathlib import Path

import pytest

from recipes.hysteresis import __main__ as hysteresis
from recipes.scenes import __main__ as scenes
from zoo.cli import command

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


@pytest.mark.parametrize(
    ("recipe", "words", "expected"),
    [
        (hysteresis, [], "python -m recipes.hysteresis"),
        (
            hysteresis,
            ["--csv", "far/away/test.csv", "--dt-range", "0.01:0.4", "--out", "there", "--quick"],
            "python -m recipes.hysteresis --dt-range 0.01:0.4 --csv test.csv --quick",
        ),
        (
            scenes,
            ["--without", "speeds", "masks", "--checkpoint", "c", "--folds", "2"],
            "python -m recipes.scenes --folds 2 --without speeds masks",
        ),
    ],
)
def test_a_command_is_written_without_places_of_files(recipe, words, expected):
    parser = recipe.parser()
    assert command.format_command_line(parser, parser.parse_args(words)) == expected
