"""A sweep: every combination once, in its own folder; what failed and what is done is known."""

import csv
import json

import pytest

from zoo import sweep
from zoo.__main__ import main

# A recipe without TensorFlow: its "metric" is units × rate + seed / 10.
RECIPE = """
import argparse
from pathlib import Path
from zoo.cli import command
from zoo.cli.options import add_run_options, positive_int
from zoo.manifest import write_manifest


def parser():
    parser = argparse.ArgumentParser(prog="toy")
    parser.add_argument("--units", type=positive_int, default=1)
    parser.add_argument("--rate", type=float, default=1.0)
    parser.add_argument("--checkpoint", type=Path)
    add_run_options(parser, "toy")
    return parser


def main():
    options = parser().parse_args()
    with open("began.txt", "a") as file:
        file.write(f"{options.units} {options.rate} {options.seed} {options.quick}\\n")
    if options.rate < 0:
        raise ValueError(f"expected a positive rate, got {options.rate}")
    assert options.checkpoint == options.out / "checkpoint.npz"
    model = options.out / "model"
    model.mkdir(parents=True)
    value = options.units * options.rate + options.seed / 10
    metrics = {"walk": {"nRMSE": {"value": value, "baseline": 1.0}, "p95": {"value": 2 * value}}}
    about = {"format": 2, "name": "toy", "training": {"ended": "complete"}, "metrics": metrics}
    write_manifest(model, {**about, "files": {}, "formats": {}, "signatures": {}})


if __name__ == "__main__":
    command.run(main)
"""


@pytest.fixture(autouse=True)
def recipe(tmp_path, monkeypatch):
    package = tmp_path / "toy_recipe"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(RECIPE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sweep, "recipe_module", lambda name: "toy_recipe")


def began(folder):
    return sorted((folder / "began.txt").read_text().splitlines())


def test_a_sweep_runs_every_combination_once_and_goes_on_with_more(tmp_path, capsys):
    words = ["sweep", "toy", "--vary", "units", "2", "3", "--set", "quick", "--out", "all"]
    assert main([*words, "--workers", "2"]) == 0
    assert began(tmp_path) == ["2 1.0 0 True", "3 1.0 0 True"]
    assert main([*words, "--seeds", "2", "--json"]) == 0
    assert began(tmp_path)[1::2] == ["2 1.0 1 True", "3 1.0 1 True"]
    out = capsys.readouterr().out
    rows = json.loads(out[out.index("{") :])["rows"]
    # mean and standard deviation of 2.0 and 2.1, of 3.0 and 3.1
    assert [row["walk: nRMSE"] for row in rows] == ["2.05 ± 0.071", "3.05 ± 0.071"]
    with open("all/sweep.csv") as file:
        table = list(csv.DictReader(file))
    assert [(r["units"], r["seed"], float(r["walk: p95"])) for r in table] == [
        *(("2", "0", 4.0), ("3", "0", 6.0)),
        *(("2", "1", 4.2), ("3", "1", 6.2)),
    ]


def test_a_run_that_fails_is_told_and_does_not_stop_the_others(capsys):
    assert main(["sweep", "toy", "--vary", "rate", "-1", "2", "--out", "all"]) == 1
    captured = capsys.readouterr()
    assert "rate=-1,seed=0: expected a positive rate, got -1.0 (log: all" in captured.err
    assert "1 of 1" in captured.out
    with open("all/sweep.csv") as file:
        assert [row["error"] for row in csv.DictReader(file)] == [
            *("expected a positive rate, got -1.0", "")
        ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--vary", "seed", "1", "2"], "--seed is set by the sweep"),
        (["--vary", "units", "2", "--vary", "units", "3"], "--vary units is given twice"),
        (["--set", "units", "2", "--set", "units", "3"], "--set units is given twice"),
        (["--vary", "units", "1", "--set", "units", "2"], "both varied and set"),
        (["--vary", "units", "1", "1"], "Two runs are the same"),
        (["--vary", "units"], "--vary units has no values"),
    ],
)
def test_options_that_contradict_each_other_are_refused(words, message, capsys):
    assert main(["sweep", "toy", *words, "--out", "all"]) == 2
    assert message in capsys.readouterr().err


def test_options_are_read_by_the_recipe_before_anything_runs(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["sweep", "toy", "--vary", "units", "2", "none", "--out", "all"])
    assert "--units: invalid positive_int value: 'none'" in capsys.readouterr().err
    assert not (tmp_path / "began.txt").exists()


@pytest.mark.parametrize("name", ["no-such", "benchmarks", "app"])
def test_a_recipe_that_is_not_there_or_has_no_command_is_refused(name, monkeypatch, capsys):
    monkeypatch.undo()
    assert main(["sweep", name, "--vary", "units", "2"]) == 2
    assert f"{name}: no such recipe" in capsys.readouterr().err
