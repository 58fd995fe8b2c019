"""Compare the cost of a model with a budget: `zoo budget MODEL`."""

import argparse
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from zoo.edge.cost import CLIPS, STEPS, Cost, measure_cost
from zoo.edge.counting import COUNTED
from zoo.edge.history import is_stress_model
from zoo.edge.manifest_entries import is_clip_classifier
from zoo.edge.microcontroller import has_kernel
from zoo.folders import find
from zoo.manifest import read_manifest

HEARING_AID = Path(__file__).with_name("hearing_aid.toml")
CLIP_CLASSIFIER = Path(__file__).with_name("clip_classifier.toml")
STRESS_STEP = Path(__file__).with_name("stress_step.toml")
# Field of Cost -> its title, unit, and factor to the unit.
LIMITS = {
    "hop_s": ("sound a {call}", "ms", 1e3),
    "macs_per_s": ("multiply-accumulates a second", "million", 1e-6),
    "weights_bytes": ("weights", "kB", 1e-3),
    "state_bytes": ("state", "kB", 1e-3),
    "arena_bytes": ("arena, at least", "kB", 1e-3),
    "micro_arena_bytes": ("arena, TFLite Micro", "kB", 1e-3),
    "file_bytes": ("file", "kB", 1e-3),
    "p99_s": ("a {call}, 99 %", "ms", 1e3),
    "p99_share_of_hop": ("the same, share of its sound", "%", 100),
}


def read_budget(path: Path) -> dict[str, float]:
    """Upper limits of costs by name, from a TOML or JSON file.

    Args:
        path: of the file; its names are those of `LIMITS`.

    Raises:
        ValueError: not such a file, or a cost that is not among `LIMITS`.
    """
    if not path.is_file():
        raise ValueError(f"{path}: no such file. Expected a budget in TOML or JSON.")
    try:
        text = path.read_text(encoding="utf-8")
        limits = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        numbers = {name: float(value) for name, value in limits.items()}
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path}: expected numbers by name in TOML or JSON: {error}.") from None
    unknown = sorted(set(numbers) - set(LIMITS))
    if unknown:
        raise ValueError(
            f"{path}: no such cost: {', '.join(unknown)}. There are: {', '.join(LIMITS)}."
        )
    return numbers


def default_budget(model: Path, hop_s: float | None = None) -> Path | None:
    """The budget that fits a model: of a hearing aid, of clips, of steps of stress, or None.

    Args:
        model: its folder, or a TFLite file.
        hop_s: length of sound per step of a file [s]; None: it is not known to be of sound.

    Raises:
        ValueError: a folder without a manifest.
    """
    if not model.is_dir():
        return None if hop_s is None else HEARING_AID
    manifest = read_manifest(model)
    if "front_end" not in manifest:
        return STRESS_STEP if is_stress_model(manifest) else None
    return CLIP_CLASSIFIER if is_clip_classifier(manifest) else HEARING_AID


def check_budget(cost: Cost, budget: Mapping[str, float]) -> dict[str, bool]:
    """Whether each cost is within its limit; one that is unknown or not fully counted is not.

    Args:
        cost: of a model, from `measure_cost`.
        budget: name of a cost -> its limit.

    Returns:
        Name of a cost -> whether it is within the limit.
    """
    kept: dict[str, bool] = {}
    for name, limit in budget.items():
        value: float | None = getattr(cost, name)
        if value is None or (name == "macs_per_s" and cost.uncounted):
            kept[name] = False
        else:
            kept[name] = value <= limit * (1 + 1e-9)
    return kept


