#!/usr/bin/env python3
"""Mutation score of parts of the package: how many small changes of the code their tests notice.

    pip install cosmic-ray==8.7.0 coverage
    python .ci/mutate.py metrics edge --count 40 --seed 1 --tests-python .venv/bin/python

cosmic-ray makes the changes, in a copy of the checkout. A sample is drawn by --seed from those on
lines that the part's tests run. Left out are annotations of types, arithmetic made bitwise, which
ends in a TypeError wherever it is run, what is no Python, frozen=True and strict=True made False,
and the bare * of a signature. Each is tried on
the tests that run its line, the quickest first, up to --test-seconds of processor time; where a
fixture runs the line, on all tests with that fixture; where the import runs it, on all tests that
run anything of the module. The table, .ci/mutation.md, keeps the newest result of each part.
Changes that cannot matter stand in .ci/equivalent_mutants.json with their reason and are not
counted.
"""

import argparse
import ast
import difflib
import hashlib
import json
import math
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / ".ci" / "mutation.md"
EQUIVALENT = ROOT / ".ci" / "equivalent_mutants.json"
PARTS = {
    "cells": ("tests/zoo/cells", "tests/zoo/test_recurrent.py"),
    "training": ("tests/zoo/test_training.py", "tests/zoo/test_checkpoints.py"),
    "export": ("tests/zoo/export", "tests/zoo/test_saved_models.py"),
    "edge": ("tests/zoo/edge",),
    "metrics": ("tests/zoo/metrics", "tests/zoo/test_events.py"),
    "data": ("tests/zoo/data",),
}
SKIPPED = ("__init__", "__main__")
# Arithmetic made bitwise raises TypeError on floats wherever it is run at all: not worth a try.
TRIVIAL = re.compile(
    "core/ReplaceBinaryOperator_(Add|Sub|Mul|Div|Mod|Pow|FloorDiv)_(Bit(And|Or|Xor)|[LR]Shift)"
)
HEADINGS = (
    *("part", "on lines run", "tried", "killed", "survived", "no end", "equivalent"),
    *("score", "95 %", "seed", "seconds"),
)

Mutant = dict[str, Any]


def modules_of(part: str) -> list[str]:
    """Modules of a part, relative to the checkout."""
    path = ROOT / "zoo" / part
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
    return [str(each.relative_to(ROOT)) for each in files if each.stem not in SKIPPED]


def tests_of(part: str) -> list[str]:
    """Test files of a part, relative to the checkout."""
    files: list[Path] = []
    for name in PARTS[part]:
        path = ROOT / name
        files += sorted(path.rglob("test_*.py")) if path.is_dir() else [path]
    return [str(each.relative_to(ROOT)) for each in files]


