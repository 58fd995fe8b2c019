"""What every recipe's command line does alike: help at once, the command that does it again."""

import subprocess
import sys
from pathlib import Path

import pytest

from recipes.hysteresis import experiment as hysteresis
from recipes.scenes import __main__ as scenes
from zoo.cli import command

ROOT = Path(__file__).parents[3]
RECIPES = {
    "hysteresis": ("--cell", "--units", "--csv", "--stretch", "--group", "--exponent", "--quick"),
    "lecture": ("--out", "--seed"),
    "materials": ("certify", "leaderboard", "identify", "export"),
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
    said = " ".join(done.stdout.split())
    assert not [word for word in words if word not in said]
    assert "default: None" not in said and "default: False" not in said


@pytest.mark.parametrize(
    ("recipe", "words", "again"),
    [
        (hysteresis, [], "python -m recipes.hysteresis"),
        (
            hysteresis,
            ["--csv", "far/away/test.csv", "--dt-range", "0.01:0.4", "--out", "there", "--quick"],
            "python -m recipes.hysteresis --quick --dt-range 0.01:0.4 --csv test.csv",
        ),
        (
            scenes,
            ["--without", "speeds", "masks", "--checkpoint", "c", "--folds", "2"],
            "python -m recipes.scenes --folds 2 --without speeds masks",
        ),
    ],
)
def test_a_command_is_told_without_places_of_files(recipe, words, again):
    parser = recipe.parser()
    assert command.format_command_line(parser, parser.parse_args(words)) == again
