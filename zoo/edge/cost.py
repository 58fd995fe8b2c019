"""What a TFLite model costs: counted in its graph, timed on one thread of this machine."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.edge import counting, graph, latency
from zoo.edge.folder import sample_rate_hz, step_file
from zoo.edge.microcontroller import has_kernel
from zoo.manifest import read_manifest, verified_bytes


@dataclass(frozen=True)
class Cost:
    """What a TFLite model costs.

    Attributes:
        file: what was measured.
        file_bytes: its size.
        weights_bytes: its constants.
        state_bytes: what a step hands on to the next.
        arena_bytes: everything between, as `zoo.edge.counting.arena_bytes` plans it.
        macs: multiply-accumulates of a step.
        uncounted: operations whose products are not in `macs`.
        hop_s: sound that a step is for [s]; None: the model has no rate.
        macs_per_s: macs / hop_s.
        operations: name -> how many.
        missing: those that TensorFlow Lite Micro has no kernel for.
        steps: how many were timed, on one thread.
        p50_s: median time that a step takes of the processor [s].
        p99_s: 99 of 100 take at most this [s].
        worst_s: the longest [s].
        elapsed_p99_s: what passes during 99 of 100 steps at most, waiting for a busy machine
            included [s].
        p99_share_of_hop: p99_s / hop_s.
        real_time_factor: mean time of a step, waiting included, over hop_s.
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
    steps: int
    p50_s: float
    p99_s: float
    worst_s: float
    elapsed_p99_s: float
    p99_share_of_hop: float | None
    real_time_factor: float | None


def cost_of(
    path: str | Path, *, weights: str = "float32", hop_s: float | None = None, steps: int = 10_000
) -> Cost:
    """Count and time a model.

    Args:
        path: a model folder, whose step file is verified first, or any TFLite file.
        weights: of the step file of a folder.
        hop_s: of a file; a folder's manifest says it.
        steps: to time.

    Raises:
        ValueError: not a model, or one that cannot be run.
    """
    path = Path(path)
    if not path.is_dir():
        if not path.is_file():
            raise ValueError(f"{path}: no such file. Expected a TFLite file or a model folder.")
        return measured(path.read_bytes(), str(path), hop_s, steps)
    manifest = read_manifest(path)
    file = step_file(manifest, weights)
    content = verified_bytes(path, manifest, file)
    if hop_s is None and "front_end" in manifest:
        model = graph.read(content, file)
        samples = model.tensors[model.inputs[model.main_input]].shape[-1]
        hop_s = samples / sample_rate_hz(manifest)
    return measured(content, str(path / file), hop_s, steps)


def measured(content: bytes, file: str, hop_s: float | None, steps: int) -> Cost:
    """Cost of the bytes of a TFLite file."""
    model = graph.read(content, file)
    took, elapsed = latency.measure(content, file, steps).T
    macs = counting.multiply_accumulates(model)
    p50_s, p99_s, worst_s = (float(np.quantile(took, q)) for q in (0.5, 0.99, 1.0))
    return Cost(
        file=file,
        file_bytes=len(content),
        weights_bytes=model.weights,
        state_bytes=counting.state_bytes(model),
        arena_bytes=counting.arena_bytes(model),
        macs=macs,
        uncounted=tuple(counting.uncounted(model)),
        hop_s=hop_s,
        macs_per_s=hop_s and macs / hop_s,
        operations=dict(Counter(operator.name for operator in model.operators)),
        missing=tuple(kind for kind in model.kinds if not has_kernel(kind)),
        steps=steps,
        p50_s=p50_s,
        p99_s=p99_s,
        worst_s=worst_s,
        elapsed_p99_s=float(np.quantile(elapsed, 0.99)),
        p99_share_of_hop=hop_s and p99_s / hop_s,
        real_time_factor=hop_s and float(elapsed.mean()) / hop_s,
    )
