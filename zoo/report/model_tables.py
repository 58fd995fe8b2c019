"""Markdown tables of saved models from their manifests, long and short."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo import files
from zoo.manifest import NAME, read_manifest
from zoo.report.table import escape_markdown

START, END = "<!-- models -->", "<!-- /models -->"
HELD_OUT = "held out"  # split of measured tests that a model has not seen
TFLITE_FILES = ("step.tflite", "step_int8.tflite", "model_int8.tflite")  # with a row of sizes
TITLE = """# Saved models

Written by `zoo list --write-tables README.md` from the manifests; do not edit. A value in brackets
is a 95 % interval, by bootstrap over whole groups. Each model's card has all metrics, limits and
signatures.
"""


def write_tables(root: Path, readme: Path | None = None) -> list[Path]:
    """Write `root`/README.md, a table for each task, and renew the short table of a README.

    Args:
        root: folder of saved models.
        readme: Markdown file with the lines `START` and `END` around its table; None: no file.

    Returns:
        Paths of the files written.

    Raises:
        ValueError: if there is no model in `root`, a manifest was changed, or `readme` has no such
            lines.
    """
    folders = sorted(path.parent for path in Path(root).glob(f"*/{NAME}"))
    if not folders:
        raise ValueError(f"{root}: no saved models there.")
    page = Path(root, "README.md")
    texts = {page: f"{TITLE}\n{task_tables(folders, page.parent)}\n"}
    if readme is not None:
        text = readme.read_text(encoding="utf-8")
        texts[readme] = replace_table(text, summary_table(folders, readme.parent), str(readme))
    for path, text in texts.items():
        files.write_text(path, text)
    return list(texts)


def replace_table(text: str, table: str, name: str) -> str:
    """A Markdown text with another table between the lines `START` and `END`.

    Args:
        text: of the file.
        table: to put there.
        name: of the file, for the message.

    Raises:
        ValueError: if the text has no such lines.
    """
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError(f"{name}: expected the lines {START} and {END} around the table.")
    return f"{before}{START}\n{table}\n{END}{after}"


def summary_table(folders: Sequence[Path], beside: Path) -> str:
    """A row a model: task, parameters, size of its smallest TFLite file, main metric, baseline.

    Args:
        folders: of the saved models.
        beside: folder of the file that the table is for; links are relative to it.
    """
    rows = [["model", "task", "parameters", "smallest file [kB]", "main metric", "baseline"]]
    rows.append(["---", "---", "---:", "---:", "---", "---"])
    for folder in folders:
        manifest = read_manifest(folder)
        sizes = [e["bytes"] for name, e in manifest["files"].items() if name.endswith(".tflite")]
        scores = manifest["metrics"]
        split = HELD_OUT if HELD_OUT in scores else next(iter(scores))
        metric, result = next(iter(scores[split].items()))
        rows.append(
            [
                f"[{manifest['name']}]({_card(folder, beside)})",
                manifest["task"],
                f"{manifest['parameters']:,}",
                f"{min(sizes) / 1e3:.0f}" if sizes else "",
                f"{metric} {_format_value(result)}, {split}",
                _format_baseline([result]),
            ]
        )
    return _markdown(rows)


def task_tables(folders: Sequence[Path], beside: Path) -> str:
    """A table for each task: a row a metric, a column a model, the first model's baseline last.

    Args:
        folders: of the saved models.
        beside: folder of the file that the tables are for; links are relative to it.
    """
    tasks: dict[str, list[tuple[dict[str, Any], str]]] = {}
    for folder in folders:
        manifest = read_manifest(folder)
        tasks.setdefault(manifest["task"], []).append((manifest, _card(folder, beside)))
    return "\n\n".join(
        f"## {task[0].upper()}{task[1:]}\n\n{_task_table(models)}" for task, models in tasks.items()
    )


def _card(folder: Path, beside: Path) -> str:
    return Path(os.path.relpath(folder, beside), "CARD.md").as_posix()


def _task_table(models: Sequence[tuple[Mapping[str, Any], str]]) -> str:
    heads = [f"[{manifest['name']}]({card})" for manifest, card in models]
    manifests = [manifest for manifest, _ in models]
    sizes = [sum(entry["bytes"] for entry in each["files"].values()) for each in manifests]
    rows = [
        ["", *heads, "baseline"],
        ["---", *["---:"] * len(models), "---"],
        ["parameters", *(f"{each['parameters']:,}" for each in manifests), ""],
        ["whole folder [MB]", *(f"{size / 1e6:.2f}" for size in sizes), ""],
    ]
    for file in TFLITE_FILES:
        bytes_ = [each["files"].get(file, {}).get("bytes") for each in manifests]
        if any(bytes_):
            rows.append([f"{file} [kB]", *(f"{n / 1e3:.0f}" if n else "" for n in bytes_), ""])
    for split, metrics in manifests[0]["metrics"].items():
        metric = next(iter(metrics))
        results = [each["metrics"].get(split, {}).get(metric, {}) for each in manifests]
        rows.append([f"{metric}, {split}", *map(_format_value, results), _format_baseline(results)])
    return _markdown(rows)


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    cells = [[escape_markdown(cell, in_cell=True) for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def _format_baseline(results: Sequence[Mapping[str, Any]]) -> str:
    """The first model's baseline, as a range where others have another value of the same one."""
    if results[0].get("baseline") is None:
        return ""
    name = results[0]["baseline_name"]
    values = [each["baseline"] for each in results if each.get("baseline_name") == name]
    low, high = f"{min(values):.3g}", f"{max(values):.3g}"
    return f"{low if low == high else f'{low}–{high}'} ({name})"


def _format_value(result: Mapping[str, Any]) -> str:
    """A value with its interval, if it has one; empty where there is no value."""
    if result.get("value") is None:
        return ""
    text = f"{result['value']:.3g}"
    if result.get("low") is not None:
        text += f" ({result['low']:.2g}–{result['high']:.2g})"
    return text
