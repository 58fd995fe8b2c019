#!/usr/bin/env python3
"""Mutation score of a part of the package: how many small changes of the code its tests notice.

    python .ci/mutate.py metrics --count 40 --tests-python .venv/bin/python

cosmic-ray (pip install cosmic-ray==8.7.0) makes the changes, in a copy of the checkout. A sample of
all of them is run, drawn by --seed: the rest would take days. Each is run against the test file of
its module where there is one of that name, else against the tests of the part.
"""

import argparse
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PARTS = {
    "cells": "tests/zoo/cells",
    "training": "tests/zoo/test_training.py",
    "export": "tests/zoo/export",
    "edge": "tests/zoo/edge",
    "metrics": "tests/zoo/metrics",
    "data": "tests/zoo/data",
}
SKIPPED = ("__init__", "__main__")


def modules(part: str) -> list[Path]:
    """Modules of a part, relative to the checkout."""
    path = ROOT / "zoo" / part
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
    return [each.relative_to(ROOT) for each in files if each.stem not in SKIPPED]


def tests_of(part: str, module: Path) -> str:
    """Test file of a module, or the tests of its part."""
    own = Path(PARTS[part], f"test_{module.stem}.py")
    return str(own) if (ROOT / own).exists() else PARTS[part]


def sample(folder: Path, part: str, count: int, seed: int) -> list[dict[str, object]]:
    """Mutations of a part, drawn from all of them: module, operator, occurrence, line."""
    config, session = folder / "config.toml", folder / "session.sqlite"
    listed = json.dumps([str(module) for module in modules(part)])
    config.write_text(
        f"[cosmic-ray]\nmodule-path = {listed}\ntimeout = 60.0\nexcluded-modules = []\n"
        'test-command = "true"\n[cosmic-ray.distributor]\nname = "local"\n'
    )
    words = ["cosmic-ray", "init", str(config), str(session)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    with sqlite3.connect(session) as database:
        rows = database.execute(
            "select module_path, operator_name, occurrence, start_pos_row from mutation_specs "
            "order by module_path, operator_name, occurrence"
        ).fetchall()
    names = ("module", "operator", "occurrence", "line")
    found = [dict(zip(names, row, strict=True)) for row in rows]
    print(f"{part}: {len(found)} mutations in all", flush=True)
    return random.Random(seed).sample(found, min(count, len(found)))


def is_noticed(
    copy: Path, part: str, mutation: dict[str, object], python: str, limit_s: float
) -> bool:
    """Whether the tests of a mutation's module fail; the copy is as it was afterwards."""
    module = copy / str(mutation["module"])
    original = module.read_bytes()
    words = ["cosmic-ray", "apply", str(mutation["module"]), str(mutation["operator"])]
    words += [str(mutation["occurrence"])]
    try:
        subprocess.run(words, cwd=copy, check=True, capture_output=True)
        if module.read_bytes() == original:
            return True  # cosmic-ray changed nothing: not counted as a survivor
        tests = tests_of(part, Path(str(mutation["module"])))
        command = [python, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", tests]
        try:
            done = subprocess.run(command, cwd=copy, capture_output=True, timeout=limit_s)
        except subprocess.TimeoutExpired:
            return True
        return done.returncode != 0
    finally:
        module.write_bytes(original)


def main() -> int:
    """Print each survivor and the score."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("parts", nargs="+", choices=PARTS)
    parser.add_argument("--count", type=int, default=40, help="mutations of each part")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=float, default=600.0, help="time of the tests of one [s]")
    parser.add_argument("--tests-python", default=sys.executable, help="Python with the packages")
    options = parser.parse_args()
    for part in options.parts:
        with tempfile.TemporaryDirectory(prefix="zoo-mutate-") as folder:
            drawn = sample(Path(folder), part, options.count, options.seed)
            copy = Path(folder, "copy")
            ignored = shutil.ignore_patterns(".git", ".venv", "runs", "__pycache__")
            shutil.copytree(ROOT, copy, ignore=ignored)
            noticed = 0
            for number, mutation in enumerate(drawn, 1):
                is_killed = is_noticed(copy, part, mutation, options.tests_python, options.limit)
                noticed += is_killed
                if not is_killed:
                    print(f"survived: {json.dumps(mutation)}", flush=True)
                print(f"{part}: {noticed} of {number} noticed", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
