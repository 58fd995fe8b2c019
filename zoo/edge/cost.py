"""Cost of a TFLite model: memory and multiply-accumulates of its graph, latency on this machine."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from zoo.edge import counting, graph, latency, micro
from zoo.edge.manifest_entries import (
    clip_file_name,
    is_clip_classifier,
    sample_rate_hz,
    step_file_name,
)
from zoo.edge.microcontroller import has_kernel, obstacles
from zoo.manifest import read_manifest, verified_bytes

STEPS, CLIPS = 10_000, 200  # calls to time, of a model that takes steps and of one that takes clips


@dataclass(frozen=True)
class Cost:
    """Cost of a TFLite model; times are of one thread.

    A call is a step of a model that takes steps, and a whole clip of a classifier of clips.

    Attributes:
        file: path that was measured.
        file_bytes: its size.
        weights_bytes: of its constants.
        state_bytes: of the states that a step passes to the next.
        arena_bytes: of inputs, outputs and intermediate tensors, see `counting.arena_bytes`.
        macs: multiply-accumulates of a call.
        uncounted: operations whose products are not in `macs`.
        hop_s: length of sound per call [s]; None: the model has no sample rate.
        macs_per_s: macs / hop_s.
        operations: name -> count.
        missing: operations without a kernel in TensorFlow Lite Micro.
        obstacles: why TensorFlow Lite Micro does not run it; empty: it does.
        micro_arena_bytes: that its interpreter took in the package tflite-micro; None: it does not
            run, or the package is not installed.
        steps: number of calls that were timed.
        p50_s: median processor time of a call [s].
        p99_s: 99th percentile of it [s].
        worst_s: maximum of it [s].
        elapsed_p99_s: 99th percentile of the elapsed time, waiting for a busy machine included
            [s].
        p99_share_of_hop: p99_s / hop_s.
        real_time_factor: mean elapsed time of a call over hop_s.
        call: what a call takes, "step" or "clip".
    """

    file: str
    file_bytes: int
    weights_bytes: int
    state_bytes: int
    arena_bytes: int
    macs: int
    uncounted: tuple[str, ...]
    hop_s: float | None
    macs_per_s: float | None
    operations: Mapping[str, int]
    missing: tuple[str, ...]
    obstacles: tuple[str, ...]
    micro_arena_bytes: int | None
    steps: int
    p50_s: float
    p99_s: float
    worst_s: float
    elapsed_p99_s: float
    p99_share_of_hop: float | None
    real_time_factor: float | None
    call: str = "step"


def measure_cost(
    path: str | Path,
    *,
    weights: str = "float32",
    hop_s: float | None = None,
    steps: int | None = None,
) -> Cost:
    """Count and time a call of a model: a step, or a clip where it classifies whole clips.

    Args:
        path: a model folder, whose file is verified first, or any TFLite file.
        weights: of the file of a folder.
        hop_s: length of sound per call of a file [s]; that of a folder is in its manifest.
        steps: calls to time; None: `STEPS`, of a classifier of clips `CLIPS`.

    Raises:
        ValueError: not a model, one that cannot be run, or a length that is not above 0.
    """
    if hop_s is not None and not 0 < hop_s < math.inf:
        raise ValueError(f"--hop must be a length of sound above 0 s. Received: {hop_s}.")
    path = Path(path)
    if not path.is_dir():
        if not path.is_file():
            raise ValueError(f"{path}: no such file. Expected a TFLite file or a model folder.")
        return measure_bytes(path.read_bytes(), str(path), hop_s, steps or STEPS)
    manifest = read_manifest(path)
    is_clip = is_clip_classifier(manifest)
    file = (clip_file_name if is_clip else step_file_name)(manifest, weights)
    content = verified_bytes(path, manifest, file)
    if hop_s is None and "front_end" in manifest:
        model = graph.read(content, file)
        samples = model.tensors[model.inputs[model.main_input]].shape[-1]
        hop_s = samples / sample_rate_hz(manifest)
    cost = measure_bytes(content, str(path / file), hop_s, steps or (CLIPS if is_clip else STEPS))
    return replace(cost, call="clip" if is_clip else "step")


def measure_bytes(content: bytes, file: str, hop_s: float | None, steps: int) -> Cost:
    """Count and time a step of a TFLite file given by its content.

    Args:
        content: bytes of the file.
        file: its name.
        hop_s: length of sound per step [s]; None: the model has no sample rate.
        steps: to time.

    Raises:
        ValueError: not a model, or one that cannot be run.
    """
    model = graph.read(content, file)
    times_s = latency.measure(content, file, steps)
    processor_s, elapsed_s = times_s[:, 0], times_s[:, 1]
    macs = counting.multiply_accumulates(model)
    p50_s, p99_s, worst_s = (float(np.quantile(processor_s, q)) for q in (0.5, 0.99, 1.0))
    return Cost(
        file=file,
        file_bytes=len(content),
        weights_bytes=model.weights_bytes,
        state_bytes=counting.state_bytes(model),
        arena_bytes=counting.arena_bytes(model),
        macs=macs,
        uncounted=tuple(counting.uncounted(model)),
        hop_s=hop_s,
        macs_per_s=hop_s and macs / hop_s,
        operations=dict(Counter(operator.name for operator in model.operators)),
        missing=tuple(name for name in model.operator_names if not has_kernel(name)),
        obstacles=obstacles(model),
        micro_arena_bytes=micro.arena_of(content, file),
        steps=steps,
        p50_s=p50_s,
        p99_s=p99_s,
        worst_s=worst_s,
        elapsed_p99_s=float(np.quantile(elapsed_s, 0.99)),
        p99_share_of_hop=hop_s and p99_s / hop_s,
        real_time_factor=hop_s and float(elapsed_s.mean()) / hop_s,
    )
