"""CARD.md: a manifest as a page for people."""

from collections.abc import Iterator, Mapping
from typing import Any


def text(manifest: Mapping[str, Any]) -> str:
    """Markdown of what a model is, how good it is, what it must not be used for, how to call it.

    Args:
        manifest: from `zoo.export.manifest.build`; every number on the card stands in it.
    """
    return "\n".join(_lines(manifest)) + "\n"


def _lines(m: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {m['name']}"
    yield ""
    yield m["description"]
    yield ""
    macs = m["macs"]
    yield (
        f"Task: {m['task']}. {m['parameters']:,} parameters, {macs['value']:,} "
        f"multiply-accumulates a {macs['per']}. Made {m['created']} with Keras "
        f"{m['versions']['keras']} and TensorFlow {m['versions']['tensorflow']}."
    )
    yield ""
    yield "## How good it is"
    yield ""
    yield from _metrics(m["metrics"])
    yield ""
    yield "## What it must not be used for, and what was not tested"
    yield ""
    yield from (f"- {limit}" for limit in m["limits"])
    yield ""
    yield "## Formats"
    yield ""
    yield (
        "Each was opened in a fresh process that has none of the package that trained it, given "
        "the inputs in golden.npz, and its answers held against those of the trained model. The "
        "step models were run in closed loop, their states fed back."
    )
    yield ""
    yield from _formats(m["formats"])
    for endpoint, signature in m["signatures"].items():
        yield ""
        yield f"## `{endpoint}`"
        yield ""
        yield from _signature(signature)
        if endpoint == "step":
            yield ""
            yield "States are zero before the first step; give each NAME_next back as NAME."
    if m.get("certificate"):
        yield ""
        yield "## Certificate"
        yield ""
        yield from _certificate(m["certificate"])
    titles = ("Material", "Constants", "Trained range", "Training")
    for title, key in ((title, title.lower().replace(" ", "_")) for title in titles):
        if m.get(key):
            yield ""
            yield f"## {title}"
            yield ""
            yield from (f"- {name.replace('_', ' ')}: {_value(v)}" for name, v in m[key].items())
    yield ""
    yield "## Licence and origin"
    yield ""
    yield f"{m['licence']} {m['provenance']}"


def _metrics(metrics: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Iterator[str]:
    yield "| split | metric | value | baseline | what the baseline is |"
    yield "|---|---|---:|---:|---|"
    doubt = False
    for split, figures in metrics.items():
        for metric, figure in figures.items():
            value = _value(figure["value"])
            if figure.get("low") is not None:
                value += f" ({_value(figure['low'])} to {_value(figure['high'])})"
                doubt = True
            judged = _value(figure.get("baseline")), figure.get("baseline_name") or ""
            yield f"| {' | '.join((split, metric, value, *judged))} |"
    if doubt:
        yield ""
        yield "In brackets: 95 % interval, by bootstrap over whole groups."


def _certificate(checks: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield "| check | value | allowed | |"
    yield "|---|---:|---:|---|"
    for name, check in checks.items():
        result = {True: "pass", False: "fail", None: "not judged"}[check["passed"]]
        yield f"| {name} | {_value(check['value'])} | {_value(check['threshold'])} | {result} |"


def _formats(formats: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield "| file | endpoint | weights | worst difference | RMS difference, share of RMS |"
    yield "|---|---|---|---:|---:|"
    for entry in formats.values():
        worst = next(iter(entry["worst_difference"].values()))
        yield (
            f"| {entry['file']} | {entry['endpoint']} | {entry['weights']} | {worst:.1e} | "
            f"{entry['rms_share']:.1e} |"
        )
    for entry in formats.values():
        if entry.get("needs"):
            yield ""
            yield f"{entry['file']} opens after `import {', '.join(entry['needs'])}`."


def _signature(signature: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield "| | name | shape | unit | meaning |"
    yield "|---|---|---|---|---|"
    for side, tensors in (("in", signature["inputs"]), ("out", signature["outputs"])):
        for name, tensor in tensors.items():
            shape = ", ".join("any" if n is None else str(n) for n in tensor["shape"])
            if "features" not in tensor:
                yield f"| {side} | `{name}` | ({shape}) | {tensor['unit']} | {tensor['meaning']} |"
                continue
            yield f"| {side} | `{name}` | ({shape}) | | |"
            for feature in tensor["features"]:
                what = f"`{name}`, {feature['name']}"
                yield f"| | {what} | | {feature['unit']} | {feature['meaning']} |"


def _value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_value(each)}" for name, each in value.items())
    return str(value)
