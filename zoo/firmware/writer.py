"""Write a model of steps or clips as C files that need nothing but a runtime for TFLite."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import zoo.edge
from zoo import files
from zoo.edge import StepModel, graph
from zoo.edge.labels import LabelRule
from zoo.edge.manifest_entries import clip_file_name, is_clip_classifier
from zoo.edge.runtime import quiet
from zoo.firmware import check_program, model_array, reference
from zoo.firmware.c_syntax import comment_text, identifier
from zoo.firmware.reference import Reference
from zoo.manifest import verified_bytes, verify_folder
from zoo.targets import check_output_folder

REFERENCE_STEPS = 8


class FrontEndFiles(NamedTuple):
    """Front end of a sound model in C.

    Attributes:
        header: its declarations.
        source: its C file.
        network: TFLite file of the network behind it; None: it cannot be cut out.
        has_gain: whether a gain comes before it.
        has_trim: whether silence at the ends is cut off behind it.
        integer_source: its C file in integers; empty: there is none.
    """

    header: str
    source: str
    network: bytes | None
    has_gain: bool
    has_trim: bool
    integer_source: str = ""


@quiet()
def write(
    folder: str | Path, out: str | Path, *, weights: str = "float32", steps: int | None = None
) -> list[Path]:
    """Write NAME.h, NAME_model.c, NAME_reference.c, NAME_check.c; of sound, NAME_front_end.c.

    Where the front end can be computed in integers, NAME_front_end_q15.c has it so.

    The array of a sound model begins behind the front end, for which TensorFlow Lite Micro has no
    kernels, wherever its features can be found in the graph. The gain of a classifier of clips, and
    what cuts silence off its ends, are written in C, too, and in float32 its network in plain C,
    NAME_network.c. Of a streaming classifier in float32
    there is a library as well, with the network in plain C and the decision: NAME_hearing_aid.h,
    NAME_hearing_aid.c, NAME_network.c.

    Args:
        folder: of the model; its files are verified first.
        out: folder of the C files, made if need be; files of these names are replaced.
        weights: of the file: "float32", "int8", ...
        steps: of the reference, or clips; None: `REFERENCE_STEPS`, of a classifier of clips one.

    Returns:
        Paths of the files.

    Raises:
        ValueError: not a model folder, a changed file, a front end that these tables cannot hold.
    """
    folder = Path(folder)
    check_output_folder(out)
    model, is_clip = _open(folder, weights)
    steps = steps or (1 if is_clip else REFERENCE_STEPS)
    name = identifier(str(model.manifest.get("name", folder.name)))
    content = verified_bytes(folder, model.manifest, model.file)
    expected = reference.compute_reference(folder, model, steps)
    sources: dict[str, str] = {}
    whole = graph.read(content, model.file)
    front_end_header, array = "", "the whole model"
    has_front_end, has_gain, has_trim = "front_end" in model.manifest, False, False
    outputs = 0
    if has_front_end:
        front_end = _front_end(name, content, model, expected, folder if is_clip else None)
        has_gain, has_trim = front_end.has_gain, front_end.has_trim
        sources[f"{name}_front_end.c"] = front_end.source
        if front_end.integer_source:
            sources[f"{name}_front_end_q15.c"] = front_end.integer_source
        front_end_header = front_end.header
        if front_end.network is not None:
            content = front_end.network
            array = f"the network behind {name}_features, which computes its input"
            if not is_clip and weights == "float32":
                library, note = _library(name, model, content)
                sources |= library
                front_end_header += note
            elif weights == "float32":
                plain, note = _clip_network(name, model, content)
                outputs = len(model.manifest["classes"]) if plain else 0
                sources |= plain
                front_end_header += note
    parsed = graph.read(content, model.file)
    sources[f"{name}_model.c"] = model_array.source(name, content, parsed)
    sources[f"{name}_reference.c"] = reference.source(name, expected)
    sources[f"{name}_check.c"] = check_program.source(
        name, has_front_end, has_gain, outputs, has_trim
    )
    sources[f"{name}.h"] = _header(
        name,
        f"{name}, {model.file}: {array}",
        model_array.header(name, content, parsed, whole)
        + reference.header(name, expected)
        + front_end_header,
    )
    return _write_files(Path(out), sources)


@quiet()
def microcontroller_file(folder: str | Path, *, weights: str = "float32") -> bytes:
    """TFLite file for a microcontroller: the network behind the front end, or the whole model.

    Args:
        folder: of the model; its files are verified first.
        weights: of the file: "float32", "int8", ...

    Raises:
        ValueError: as `write`.
    """
    folder = Path(folder)
    model, is_clip = _open(folder, weights)
    content = verified_bytes(folder, model.manifest, model.file)
    if "front_end" not in model.manifest:
        return content
    expected = reference.compute_reference(folder, model, 1)
    clips = folder if is_clip else None
    return _front_end("model", content, model, expected, clips).network or content


def _library(name: str, model: StepModel, content: bytes) -> tuple[dict[str, str], str]:
    """File -> text of the library of front end, network and decision; and a note for the header."""
    # Here, since the settings of a front end import Keras, which models of stress do without.
    from zoo.firmware import front_end, hearing_aid, network, plain_network

    if "probabilities" not in model.output_names or "classes" not in model.manifest:
        return {}, ""
    settings = front_end.front_end_of(model.manifest, streams=True)
    rule = LabelRule.from_manifest(model.manifest)
    parsed = graph.read(content, model.file)
    decision = hearing_aid.decision_of(model.manifest)
    try:
        plain = plain_network.write_network(
            name, parsed, network.FEATURES, "probabilities", f"{name}_hearing_aid.h"
        )
        text = hearing_aid.source(name, settings, decision, rule)
    except ValueError as error:
        return {}, f"\n/* There is no network in plain C. {comment_text(str(error))} */\n"
    return {
        f"{name}_network.c": plain.source,
        f"{name}_hearing_aid.c": text,
        f"{name}_hearing_aid.h": hearing_aid.header(name, settings, rule.classes, plain),
    }, ""


def _clip_network(name: str, model: StepModel, content: bytes) -> tuple[dict[str, str], str]:
    """File -> text of the network of a classifier of clips in plain C; its declarations."""
    from zoo.firmware import network, plain_network  # as in `_library`

    parsed = graph.read(content, model.file)
    try:
        plain = plain_network.write_network(
            name, parsed, network.FEATURES, "probabilities", f"{name}.h"
        )
    except ValueError as error:
        return {}, f"\n/* There is no network in plain C. {comment_text(str(error))} */\n"
    return {f"{name}_network.c": plain.source}, f"\n{plain.declarations}"


def _open(folder: Path, weights: str) -> tuple[StepModel, bool]:
    """The model, and whether it takes whole clips, each of which is then a step without states."""
    manifest = verify_folder(folder)
    if not is_clip_classifier(manifest):
        return zoo.edge.open(folder, weights=weights), False
    file = clip_file_name(manifest, weights)
    content = verified_bytes(folder, manifest, file)
    return StepModel(content, manifest, file, signature="serving_default"), True


def _front_end(
    name: str, content: bytes, model: StepModel, expected: Reference, clips: Path | None
) -> FrontEndFiles:
    """Front end in C, and the network behind it; `clips`: folder of a classifier of clips."""
    # Here, since the settings of a front end import Keras, which models of stress do without.
    from zoo.firmware import fixed_point, front_end, gain, network, trim

    settings = front_end.front_end_of(model.manifest, streams=clips is None)
    inputs = {model.input_name: expected.inputs[:1], **expected.first}
    samples, declared, defined = expected.inputs, "", ""
    scale = None if clips is None else gain.gain_of(clips, model.manifest)
    if clips is not None:
        samples = samples[:1]  # features of the first clip only
    if scale is not None:
        factor = scale.compute(samples[0])
        samples = samples * factor
        declared, defined = gain.header(name, scale, factor), gain.source(name, scale)
    features = front_end.compute_features(settings, samples[0].ravel())
    range_db = None if clips is None else trim.range_of(clips, model.manifest)
    if range_db is not None:
        features = trim.compute(features, range_db)
        declared += trim.header(name)
        defined += trim.source(name, range_db, features.shape[1])
    has_integers = scale is None and fixed_point.is_possible(settings)
    if has_integers:
        declared += fixed_point.header(settings, name)
    return FrontEndFiles(
        front_end.header(settings, name, samples) + declared,
        front_end.source(settings, name, samples) + defined,
        network.split_network(content, graph.read(content, model.file), inputs, features),
        scale is not None,
        range_db is not None,
        fixed_point.source(settings, name) if has_integers else "",
    )


def _header(name: str, title: str, declarations: str) -> str:
    guard = f"ZOO_{name.upper()}_H"
    return (
        f"/* {comment_text(title)}. */\n"
        f"#ifndef {guard}\n#define {guard}\n\n"
        '#ifdef __cplusplus\nextern "C" {\n#endif\n'
        f"{declarations}"
        "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n"
    )


def _write_files(out: Path, sources: Mapping[str, str]) -> list[Path]:
    """Write each file as a whole; returns their paths."""
    for name, text in sources.items():
        files.write_text(out / name, text, encoding="ascii")
    return [out / name for name in sorted(sources)]