def format_costs(cost: Cost, budget: Mapping[str, float]) -> str:
    """Costs beside their limits as text, one a line, then latency and operations."""
    kept = check_budget(cost, budget)
    lines = [cost.file, "", f"{'':<32}{'is':>10}{'at most' if budget else '':>10}".rstrip()]
    for name, (title, unit, factor) in LIMITS.items():
        value, limit = getattr(cost, name), budget.get(name)
        if value is None and limit is None:  # of sound, where the model is of something else
            continue
        shown = "?" if value is None else f"{value * factor:.3g}"
        allowed = "" if limit is None else f"{limit * factor:.3g}"
        verdict = {None: "", True: "pass", False: "FAIL" if value else "unknown"}[kept.get(name)]
        title = title.format(call=cost.call)
        lines.append(f"{title:<32}{shown:>10}{allowed:>10} {unit:<8}{verdict}".rstrip())
    factor = cost.real_time_factor
    lines += [
        "",
        f"{cost.macs:,} multiply-accumulates a {cost.call}: {COUNTED}"
        + (f", not counting {', '.join(cost.uncounted)}" if cost.uncounted else ""),
        f"{cost.steps:,} {cost.call}s on one thread: median {1e6 * cost.p50_s:.0f} µs, 99 % "
        f"{1e6 * cost.p99_s:.0f} µs, worst {1e6 * cost.worst_s:.0f} µs of processor time"
        f" ({1e6 * cost.elapsed_p99_s:.0f} µs elapsed, 99 %)"
        + (f"; real-time factor {factor:.2g}" if factor is not None else ""),
        "",
        f"TensorFlow Lite Micro: {describe_micro(cost)}",
        "",
        "operation                    how many  on a microcontroller",
    ]
    for name, count in sorted(cost.operations.items()):
        lines.append(f"{name:<29}{count:>8}  {'yes' if has_kernel(name) else 'no'}")
    inner = [name for name in cost.missing if name not in cost.operations]
    lines += [f"{name:<29}{'in a loop':>8}  no" for name in inner]
    return "\n".join(lines)


def describe_micro(cost: Cost) -> str:
    """Whether the interpreter of microcontrollers runs the file, in words."""
    if cost.obstacles:
        return f"does not run it: {', '.join(cost.obstacles)}"
    if cost.micro_arena_bytes is None:
        return "no obstacle known; install tflite-micro to run it and to measure its arena"
    return f"runs it, in an arena of {cost.micro_arena_bytes:,} bytes on this machine"


def main(arguments: list[str], prog: str = "zoo-edge budget") -> int:
    """Print the cost of a model beside a budget.

    Args:
        arguments: words of the command line.
        prog: name of the command in its help.

    Returns:
        Exit code: 1 if a limit is not kept.

    Raises:
        ValueError: a model or a budget that cannot be read.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Bytes, multiply-accumulates, operations and latency of a TFLite model, "
        "beside a budget. Exit code 1: over the budget.",
    )
    parser.add_argument(
        "model", metavar="MODEL", help="name of a saved model, its folder, or a TFLite file"
    )
    parser.add_argument(
        "--budget",
        type=Path,
        help="TOML or JSON file (default: of a model that streams sound that of a hearing aid, of "
        "one that classifies clips that of DCASE 2022 task 1, of a stress model a millisecond a "
        "time step, of others none)",
    )
    parser.add_argument("--weights", default="float32", help="precision of the file (%(default)s)")
    parser.add_argument(
        "--hop", type=float, metavar="SECONDS", help="duration of a step of a TFLite file"
    )
    parser.add_argument(
        "--steps", type=int, help=f"steps or clips to time ({STEPS:,} steps, {CLIPS} clips)"
    )
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    options = parser.parse_args(arguments)
    if options.steps is not None and options.steps < 1:
        raise ValueError(f"--steps must be 1 or more. Received: {options.steps}.")
    model = find(options.model)
    file = options.budget or default_budget(model, options.hop)
    budget = {} if file is None else read_budget(file)
    cost = measure_cost(model, weights=options.weights, hop_s=options.hop, steps=options.steps)
    kept = check_budget(cost, budget)
    if options.json:
        facts: dict[str, Any] = {**asdict(cost), "budget": budget, "kept": kept}
        print(json.dumps(facts, indent=1))
    else:
        print(format_costs(cost, budget))
    return 0 if all(kept.values()) else 1
