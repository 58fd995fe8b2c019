"""One call from a Keras model to a checked folder: formats, golden outputs, manifest, card."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo import files
from zoo.edge import counting, graph, micro
from zoo.edge.microcontroller import obstacles
from zoo.export import card, entries, formats
from zoo.export.closed_loop import MAX_INTEGER_SHARE, long_path, measure_closed_loop
from zoo.export.entries import About
from zoo.export.formats import SERVING, STEP, Format
from zoo.export.golden import TOLERANCE, Replayed, replay_formats
from zoo.export.own_outputs import separate_outputs
from zoo.export.select_v2 import use_select_v2
from zoo.export.shared_vectors import share_vectors
from zoo.export.tflite import Conversion, convert_files
from zoo.full_precision import without_tf32
from zoo.manifest import file_entries, write_manifest
from zoo.provenance import record_export
from zoo.targets import check_export_target

# A whole sequence in less than float32 gains nothing: its loop cannot be quantised.
SEQUENCE_FILES = ((SERVING, "float32"), *((STEP, w) for w in formats.WEIGHTS if w != "int16x8"))
CLIP_FILES = tuple((SERVING, weights) for weights in formats.WEIGHTS if weights != "int16x8")


@dataclass(frozen=True)
class Endpoints:
    """Models of one export, all on the same weights.

    Attributes:
        sequence: of one named input; becomes `serving_default`, for any batch (and length).
        step: its one-step twin, if it has states; becomes the endpoint `step`.
        portable: saved as model.keras instead of `sequence`: layers that open without this package.
    """

    sequence: keras.Model
    step: keras.Model | None = None
    portable: keras.Model | None = None


@dataclass(frozen=True)
class ExportOptions:
    """How a model is exported.

    Attributes:
        examples: (n, ...) inputs of training, to calibrate integers on; None: the golden ones.
        files: TFLite files as (endpoint, weights); None: float32 of the sequence and four
            precisions of the step, or four precisions of a model without a step. Multiply-
            accumulates are counted in the float32 file of the step, or else of the sequence.
        front: name of the last layer that stays float32 in files of less precision.
        evaluate: called with the folder once its files are known to be faithful; the metrics that
            it returns join `About.metrics`.
        required: TFLite files without which nothing is written.
        carried: TFLite file -> content to take over instead of a conversion.
        golden_outputs: output -> (cases, ...) recorded before, which the model must still give;
            None: its outputs of today are recorded.
        smaller_integers: leave out step files of integers that are no smaller than float32.
    """

    examples: np.ndarray | None = None
    files: Sequence[tuple[str, str]] | None = None
    front: str | None = None
    evaluate: Callable[[Path], Mapping[str, Any]] | None = None
    required: Sequence[str] = ()
    carried: Mapping[str, bytes] = field(default_factory=dict)
    golden_outputs: Mapping[str, np.ndarray] | None = None
    smaller_integers: bool = False


def write(
    target: str | Path,
    about: About,
    endpoints: Endpoints,
    golden: Mapping[str, np.ndarray],
    options: ExportOptions | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Write `target`: model.keras, serving/, TFLite files, golden.npz, manifest.json, CARD.md.

    A TFLite file that cannot be made, or that gives other outputs than the model, is left out: a
    line of progress and the limits in manifest and card name it and state why.

    Args:
        target: folder: absent, empty, or one that an export wrote, which is replaced as a whole or
            left as it was.
        about: what the author states of the model.
        endpoints: the models.
        golden: name of a case -> input without its batch axis, all of one shape: the shape that the
            TFLite file of the sequence takes.
        options: calibration inputs, choice of files and the like.
        progress: takes a line of progress.

    Returns:
        The manifest.

    Raises:
        ValueError: if `target` holds something else, or the choice of files has no float32 file to
            count multiply-accumulates in.
        RuntimeError: if model.keras, the SavedModel or a required file cannot be made, or gives
            other outputs.
    """
    options = options or ExportOptions()
    check_export_target(target)
    chosen = _chosen_formats(endpoints, options)
    x = np.stack(list(golden.values())).astype(np.float32)
    main, sources = formats.main_input(endpoints.sequence), _sources(endpoints, x)
    examples = x if options.examples is None else np.asarray(options.examples, np.float32)
    converting = [(f.endpoint, f.weights) for f in chosen if f.file not in options.carried]
    conversion = Conversion(sources, converting, examples, options.front)
    with files.replacing_folder(target) as work:
        new = work / "new"
        progress("export: model.keras and SavedModel")
        written = _write_models(new, endpoints, sources)
        outputs = _write_golden(new / "golden.npz", endpoints.sequence, golden, options)
        converted = convert_files(work, conversion, progress)
        carried = [each for each in chosen if each.file in options.carried]
        for each in carried:
            content = separate_outputs(use_select_v2(options.carried[each.file]))
            (new / each.file).write_bytes(share_vectors(content))
        replayed = replay_formats(
            new, [*written, *converted.formats, *carried], main, outputs, progress
        )
        if options.front is None and endpoints.step is not None and x.ndim == 3:
            names = main, next(iter(outputs))
            if options.smaller_integers:
                _leave_out_larger_integers(new, replayed)
            _measure_closed_loop(new, replayed, long_path(examples), names, progress)
        macs = _count(new, endpoints)
        for file in replayed.dropped:
            (new / file).unlink()
        _note_microcontroller(new, replayed.entries)
        for file in {each.file for each in carried} & replayed.entries.keys():
            replayed.entries[file]["carried_over"] = True
        if options.evaluate is not None:
            about = replace(about, metrics={**about.metrics, **options.evaluate(new)})
        missing = [f"There is no {file}: {why}" for file, why in converted.reasons.items()]
        for line in (*missing, *replayed.dropped.values()):
            if any(line.startswith(f"There is no {file}:") for file in options.required):
                raise RuntimeError(line)
            progress(f"left out: {line[0].lower()}{line[1:]}")
        measured = {
            "signatures": {name: _signature(about, model) for name, (model, _) in sources.items()},
            "parameters": endpoints.sequence.count_params(),
            **({"macs": macs} if macs else {}),
            "golden": {"cases": list(golden), "shape": list(x.shape)},
            "formats": replayed.entries,
            "limits": [*missing, *replayed.dropped.values(), *replayed.notes],
        }
        manifest = _write_description(new, entries.build_manifest(about, measured))
        check_export_target(target, 0)  # once more: hours may have passed
    record_export(manifest["seal"], Path(target))
    return manifest


