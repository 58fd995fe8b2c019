"""TFLite files of a model in several precisions, converted and calibrated in a child process."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from zoo.export import children, formats
from zoo.export.formats import STEP, Format


@dataclass(frozen=True)
class Conversion:
    """What is converted.

    Attributes:
        sources: endpoint -> model and the fixed shapes of its inputs.
        files: endpoint and weights of each file.
        examples: (n, ...) inputs to calibrate integers on.
        front: name of the last layer that stays float32 in a file of less precision; None: no
            layer does.
    """

    sources: Mapping[str, tuple[keras.Model, formats.Shapes]]
    files: Sequence[tuple[str, str]]
    examples: np.ndarray
    front: str | None = None


@dataclass(frozen=True)
class Converted:
    """What could be converted.

    Attributes:
        formats: of the files written.
        reasons: file -> why there is none, in one line.
    """

    formats: list[Format]
    reasons: dict[str, str]


def convert_files(work: Path, conversion: Conversion, progress: Callable[[str], None]) -> Converted:
    """Write TFLite files to `work`/new.

    Args:
        work: folder for intermediate files.
        conversion: what is converted.
        progress: takes a line of progress.
    """
    targets = [formats.tflite_format(*each) for each in conversion.files]
    parts = {endpoint: _split(conversion, endpoint) for endpoint in _cut_endpoints(conversion)}
    jobs = [_job(work, conversion, each, parts.get(each.endpoint)) for each in targets]
    replies = children.run_jobs(
        ["-m", "zoo.export.convert"], jobs, lambda job: progress(f"export: {Path(job['out']).name}")
    )
    done, reasons = [], {}
    for each, reply in zip(targets, replies, strict=True):
        if "result" in reply:
            done.append(each)
        else:
            reasons[each.file] = reply["error"]
            (work / "new" / each.file).unlink(missing_ok=True)
    return Converted(done, reasons)


def _cut_endpoints(conversion: Conversion) -> set[str]:
    """Endpoints of files of less precision whose front end stays float32."""
    if conversion.front is None:
        return set()
    return {endpoint for endpoint, weights in conversion.files if weights != "float32"}


def _split(conversion: Conversion, endpoint: str) -> tuple[keras.Model, keras.Model]:
    """Front end and network of an endpoint, copies that all its files share."""
    assert conversion.front is not None  # by `_cut_endpoints`
    return formats.split_model(conversion.sources[endpoint][0], conversion.front)


def _job(
    work: Path,
    conversion: Conversion,
    target: Format,
    parts: tuple[keras.Model, keras.Model] | None,
) -> dict:
    """Job of one file for `zoo.export.convert`; its SavedModels and samples are made once.

    Args:
        work: folder for intermediate files.
        conversion: what is converted.
        target: the file.
        parts: front end and network, if its front end stays float32; else None.
    """
    endpoint = target.endpoint
    whole, shapes = conversion.sources[endpoint]
    network, front = whole, None
    if target.weights != "float32" and parts is not None:
        front, network = parts
    samples = None
    if target.weights in formats.INTEGER:
        samples = _save_samples(work, endpoint, whole, front, conversion.examples)
    return {
        "network": _save_fixed(work / f"{endpoint}_{front is None}", endpoint, network, shapes),
        "front": front and _save_fixed(work / f"{endpoint}_front", endpoint, front, shapes),
        "endpoint": endpoint,
        "weights": target.weights,
        "states": endpoint == STEP,
        "samples": samples,
        "out": str(work / "new" / target.file),
    }


def _save_fixed(path: Path, endpoint: str, model: keras.Model, shapes: formats.Shapes) -> str:
    """A SavedModel with fixed shapes for the converter."""
    if not path.exists():
        own = {name: shape for name, shape in shapes.items() if name in formats.inputs_of(model)}
        signature = formats.input_specs(model, {**formats.one_row(model), **own})
        formats.save_endpoints(path, {endpoint: (model, signature)})
    return str(path)


def _save_samples(
    work: Path,
    endpoint: str,
    model: keras.Model,
    front: keras.Model | None,
    examples: np.ndarray,
) -> str:
    """Inputs to calibrate on; of a step, together with the states on its trajectories.

    Behind a front end they are its outputs.
    """
    path = work / f"{endpoint}_samples.npz"
    if path.exists():
        return str(path)
    values = {formats.main_input(model): examples}
    if endpoint == STEP:
        values = formats.visited_states(model, examples)
    if front is not None:
        inputs = {name: values.pop(name) for name in formats.inputs_of(front)}
        values["features"] = np.asarray(formats.make_caller(front)(inputs)["features"])
    np.savez(path, **values)
    return str(path)