def list_mutants(folder: Path, modules: list[str]) -> list[Mutant]:
    """Changes that cosmic-ray knows but the trivial ones: module, operator, occurrence, line."""
    config, session = folder / "config.toml", folder / "session.sqlite"
    session.unlink(missing_ok=True)
    config.write_text(
        f"[cosmic-ray]\nmodule-path = {json.dumps(modules)}\ntimeout = 60.0\n"
        'excluded-modules = []\ntest-command = "true"\n[cosmic-ray.distributor]\nname = "local"\n'
    )
    program = Path(sys.executable).with_name("cosmic-ray")
    words = [str(program), "init", str(config), str(session)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    with sqlite3.connect(session) as database:
        rows = database.execute(
            "select module_path, operator_name, occurrence, start_pos_row, start_pos_col "
            "from mutation_specs order by module_path, operator_name, occurrence"
        ).fetchall()
    names = ("module", "operator", "occurrence", "line", "column")
    mutants = [dict(zip(names, row, strict=True)) for row in rows]
    return [mutant for mutant in mutants if not TRIVIAL.fullmatch(mutant["operator"])]


def code_lines(module: str) -> tuple[dict[int, set[int]], list[ast.expr]]:
    """Line -> lines of the innermost statement there, without its body; annotations of types."""
    tree = ast.parse((ROOT / module).read_text())
    lines: dict[int, set[int]] = {}
    annotations: list[ast.expr] = []
    for node in ast.walk(tree):  # outer statements before inner ones
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            end = body[0].lineno - 1 if body else node.end_lineno or node.lineno
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
            span = set(range(first, max(end, node.lineno) + 1))
            lines.update(dict.fromkeys(span, span))
        for name in ("annotation", "returns"):
            if isinstance(getattr(node, name, None), ast.expr):
                annotations.append(getattr(node, name))
    return lines, annotations


def is_within(mutant: Mutant, node: ast.expr) -> bool:
    """Whether a mutant changes something of a node."""
    place = (mutant["line"], mutant["column"])
    start, end = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
    return start <= place < end  # type: ignore[operator]


def tests_that_run(records: list[dict[str, Any]], module: str, lines: set[int]) -> dict[str, float]:
    """Tests that run a statement of a module, with their seconds."""
    chosen: dict[str, float] = {}
    for record in records:
        tests = record["tests"]
        is_import = bool(lines & set(record["imports"].get(module, ())))
        fixtures: set[str] = set()
        for test in tests.values():
            if lines & set(test["setup"].get(module, ())):
                fixtures |= set(test["fixtures"])
        fixtures -= {"request", "tmp_path", "monkeypatch", "capsys", "tmp_path_factory"}
        for name, test in tests.items():
            is_called = bool(lines & set(test["call"].get(module, ())))
            is_user = is_import and module in test["call"]
            if is_called or is_user or fixtures & set(test["fixtures"]):
                chosen[name] = test["seconds"]
    return chosen


def limit_tests(tests: dict[str, float], budget_s: float) -> tuple[list[str], float]:
    """The quickest tests, at least one, and their seconds in all."""
    kept: list[str] = []
    total = 0.0
    for name, seconds in sorted(tests.items(), key=lambda pair: pair[1]):
        if kept and total + seconds > budget_s:
            break
        kept.append(name)
        total += seconds
    return kept, total


def is_flag(mutant: Mutant) -> bool:
    """Whether a mutant switches off a check of programmers' mistakes, which no right code meets.

    These are frozen=True, strict=True, and the bare * of a signature, which is no product.
    """
    line = (ROOT / mutant["module"]).read_text().splitlines()[mutant["line"] - 1]
    before, after = line[: mutant["column"]], line[mutant["column"] :]
    is_bare = after.startswith(("*,", "/,")) and before.rstrip()[-1:] in ("", ",", "(")
    return is_bare or before.endswith(("frozen=", "strict="))


def change(mutant: Mutant) -> tuple[str, str, str] | None:
    """Content of the changed module, its line before and after; None: the same, or no Python."""
    import cosmic_ray.plugins  # of the tool, which need not be in the tests' Python
    from cosmic_ray.mutating import mutate_code

    original = (ROOT / mutant["module"]).read_text()
    operator = cosmic_ray.plugins.get_operator(mutant["operator"])()
    content = mutate_code(original, operator, mutant["occurrence"])
    if content is None or content == original:
        return None
    try:
        compile(content, mutant["module"], "exec")
    except SyntaxError:  # {**a} made {/a}: no test need notice
        return None
    pairs = list(difflib.ndiff(original.splitlines(), content.splitlines()))
    before = " ".join(line[2:].strip() for line in pairs if line.startswith("- "))
    after = " ".join(line[2:].strip() for line in pairs if line.startswith("+ "))
    return content, before, after


def is_equivalent(mutant: Mutant) -> bool:
    """Whether a mutant stands in the list of those that cannot matter."""
    entries = json.loads(EQUIVALENT.read_text()) if EQUIVALENT.exists() else []
    return any(all(mutant[k] == e[k] for k in ("module", "before", "after")) for e in entries)


def wilson(killed: int, tried: int, z: float = 1.959964) -> tuple[float, float]:
    """95 % interval of a share, by Wilson (1927)."""
    share, spread = killed / tried, z * z / tried
    centre = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / tried + spread / (4 * tried)) / (1 + spread)
    return centre - half, centre + half


def start_worker(python: str, folder: Path, words: dict[str, Any]) -> None:
    """Run the worker with the Python of the tests."""
    path = folder / "words.json"
    path.write_text(json.dumps(words))
    worker = str(Path(__file__).with_name("mutation_worker.py"))
    subprocess.run([python, worker, str(path)], cwd=folder, check=True)


def plan_part(part: str, folder: Path, options: argparse.Namespace) -> tuple[list[Mutant], int]:
    """Draw mutants of a part, with their content and tests; how many there are on lines run."""
    modules, files = modules_of(part), tests_of(part)
    records_folder = folder / f"records-{part}"
    records_folder.mkdir(exist_ok=True)
    words = {"do": "record", "modules": modules, "tests": files, "work": str(records_folder)}
    start_worker(options.tests_python, folder, {**words, "root": str(folder / "copy")})
    names = [records_folder / (file.replace("/", "-") + ".json") for file in files]
    records = [json.loads(name.read_text()) for name in names if name.exists()]
    statements = {module: code_lines(module) for module in modules}
    drawn: list[Mutant] = []
    mutants = list_mutants(folder, modules)
    random.Random(options.seed).shuffle(mutants)
    total = 0
    for mutant in mutants:
        spans, annotations = statements[mutant["module"]]
        if is_flag(mutant) or any(is_within(mutant, node) for node in annotations):
            continue
        span = spans.get(mutant["line"], {mutant["line"]})
        tests = tests_that_run(records, mutant["module"], span)
        total += bool(tests)
        if not tests or len(drawn) >= options.count:
            continue
        result = change(mutant)
        if result is None:
            total -= 1
            continue
        kept, seconds = limit_tests(tests, options.test_seconds)
        digest = hashlib.sha256(result[0].encode()).hexdigest()[:12]
        key = f"{mutant['module']}:{mutant['line']} {mutant['operator']} {digest}"
        content, before, after = result
        extra = {"content": content, "before": before, "after": after, "key": key, "tests": kept}
        drawn.append({**mutant, **extra, "limit_s": options.limit + 4 * seconds})
    return drawn, total


