"""The manifest: what a saved model says of itself, and the contract with every app."""

import importlib.metadata
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import zoo
from zoo.data.split import Quantity
from zoo.export.children import ROOT
from zoo.manifest import FORMAT


@dataclass(frozen=True)
class About:
    """What is said of a model besides what can be read off it.

    Attributes:
        name: of the folder, such as "hysteresis-lstm".
        task: one line, such as "stress history of a hysteretic material".
        description: a sentence or two for a stranger.
        quantities: tensor name -> what it holds: one entry, or one for each feature on the last
            axis. A state is named once; `hidden_0_next` follows from `hidden_0`.
        metrics: split -> metric -> {"value", "baseline", "baseline_name"}; the first one is the
            headline.
        limits: what the model must not be used for, what it was not tested on.
        training: seed, data, epochs, seconds and the like.
        settings: further entries of the manifest: material, front_end, classes.
        licence: of weights and data.
        provenance: where the data came from and what made the model.
    """

    name: str
    task: str
    description: str
    quantities: Mapping[str, Sequence[Quantity]]
    metrics: Mapping[str, Mapping[str, Mapping[str, Any]]]
    limits: Sequence[str]
    licence: str
    provenance: str
    training: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


def tensor(about: About, name: str, shape: Sequence[int | None], dtype: str) -> dict[str, Any]:
    """Entry of one input or output: shape (None: any), dtype, unit, meaning, and its features.

    Raises:
        ValueError: if `about.quantities` does not say what it holds.
    """
    state = name.removesuffix("_next")
    quantities = about.quantities.get(name) or about.quantities.get(state)
    if not quantities or len(quantities) not in (1, shape[-1]):
        raise ValueError(
            f"`quantities` must describe {name!r}, of shape {tuple(shape)}, as a whole or each of "
            f"its features. Received: {[each.name for each in quantities or ()]}."
        )
    entry = {
        "shape": list(shape),
        "dtype": dtype,
        "unit": ", ".join(each.unit for each in quantities),
        "meaning": "; ".join(each.meaning for each in quantities),
    }
    if state != name:
        entry["meaning"] += ", after the step"
    if len(quantities) > 1:
        entry["features"] = [
            {"name": each.name, "unit": each.unit, "meaning": each.meaning} for each in quantities
        ]
    return entry


def versions() -> dict[str, str | None]:
    """Versions of all that had a hand in it; the commit is None outside a git work tree."""
    packages = ("tensorflow", "keras", "numpy", "ai-edge-litert")
    return {
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in packages},
        "zoo": zoo.__version__,
        "zoo commit": _commit(),
    }


def _commit() -> str | None:
    """Commit of this package's own work tree, marked where its code differs from it."""
    ask = ["git", "-C", str(ROOT)]

    def answer(*words: str) -> str:
        done = subprocess.run([*ask, *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        if Path(answer("rev-parse", "--show-toplevel")) != ROOT:
            return None
        commit = answer("rev-parse", "--short=12", "HEAD")
        changed = answer("status", "--porcelain", "--", "zoo", "recipes", "requirements.txt")
    except (OSError, subprocess.CalledProcessError):
        return None
    return f"{commit}-dirty" if changed else commit


def build(about: About, **measured: Any) -> dict[str, Any]:
    """The manifest without its `files`: what is said, and what was measured."""
    return {
        "format": FORMAT,
        "name": about.name,
        "task": about.task,
        "description": about.description,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        **measured,
        **about.settings,
        "training": dict(about.training),
        "metrics": about.metrics,
        "limits": [*about.limits, *measured.get("limits", ())],
        "licence": about.licence,
        "provenance": about.provenance,
    }