def _sources(endpoints: Endpoints, x: np.ndarray) -> dict[str, tuple[keras.Model, formats.Shapes]]:
    """Endpoint -> model and the fixed shapes of its TFLite files."""
    shape = {formats.main_input(endpoints.sequence): (1, *x.shape[1:])}
    sources: dict[str, tuple[keras.Model, formats.Shapes]] = {SERVING: (endpoints.sequence, shape)}
    if endpoints.step is not None:
        sources[STEP] = (endpoints.step, formats.one_row(endpoints.step))
    return sources


def _write_description(new: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """Write card and manifest, the manifest with the hashes of all other files and its seal."""
    (new / "CARD.md").write_text(card.card_text(manifest), encoding="utf-8")
    manifest = {**manifest, "files": file_entries(new)}
    return {**manifest, "seal": write_manifest(new, manifest)}


def _chosen_formats(endpoints: Endpoints, options: ExportOptions) -> list[Format]:
    """The TFLite files to write."""
    default = CLIP_FILES if endpoints.step is None else SEQUENCE_FILES
    chosen = [tuple(each) for each in options.files or default]
    counted = (SERVING if endpoints.step is None else STEP, "float32")
    if counted not in chosen:
        raise ValueError(
            f"`files` must hold {counted}: multiply-accumulates are counted in it. "
            f"Received: {chosen}."
        )
    return [formats.tflite_format(*each) for each in chosen]


def _write_models(
    new: Path, endpoints: Endpoints, sources: Mapping[str, tuple[keras.Model, formats.Shapes]]
) -> list[Format]:
    """Write model.keras and the SavedModel, for any batch (and length)."""
    needs = formats.save_keras(new / "model.keras", endpoints.portable or endpoints.sequence)
    formats.save_endpoints(
        new / "serving",
        {name: (model, formats.input_specs(model, {})) for name, (model, _) in sources.items()},
    )
    return [
        Format("model.keras", "keras", SERVING, needs=needs),
        *(Format("serving", "saved_model", endpoint) for endpoint in sources),
    ]


def _write_golden(
    path: Path, model: keras.Model, golden: Mapping[str, np.ndarray], options: ExportOptions
) -> dict[str, np.ndarray]:
    """Store the model's outputs as computed in this process; name -> (cases, ...)."""
    main, x = formats.main_input(model), np.stack(list(golden.values())).astype(np.float32)
    with without_tf32():  # the files are replayed on a CPU
        computed = formats.make_caller(model)({main: x})
    outputs = {name: np.asarray(value, np.float32) for name, value in computed.items()}
    for name, recorded in (options.golden_outputs or {}).items():
        _require_same(name, outputs.get(name), recorded)
        outputs[name] = np.asarray(recorded, np.float32)
    np.savez_compressed(path, cases=np.array(list(golden)), **{main: x}, **outputs)
    return outputs


def _require_same(name: str, output: np.ndarray | None, recorded: np.ndarray) -> None:
    if output is None or output.shape != recorded.shape:
        shape = None if output is None else output.shape
        raise RuntimeError(
            f"The model no longer returns {name!r} of shape {recorded.shape}. Received: {shape}."
        )
    worst = float(np.abs(output.astype(np.float64) - recorded).max())
    rms = float(np.sqrt(np.mean(np.square(recorded, dtype=np.float64)))) or 1.0
    if not worst <= TOLERANCE["float32"] * rms:
        raise RuntimeError(
            f"The model no longer gives the recorded output {name!r}: it differs by up to "
            f"{worst / rms:.2g} of the RMS, more than {TOLERANCE['float32']:g}."
        )


def _count(new: Path, endpoints: Endpoints) -> dict[str, Any] | None:
    """Entry `macs`: multiply-accumulates of a step, or of a call of a model without one.

    None where the file that they are counted in could not be made.
    """
    endpoint, per = (SERVING, "call") if endpoints.step is None else (STEP, "step")
    file = formats.tflite_format(endpoint, "float32").file
    if not (new / file).exists():
        return None
    read = graph.read((new / file).read_bytes(), file)
    entry: dict[str, Any] = {"value": counting.multiply_accumulates(read), "per": per}
    uncounted = counting.uncounted(read)
    return entry | {"uncounted": uncounted} if uncounted else entry


def _measure_closed_loop(
    new: Path,
    replayed: Replayed,
    path: np.ndarray,
    names: tuple[str, str],
    progress: Callable[[str], None],
) -> None:
    """Note the difference over a long path of the step files of less than float32.

    Where there is a file of integers: products of matrices are rounded in it, and in the dynamic
    one beside it. Integers that are too far off are left out.
    """
    entries_by_file = replayed.entries
    chosen = [
        formats.tflite_format(STEP, weights)
        for weights in ("dynamic", "int8", "int16x8")
        if formats.tflite_format(STEP, weights).file in entries_by_file
    ]
    if not any(each.weights in formats.INTEGER for each in chosen):
        return
    shares = measure_closed_loop(new, chosen, path, names, progress)
    for each in chosen:
        share = shares[each.file]
        if each.weights in formats.INTEGER and not share <= MAX_INTEGER_SHARE:
            replayed.drop(
                each.file,
                f"over {len(path):,} steps in closed loop its RMS difference from the trained "
                f"model is {share:.2g} of the RMS, more than {MAX_INTEGER_SHARE:g}",
            )
        elif np.isfinite(share):
            entries_by_file[each.file]["closed_loop"] = {"steps": len(path), "rms_share": share}


def _leave_out_larger_integers(new: Path, replayed: Replayed) -> None:
    """Leave out step files of integers that are no smaller than the exact one.

    Of small products: scales and conversions then take more than the weights give back.
    """
    exact = new / formats.tflite_format(STEP, "float32").file
    for weights in formats.INTEGER:
        file = formats.tflite_format(STEP, weights).file
        if file not in replayed.entries or not exact.exists():
            continue
        if (new / file).stat().st_size >= exact.stat().st_size:
            replayed.drop(file, f"it would be no smaller than {exact.name}, which is exact")


def _note_microcontroller(new: Path, entries_by_file: dict[str, dict[str, Any]]) -> None:
    """Add to the entry of each TFLite file whether TensorFlow Lite Micro runs it: `tflite_micro`.

    `obstacles` say why it does not; `arena_bytes` was measured, where the package is installed.
    """
    for file, entry in entries_by_file.items():
        if not file.endswith(".tflite"):
            continue
        content = (new / file).read_bytes()
        reasons = obstacles(graph.read(content, file))
        arena = micro.arena_of(content, file)
        if reasons:
            entry["tflite_micro"] = {"obstacles": list(reasons)}
        elif arena is not None:
            entry["tflite_micro"] = {"arena_bytes": arena}


def _signature(about: About, model: keras.Model) -> dict[str, Any]:
    """Inputs and outputs of an endpoint, with shape, unit and meaning."""
    return {
        "inputs": {
            name: entries.tensor_entry(about, name, spec.shape.as_list(), spec.dtype.name)
            for name, spec in formats.input_specs(model, {}).items()
        },
        "outputs": {
            name: entries.tensor_entry(about, name, tuple(each.shape), each.dtype)
            for name, each in formats.outputs_of(model).items()
        },
    }
