"""CARD.md: a manifest as a Markdown page."""

from collections.abc import Iterator, Mapping
from typing import Any

from zoo.edge.counting import COUNTED
from zoo.report.table import escape_markdown

# Titles of sections of name and value; the entry has the title in lower case, with underscores.
SECTIONS = (
    *("Operating point", "Input contract"),
    *("Material", "Constants", "Trained range", "Training"),
)


def card_text(manifest: Mapping[str, Any]) -> str:
    """Markdown with the description, metrics, limits, files and signatures of a saved model.

    Args:
        manifest: of the model; every number on the card is in it.
    """
    return "\n".join(_lines(_encoded(manifest))) + "\n"


def _encoded(value: Any) -> Any:
    """The same entries, each text one line of Markdown that ends no cell and holds no HTML."""
    if isinstance(value, str):
        return escape_markdown(value, in_cell=True)
    if isinstance(value, Mapping):
        return {_encoded(name): _encoded(each) for name, each in value.items()}
    return [_encoded(each) for each in value] if isinstance(value, list | tuple) else value


def _lines(m: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {m['name']}"
    for warning in m.get("warnings", ()):
        yield ""
        yield f"**{warning}**"
    yield ""
    yield m["description"]
    yield ""
    macs = m.get("macs")  # none where the file that they are counted in could not be made
    cost = f", {macs['value']:,} multiply-accumulates per {macs['per']} ({COUNTED})" if macs else ""
    yield f"Task: {m['task']}. {m['parameters']:,} parameters{cost}. {_dates(m)}"
    yield ""
    yield "## Metrics"
    yield ""
    yield from _metrics(m["metrics"])
    yield ""
    yield "## Limits: what it must not be used for, and what was not tested"
    yield ""
    yield from (f"- {limit}" for limit in m["limits"])
    yield ""
    yield from _files(m)
    if m.get("certificate"):
        yield ""
        yield "## Certificate"
        yield ""
        yield from _certificate(m["certificate"])
    for title in SECTIONS:
        key = title.lower().replace(" ", "_")
        if m.get(key):
            yield ""
            yield f"## {title}"
            yield ""
            yield from (f"- {name.replace('_', ' ')}: {_value(v)}" for name, v in m[key].items())
    yield ""
    yield "## Licence and origin"
    yield ""
    yield f"Weights: {m['licence']}. Data: {m['data_licence']}"
    yield ""
    yield m["provenance"]


def _files(m: Mapping[str, Any]) -> Iterator[str]:
    """Formats and signatures."""
    yield "## Formats"
    yield ""
    yield (
        "Each was opened in a fresh process without the package that trained it, run on the "
        "inputs in golden.npz, and its outputs compared with those of the trained model. Step "
        "models were run in closed loop, their states fed back."
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


def _dates(m: Mapping[str, Any]) -> str:
    """When and with which versions the model was trained and exported."""
    exported = f"{m['created']} with {_tools(m['versions'])}"
    if "trained" not in m:
        return f"Trained and exported {exported}."
    trained = m["trained"]
    before = f"{trained['created']} with {_tools(trained['versions'])}"
    return f"Trained {before}; exported again {exported}."


def _tools(versions: Mapping[str, Any]) -> str:
    return f"zoo {versions['zoo']}, Keras {versions['keras']}, TensorFlow {versions['tensorflow']}"


def _metrics(metrics: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Iterator[str]:
    yield "| split | metric | value | baseline | what the baseline is |"
    yield "|---|---|---:|---:|---|"
    has_intervals = False
    for split, figures in metrics.items():
        for metric, figure in figures.items():
            value = _value(figure["value"])
            if figure.get("low") is not None:
                value = _value(figure)
                has_intervals = True
            baseline = _value(figure.get("baseline")), figure.get("baseline_name") or ""
            yield f"| {' | '.join((split, metric, value, *baseline))} |"
    if has_intervals:
        yield ""
        yield "In brackets: 95 % interval, by bootstrap over whole groups."


def _certificate(checks: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield "| check | value | allowed | |"
    yield "|---|---:|---:|---|"
    for name, check in checks.items():
        result = {True: "pass", False: "fail", None: "skipped"}[check["passed"]]
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
        if loop := entry.get("closed_loop"):
            yield ""
            yield (
                f"{entry['file']}: over {loop['steps']:,} steps in closed loop the RMS difference "
                f"is {loop['rms_share']:.1%} of the RMS."
            )
        if entry.get("carried_over"):
            yield ""
            yield f"{entry['file']} was taken over from the export before, not converted again."


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
    if isinstance(value, Mapping) and {"value", "low", "high"} <= set(value):
        return f"{_value(value['value'])} ({_value(value['low'])} to {_value(value['high'])})"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_value(each)}" for name, each in value.items())
    return str(value)
