"""Saved models on disk: list, verify, open. `python -m zoo.store` lists and verifies.

A saved model is a folder with a `manifest.json`, written by an export. Nothing of it is parsed
before its hashes are right: a damaged model file can load and answer wrongly, and one that was
made to do harm does it while it loads.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.files import write_text
from zoo.manifest import read_manifest, verify_folder

ROOT = Path("saved_models")
START, END = "<!-- models -->", "<!-- /models -->"


def folders(root: Path = ROOT) -> list[Path]:
    """Folders of saved models below `root`, by name."""
    return sorted(path.parent for path in Path(root).glob("*/manifest.json"))


def load(folder: Path, kind: str = "keras") -> Any:
    """Verify a saved model and open it.

    Args:
        folder: of the model.
        kind: "keras" for a `keras.Model`; "saved_model" for TensorFlow's object, whose
            `signatures["serving_default"]` and `signatures["step"]` take tensors by name. Keep the
            object: its variables live as long as it does.
    """
    facts = verify_folder(folder)
    if kind == "keras":
        import keras

        for module in facts["formats"]["model.keras"].get("needs", ()):
            __import__(module)
        model = keras.saving.load_model(Path(folder, "model.keras"))
        if "front_end" in facts:  # a sound model; old files carry no config
            from zoo.convnets import restore_config

            model = restore_config(model)
        return model
    if kind == "saved_model":
        import tensorflow as tf

        return tf.saved_model.load(str(Path(folder, "serving")))
    raise ValueError(f"`kind` must be 'keras' or 'saved_model'. Received: {kind!r}.")


def markdown(models: Sequence[Path], beside: Path) -> str:
    """A table for each task: a row a figure, a column a model, the first model's baseline last.

    Args:
        models: folders of saved models.
        beside: folder of the file that the table is for; links start there.
    """
    tasks: dict[str, list[dict[str, Any]]] = {}
    for folder in models:
        facts = read_manifest(folder)
        facts["card"] = Path(os.path.relpath(folder, beside), "CARD.md").as_posix()
        tasks.setdefault(facts["task"], []).append(facts)
    return "\n\n".join(_table(task, each) for task, each in tasks.items())


def _table(task: str, models: Sequence[Mapping[str, Any]]) -> str:
    heads = [f"[{each['name']}]({each['card']})" for each in models]
    sizes = [sum(entry["bytes"] for entry in each["files"].values()) for each in models]
    rows = [
        [task[0].upper() + task[1:], *heads, "baseline"],
        ["---", *["---:"] * len(models), "---"],
        ["parameters", *(f"{each['parameters']:,}" for each in models), ""],
        ["whole folder [MB]", *(f"{size / 1e6:.2f}" for size in sizes), ""],
    ]
    for file in ("step.tflite", "step_int8.tflite", "model_int8.tflite"):
        bytes_ = [each["files"].get(file, {}).get("bytes") for each in models]
        if any(bytes_):
            rows.append([f"{file} [kB]", *(f"{n / 1e3:.0f}" if n else "" for n in bytes_), ""])
    for split, figures in models[0]["metrics"].items():
        metric = next(iter(figures))
        found = [each["metrics"].get(split, {}).get(metric, {}) for each in models]
        rows.append([f"{metric}, {split}", *map(_cell, found), _baseline(found)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _baseline(figures: Sequence[Mapping[str, Any]]) -> str:
    """The first model's baseline, as a range where others have another value of the same one."""
    if figures[0].get("baseline") is None:
        return ""
    name = figures[0]["baseline_name"]
    values = [each["baseline"] for each in figures if each.get("baseline_name") == name]
    low, high = f"{min(values):.3g}", f"{max(values):.3g}"
    return f"{low if low == high else f'{low}–{high}'} ({name})"


def _cell(figure: Mapping[str, Any]) -> str:
    """A figure with its interval, if it has one; nothing where there is no figure."""
    if not figure:
        return ""
    text = f"{figure['value']:.3g}"
    if figure.get("low") is not None:
        text += f" ({figure['low']:.2g}–{figure['high']:.2g})"
    return text


def update(readme: Path, models: Sequence[Path]) -> None:
    """Put the table between the two markers of a Markdown file.

    Raises:
        ValueError: if the file has no markers.
    """
    text = Path(readme).read_text(encoding="utf-8")
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError(f"{readme}: expected the lines {START} and {END} around the table.")
    table = markdown(models, Path(readme).parent)
    write_text(readme, f"{before}{START}\n{table}\n{END}{after}")


def main(arguments: list[str] | None = None) -> int:
    """List and verify; with `--readme`, renew its table."""
    parser = argparse.ArgumentParser(prog="python -m zoo.store", description=main.__doc__)
    parser.add_argument("root", type=Path, nargs="?", default=ROOT, help="folder of the models")
    parser.add_argument("--readme", type=Path, help="Markdown file whose table is to be renewed")
    options = parser.parse_args(arguments)
    models = folders(options.root)
    damaged = 0
    for folder in models:
        try:
            facts = verify_folder(folder)
        except ValueError as error:
            damaged += 1
            print(f"error: {error}", file=sys.stderr)
            continue
        size = sum(entry["bytes"] for entry in facts["files"].values()) / 1e6
        print(f"{folder}  {facts['parameters']:,} parameters  {size:.2f} MB  {facts['task']}")
    if not models:
        print(f"error: {options.root}: no saved models there.", file=sys.stderr)
    if damaged or not models:
        return 2
    if options.readme:
        update(options.readme, models)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
