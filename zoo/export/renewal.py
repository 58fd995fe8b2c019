"""Export a saved model again from the weights that it has, without training."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from zoo.convnets import last_float_layer_of
from zoo.convnets.streaming import meaning_of, streaming_model
from zoo.data.hysteresis import INPUTS
from zoo.data.split import Quantity
from zoo.edge import graph
from zoo.edge.golden import read_golden
from zoo.export import formats
from zoo.export.entries import LICENCE, About, read_quantities
from zoo.export.formats import SERVING, STEP
from zoo.export.sound import INPUT_CONTRACT
from zoo.export.wide_activations import widen_activations
from zoo.export.writer import Endpoints, ExportOptions, write
from zoo.manifest import UNSEALED_FORMAT, verified_bytes, verify_folder
from zoo.names import RENAMED
from zoo.progress import say
from zoo.recurrent import VisibleRNN, is_plain, step_model, view, visible_model
from zoo.registration import open_keras_content
from zoo.targets import check_export_target

MEMORY_S = 5.0  # of the running mean of a streaming network without a recurrent layer
# Entries that `write` makes anew; all others that `About` has no field for are taken over.
_WRITTEN = (
    *("format", "name", "task", "description", "created", "versions", "signatures", "parameters"),
    *("macs", "golden", "formats", "limits", "training", "metrics", "licence", "data_licence"),
    *("provenance", "files", "seal"),
)
_OFF = "off the trained model (RMS, golden cases)"  # in a limit that `write` states anew
_SHARE_MARGIN = 1.001  # by which the difference of a file taken over may exceed the recorded one


def renew(
    folder: str | Path,
    out: str | Path,
    changes: Mapping[str, Any] | None = None,
    progress: Callable[[str], None] = lambda text: None,
    *,
    smaller_integers: bool = False,
) -> dict[str, Any]:
    """Export a saved model again: same weights, golden inputs, metrics and facts; files of today.

    Float formats are converted anew and must give the recorded golden outputs. Integer files were
    calibrated on training data, which the folder does not hold: they are taken over as they are
    (entry `carried_over` of `formats`), as long as they take the same inputs and give the golden
    outputs as well as recorded; otherwise they are converted anew, calibrated on the golden inputs.

    Args:
        folder: of the saved model; verified first.
        out: folder to write; `folder` itself is replaced as a whole or left as it was.
        changes: fields of `About` to set anew, such as `description` or `licence`.
        progress: takes a line of progress.
        smaller_integers: see `ExportOptions`.

    Returns:
        The new manifest.

    Raises:
        ValueError: if the folder was changed, its model is of an unknown kind, or `out` holds
            something that no export wrote.
        RuntimeError: if the model no longer gives the recorded outputs, or a float32 file that the
            folder has would be left out.
    """
    folder = Path(folder)
    check_export_target(out)
    manifest = verify_folder(folder, unsealed=True)
    if manifest["format"] == UNSEALED_FORMAT:
        say(f"{folder}: its manifest has no seal, so its entries are taken as they stand")
    endpoints, front = rebuild_endpoints(folder, manifest)
    golden = read_golden(folder, manifest)
    x = golden.pop(formats.main_input(endpoints.sequence))
    cases = dict(zip(golden.pop("cases").tolist(), x, strict=True))
    carried = _integer_files(folder, manifest, endpoints)
    files = _files(manifest)
    if endpoints.step is not None and front is None:
        files = list(dict.fromkeys([*files, (STEP, "int8")]))  # by the present rule
    options = ExportOptions(
        # what the multiply-accumulates are counted in is tried again if it was left out
        files=list(dict.fromkeys([*files, (STEP if endpoints.step else SERVING, "float32")])),
        front=front,
        required=[formats.tflite_format(*each).file for each in files if each[1] == "float32"],
        carried=carried,
        golden_outputs=golden,
        smaller_integers=smaller_integers,
    )
    about = replace(read_about(manifest, endpoints), **(changes or {}))
    renewed = write(out, about, endpoints, cases, options, progress)
    worse = [name for name in carried if _is_worse(name, renewed, manifest)]
    if worse:
        progress(f"{', '.join(worse)}: converted anew, calibrated on the golden inputs")
        kept = {name: content for name, content in carried.items() if name not in worse}
        renewed = write(out, about, endpoints, cases, replace(options, carried=kept), progress)
    return renewed


def rebuild_endpoints(folder: Path, manifest: Mapping[str, Any]) -> tuple[Endpoints, str | None]:
    """The models of a saved model's endpoints, and the last layer of its float front end.

    Args:
        folder: verified.
        manifest: its manifest.

    Raises:
        ValueError: if the model is neither a recurrent model nor a network for sound.
    """
    content = verified_bytes(folder, manifest, "model.keras")
    model = open_keras_content(content, folder / "model.keras")
    if "front_end" in manifest:
        for layer in model.layers:
            if isinstance(layer, VisibleRNN):
                layer.fused = False  # TFLite has no such op
        has_step = STEP in manifest["signatures"]
        step = streaming_model(model, memory_s=MEMORY_S) if has_step else None
        return Endpoints(model, step), last_float_layer_of(model)
    if is_plain(model):
        visible = visible_model(model)
        return Endpoints(view(visible, fused=False), step_model(visible), portable=model), None
    return Endpoints(view(model, fused=False), step_model(model), portable=model), None


def read_about(manifest: Mapping[str, Any], endpoints: Endpoints) -> About:
    """What a manifest states of its model; old entries become those of today.

    Args:
        manifest: of the saved model.
        endpoints: its models, whose new states are described too.
    """
    quantities = read_quantities(manifest["signatures"])
    if "front_end" in manifest and endpoints.step is not None:
        for name in formats.states_of(endpoints.step):
            quantities[name] = (Quantity(name, "-", meaning_of(name)),)
    description, limits = manifest["description"], manifest["limits"]
    first, *others = [each.name for each in quantities.get("x", ())] or [""]
    if first in (INPUTS[0].name, *INPUTS[0].aliases) and others == ["rate", "dt"]:
        quantities["x"] = INPUTS
        if first != INPUTS[0].name:  # of before version 0.2; later a stretch is meant
            description, *limits = (
                text.replace("stretch", "strain") for text in (description, *limits)
            )
    licence, data_licence = manifest["licence"], manifest.get("data_licence")
    if data_licence is None:  # before version 0.2 one text had both
        licence, data_licence = LICENCE, licence
    origin = {"created": manifest["created"], "versions": manifest["versions"]}
    taken_over = {name: value for name, value in manifest.items() if name not in _WRITTEN}
    if "input_contract" in taken_over:  # words of the code, not of the training
        taken_over["input_contract"] = INPUT_CONTRACT
    return About(
        name=manifest["name"],
        task=manifest["task"],
        description=_with_current_names(description),
        quantities=quantities,
        metrics=manifest["metrics"],
        limits=[limit for limit in limits if not _is_stated_anew(limit, "front_end" in manifest)],
        data_licence=data_licence,
        provenance=manifest["provenance"],
        licence=licence,
        training=manifest["training"],
        settings={"trained": origin, **taken_over},
    )


def _is_stated_anew(limit: str, is_sound: bool) -> bool:
    """Whether a limit is on a file that is converted, and compared, again."""
    again = [(SERVING, "float32"), (STEP, "float32"), *[(STEP, "int8")] * (not is_sound)]
    tried = (formats.tflite_format(*each).file for each in again)
    return _OFF in limit or any(limit.startswith(f"There is no {file}:") for file in tried)


def _with_current_names(text: str) -> str:
    """A text with the present names of networks that were renamed."""
    for old in sorted(RENAMED, key=len, reverse=True):
        text = text.replace(old, RENAMED[old])
    return text


def _files(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """TFLite files of a saved model, as (endpoint, weights)."""
    return [
        (entry["endpoint"], entry["weights"])
        for name, entry in manifest["formats"].items()
        if name.endswith(".tflite")
    ]


def _integer_files(
    folder: Path, manifest: Mapping[str, Any], endpoints: Endpoints
) -> dict[str, bytes]:
    """Integer TFLite files of a saved model that take the inputs of today."""
    contents = {
        name: verified_bytes(folder, manifest, name)
        for name, entry in manifest["formats"].items()
        if entry["weights"] in formats.INTEGER
    }
    fitting = {name: content for name, content in contents.items() if _fits(content, endpoints)}
    if "front_end" in manifest:
        return fitting
    return {name: wide for name, content in fitting.items() if (wide := _widened(content))}


def _widened(content: bytes) -> bytes | None:
    """A step of 8 bits with activations of 16; None where it has other operations on 8 bits."""
    try:
        return widen_activations(content)
    except ValueError:
        return None


def _fits(content: bytes, endpoints: Endpoints) -> bool:
    """Whether a TFLite file takes the inputs of an endpoint of today, states included."""
    read = graph.read(content, "the file to take over")
    shapes = {name: read.tensors[index].shape for name, index in read.inputs.items()}
    return any(
        _same_shapes(shapes, {n: tuple(each.shape) for n, each in formats.inputs_of(model).items()})
        for model in (endpoints.sequence, endpoints.step)
        if model is not None
    )


def _same_shapes(given: formats.Shapes, expected: formats.Shapes) -> bool:
    """Whether names and shapes agree; None in `expected` stands for any size."""
    return given.keys() == expected.keys() and all(
        len(shape) == len(given[name])
        and all(size in (None, other) for size, other in zip(shape, given[name], strict=True))
        for name, shape in expected.items()
    )


def _is_worse(name: str, renewed: Mapping[str, Any], manifest: Mapping[str, Any]) -> bool:
    """Whether a file that was taken over gives the golden outputs less well than recorded."""
    entry = renewed["formats"].get(name)
    recorded = manifest["formats"][name]["rms_share"]
    return entry is None or entry["rms_share"] > _SHARE_MARGIN * recorded
