"""Entries of the manifest of a saved model: what its author states, and what was measured."""

import importlib.metadata
import platform
import re
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

LICENCE = "Apache-2.0"  # of this package and of the weights made with it
AFTER_STEP = ", after the step"  # ends the meaning of a state that a step returns
_SPDX = re.compile(r"[A-Za-z0-9.+-]+( (AND|OR|WITH) [A-Za-z0-9.+-]+)*")


@dataclass(frozen=True)
class About:
    """What the author of a model states of it.

    Attributes:
        name: of the folder, such as "hysteresis-lstm".
        task: one line, such as "stress history of a hysteretic material".
        description: a sentence or two for a stranger.
        quantities: tensor name -> its quantity, or one for each feature on the last axis. A state
            is named once; `hidden_0_next` follows from `hidden_0`.
        metrics: split -> metric -> {"value", "baseline", "baseline_name"}; the first one is the
            main metric.
        limits: what the model must not be used for, what it was not tested on.
        data_licence: licence and origin of the training data, one sentence or clause.
        provenance: command or method that made the model, one sentence.
        licence: of the weights, an SPDX expression.
        training: seed, data, epochs, seconds and the like.
        settings: further entries of the manifest: material, front_end, classes.
        warnings: what stands first on the card: training interrupted, worse than its baseline.
    """

    name: str
    task: str
    description: str
    quantities: Mapping[str, Sequence[Quantity]]
    metrics: Mapping[str, Mapping[str, Mapping[str, Any]]]
    limits: Sequence[str]
    data_licence: str
    provenance: str
    licence: str = LICENCE
    training: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    warnings: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not _SPDX.fullmatch(self.licence):
            raise ValueError(
                "`licence` must be an SPDX expression, such as 'Apache-2.0' or "
                f"'LicenseRef-research-only'. Received: {self.licence!r}."
            )


def tensor_entry(
    about: About, name: str, shape: Sequence[int | None], dtype: str
) -> dict[str, Any]:
    """Entry of one input or output: shape (None: any), dtype, unit, meaning, and its features.

    Args:
        about: its `quantities` describe the tensor.
        name: of the tensor.
        shape: with the batch axis.
        dtype: such as "float32".

    Raises:
        ValueError: if `about.quantities` does not describe it.
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
        entry["meaning"] += AFTER_STEP
    if len(quantities) > 1:
        entry["features"] = [
            {
                "name": each.name,
                "unit": each.unit,
                "meaning": each.meaning,
                **({"aliases": list(each.aliases)} if each.aliases else {}),
            }
            for each in quantities
        ]
    return entry


def read_quantities(
    signatures: Mapping[str, Mapping[str, Mapping[str, Any]]],
) -> dict[str, tuple[Quantity, ...]]:
    """The quantities that a manifest's signatures were written from, by tensor name.

    Args:
        signatures: entry of that name of a manifest.
    """
    quantities = {}
    for signature in signatures.values():
        for name, entry in {**signature["inputs"], **signature["outputs"]}.items():
            if name.endswith("_next"):
                continue
            features = entry.get("features") or [{"name": name, **entry}]
            quantities[name] = tuple(
                Quantity(
                    each["name"], each["unit"], each["meaning"], tuple(each.get("aliases", ()))
                )
                for each in features
            )
    return quantities


def build_manifest(about: About, measured: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest without its `files`.

    Args:
        about: what the author states.
        measured: `signatures`, `parameters`, `macs`, `golden`, `formats`, and `limits` that were
            found while exporting.
    """
    return {
        "format": FORMAT,
        "name": about.name,
        "task": about.task,
        "description": about.description,
        **({"warnings": list(about.warnings)} if about.warnings else {}),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        **measured,
        **about.settings,
        "training": dict(about.training),
        "metrics": about.metrics,
        "limits": [*about.limits, *measured.get("limits", ())],
        "licence": about.licence,
        "data_licence": about.data_licence,
        "provenance": about.provenance,
    }


def versions() -> dict[str, str | None]:
    """Versions of Python, of the packages that write the files, and of this one.

    `zoo commit` is None outside a git work tree.
    """
    packages = ("tensorflow", "keras", "numpy", "ai-edge-litert")
    return {
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in packages},
        "zoo": zoo.__version__,
        "zoo commit": _commit(),
    }


def _commit() -> str | None:
    """Commit of this package's own work tree, marked "-dirty" where its code differs from it."""

    def git(*words: str) -> str:
        command = ["git", "-C", str(ROOT), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")) != ROOT:
            return None
        commit = git("rev-parse", "--short=12", "HEAD")
        # but for the seals, which publishing a model writes
        code = ("zoo", "recipes", "pyproject.toml", ":!zoo/shipped.json")
        changed = git("status", "--porcelain", "--", *code)
    except (OSError, subprocess.CalledProcessError):
        return None
    return f"{commit}-dirty" if changed else commit
