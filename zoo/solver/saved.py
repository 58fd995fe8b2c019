"""The step of a saved model as a program."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from zoo.edge.runtime import quiet
from zoo.solver.program import MAX_NAME, Program
from zoo.solver.trace import trace_function


@quiet()
def trace_saved_step(manifest: Mapping[str, Any], step: Callable[..., Any]) -> Program:
    """Trace the endpoint `step` of a saved model.

    Args:
        manifest: of the model.
        step: the endpoint: takes tensors by name.

    Returns:
        A program with the name of the model, of letters, digits and _.

    Raises:
        ValueError: not a model of strain, rate and time step.
    """
    program = trace_function(
        lambda tensors: step(**tensors),
        {
            name: each["shape"][-1]
            for name, each in manifest["signatures"]["step"]["inputs"].items()
        },
        program_name(manifest),
    )
    return with_manifest(program, manifest)


def program_name(manifest: Mapping[str, Any]) -> str:
    """The name of a saved model as an identifier: letters, digits and _, a letter first."""
    name = re.sub(r"\W", "_", manifest["name"], flags=re.ASCII)
    return (name if name[:1].isalpha() else f"model_{name}")[:MAX_NAME]


def with_manifest(program: Program, manifest: Mapping[str, Any]) -> Program:
    """The program with what a manifest says of its training.

    Args:
        program: of the model.
        manifest: of the model: shortest and longest time step, names and units of loading and
            response.
    """
    signature = manifest["signatures"]["step"]
    features = signature["inputs"]["x"].get("features")
    if features and features[0]["name"] not in ("strain", "stretch"):
        prediction = signature["outputs"]["prediction"]
        name = str(prediction["meaning"]).split(" at ")[0]
        program.loading = _comment(features[0]["name"]), _comment(features[0]["unit"])
        program.response = _comment(name), _comment(prediction["unit"])
    steps = (manifest.get("trained_range") or {}).get("dt_s")
    if steps:
        program.shortest_step_s, program.longest_step_s = float(steps[0]), float(steps[1])
    return program


def _comment(text: str) -> str:
    """A foreign text as a part of a comment: it ends no line and continues none."""
    return re.sub(r"[^A-Za-z0-9 /().^*%-]", "_", str(text))[:40]
