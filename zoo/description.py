"""A saved model's manifest as text for a terminal."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from zoo.report import Column, Table

WIDTH = 100  # columns of the terminal
MEANING_WIDTH = 60  # of the clause that describes a tensor


def describe_model(manifest: Mapping[str, Any]) -> str:
    """Description, signatures, metrics with baselines, files and limits of a saved model.

    Args:
        manifest: from `zoo.manifest.read_manifest`.

    Raises:
        ValueError: it lacks what is described, or has it in another form.
    """
    try:
        parts = [
            _heading(manifest),
            *(_signature(*each) for each in manifest["signatures"].items()),
            metrics_table(manifest).text().rstrip(),
            _files(manifest).text().rstrip(),
            "\n".join(_limits(manifest)),
        ]
    except (KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise ValueError(
            f"The manifest of {str(manifest.get('name'))[:80]} does not describe a model "
            f"({type(error).__name__}: {error}). Export the model again."
        ) from None
    return "\n\n".join(part for part in parts if part)


def size_mb(manifest: Mapping[str, Any]) -> float:
    """Size of all files of a saved model [MB]."""
    return sum(entry["bytes"] for entry in manifest["files"].values()) / 1e6


def metrics_table(manifest: Mapping[str, Any]) -> Table:
    """A row a split and metric: value, its 95 % interval, the baseline and its name."""
    has_intervals = any(
        entry.get("low") is not None
        for metrics in manifest["metrics"].values()
        for entry in metrics.values()
    )
    rows = []
    for split, metrics in manifest["metrics"].items():
        for number, (name, entry) in enumerate(metrics.items()):
            interval = None
            if entry.get("low") is not None:
                interval = f"{entry['low']:.3g} to {entry['high']:.3g}"
            rows.append(
                [
                    "" if number else split,
                    name,
                    entry["value"],
                    *([interval] if has_intervals else []),
                    entry.get("baseline"),
                    entry.get("baseline_name"),
                ]
            )
    columns = ["split", "metric", Column("value"), "95 % interval", "baseline", "baseline is"]
    if not has_intervals:
        columns.remove("95 % interval")
    return Table(columns, rows)


def _heading(manifest: Mapping[str, Any]) -> str:
    macs = manifest.get("macs")  # none where the file that they are counted in could not be made
    cost = f"{macs['value']:,} multiply-accumulates a {macs['per']}, " if macs else ""
    facts = (
        f"{manifest['parameters']:,} parameters, {cost}{size_mb(manifest):.2f} MB; created "
        f"{manifest['created'][:10]}."
    )
    lines = [f"{manifest['name']}: {manifest['task']}", ""]
    for text in [*manifest.get("warnings", ()), manifest["description"]]:
        lines += _wrapped(text)
    if manifest.get("classes"):
        lines += _wrapped(f"Classes: {', '.join(manifest['classes'])}.")
    return "\n".join([*lines, *_wrapped(facts), *_wrapped(f"Licence: {manifest['licence']}")])


def _signature(endpoint: str, signature: Mapping[str, Any]) -> str:
    """Inputs and outputs of an endpoint; next states are left out, they are as the states."""
    inputs, outputs = signature["inputs"], signature["outputs"]
    states = [name for name in inputs if f"{name}_next" in outputs]
    rows = [["in", name, *_tensor(tensor)] for name, tensor in inputs.items()]
    for name, tensor in outputs.items():
        if name.removesuffix("_next") not in states:
            rows.append(["out", name, *_tensor(tensor)])
    text = Table([endpoint, "tensor", "shape", "unit", "meaning"], rows).text().rstrip()
    if states:
        text += f"\nStates ({', '.join(states)}): each step returns NAME_next, the next NAME."
    return text


def _tensor(tensor: Mapping[str, Any]) -> tuple[str, str, str]:
    """Shape, unit and meaning; the units of features that differ stand in the meaning."""
    shape = ", ".join("any" if size is None else str(size) for size in tensor["shape"])
    features = tensor.get("features") or []
    units = sorted({each["unit"] for each in features}) or [tensor["unit"]]
    if len(features) < 2:
        meaning = tensor["meaning"]
    elif len(units) == 1:
        meaning = ", ".join(each["name"] for each in features)
    else:
        meaning = ", ".join(f"{each['name']} [{each['unit']}]" for each in features)
        units = [""]
    return f"({shape})", units[0], textwrap.shorten(meaning, MEANING_WIDTH, placeholder=" ...")


def _files(manifest: Mapping[str, Any]) -> Table:
    """A row a format: endpoint, weights, size, largest difference from the trained model."""
    rows = []
    for entry in manifest["formats"].values():
        file = manifest["files"].get(entry["file"])
        size = file["bytes"] if file else _folder_bytes(manifest, entry["file"])
        worst = max(entry["worst_difference"].values())
        rows.append([entry["file"], entry["endpoint"], entry["weights"], size / 1e3, worst])
    return Table(
        [
            *("file", "endpoint", "weights"),
            Column("size", "kB", ",.0f"),
            Column("largest difference", number=".1e"),
        ],
        rows,
    )


def _folder_bytes(manifest: Mapping[str, Any], folder: str) -> int:
    files = manifest["files"].items()
    return sum(entry["bytes"] for name, entry in files if name.startswith(f"{folder}/"))


def _limits(manifest: Mapping[str, Any]) -> Iterator[str]:
    if manifest["limits"]:
        yield "Limits"
    for limit in manifest["limits"]:
        yield textwrap.fill(limit, WIDTH, initial_indent="- ", subsequent_indent="  ")


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH)