def score_part(part: str, folder: Path, options: argparse.Namespace) -> tuple[list[str], list[str]]:
    """Row of the table of a part, and a line for each survivor and each mutant without an end."""
    drawn, total = plan_part(part, folder, options)
    equivalent = [mutant for mutant in drawn if is_equivalent(mutant)]
    tried = [mutant for mutant in drawn if mutant not in equivalent]
    plan = folder / f"plan-{part}.json"
    plan.write_text(json.dumps(tried))
    results = folder / f"results-{part}-{options.seed}.jsonl"
    if not options.resume:
        results.unlink(missing_ok=True)
    words = {"do": "try", "root": str(folder / "copy"), "plan": str(plan)}
    start_worker(options.tests_python, folder, {**words, "results": str(results)})
    outcomes = {}
    for line in results.read_text().splitlines():
        row = json.loads(line)
        outcomes[row["key"]] = row["outcome"]
    survivors = [mutant for mutant in tried if outcomes[mutant["key"]] == "survived"]
    endless = [mutant for mutant in tried if outcomes[mutant["key"]] == "no end"]
    remarks = [
        f"- {part}, {outcomes[mutant['key']]}: {mutant['module']}:{mutant['line']}, "
        f"`{mutant['before']}` → `{mutant['after']}`"
        for mutant in (*survivors, *endless)
    ]
    judged = len(tried) - len(endless)
    killed = judged - len(survivors)
    low, high = wilson(killed, judged)
    score = f"{100 * killed / judged:.1f} %"
    counts = (total, len(tried), killed, len(survivors), len(endless), len(equivalent))
    row = [part, *map(str, counts), score, f"{100 * low:.0f} to {100 * high:.0f} %"]
    return [*row, str(options.seed), f"{options.test_seconds:g}"], remarks


def write_table(part: str, row: list[str], remarks: list[str]) -> None:
    """Replace the row and the remarks of a part in the table."""
    kept: dict[str, list[str]] = {}
    others: list[str] = []
    if TABLE.exists():
        for line in TABLE.read_text().splitlines():
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if cells[0] in PARTS:
                kept[cells[0]] = cells
            if line.startswith("- ") and not line.startswith(f"- {part}, "):
                others.append(line)
    kept[part] = row
    lines = ["| " + " | ".join(HEADINGS) + " |", "|---|" + "---:|" * (len(HEADINGS) - 1)]
    lines += ["| " + " | ".join(kept[part]) + " |" for part in PARTS if part in kept]
    about = (
        "Changes that cosmic-ray 8.7.0 can make on lines that the part's tests run, annotations "
        "and arithmetic made bitwise left out; a sample was tried, drawn by the seed. Killed: a "
        "test failed that passes on the unchanged code. No end: stopped after four times the "
        "processor time of its tests and half a minute; in no score. Interval by Wilson. "
        "`python .ci/mutate.py PART --count TRIED --seed SEED --test-seconds SECONDS` repeats a "
        "row and prints the survivors; below stand those of the table."
    )
    missing = ", ".join(part for part in PARTS if part not in kept)
    about += f"\n\nNot measured: {missing}." if missing else ""
    remarks = sorted([*others, *remarks], key=lambda line: [*PARTS].index(line[2:].split(",")[0]))
    TABLE.write_text("\n".join([*lines, "", about, "", *remarks]) + "\n")


def main() -> int:
    """Print each survivor and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("parts", nargs="+", choices=PARTS)
    parser.add_argument("--count", type=int, default=40, help="mutants of each part")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--test-seconds", type=float, default=30.0, help="of tests of a mutant, processor time"
    )
    parser.add_argument(
        "--limit", type=float, default=30.0, help="processor time, beside 4 times its tests'"
    )
    parser.add_argument("--tests-python", default=sys.executable, help="Python with the packages")
    parser.add_argument("--work", type=Path, help="folder that keeps what was recorded")
    parser.add_argument("--resume", action="store_true", help="go on with the results in --work")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="zoo-mutate-") as temporary:
        folder = (options.work or Path(temporary)).resolve()
        shutil.rmtree(folder / "copy", ignore_errors=True)
        ignored = shutil.ignore_patterns(".git", ".venv", "runs", "__pycache__", ".hypothesis")
        shutil.copytree(ROOT, folder / "copy", ignore=ignored)
        for part in options.parts:
            row, remarks = score_part(part, folder, options)
            print("\n".join([" | ".join(row), *remarks]), flush=True)
            write_table(part, row, remarks)
    return 0


if __name__ == "__main__":
    sys.exit(main())
