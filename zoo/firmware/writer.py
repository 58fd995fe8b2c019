"""A model folder -> C files that need nothing but a runtime for TFLite."""

from pathlib import Path

import zoo.edge
from zoo.edge import graph
from zoo.files import write_text
from zoo.firmware import check, model, network, reference
from zoo.firmware.spelling import identifier
from zoo.manifest import verified_bytes

STEPS = 8  # of the reference


def write(
    folder: str | Path, out: str | Path, *, weights: str = "float32", steps: int = STEPS
) -> list[Path]:
    """Write NAME.h, NAME_model.c, NAME_reference.c, NAME_check.c; of sound, NAME_front_end.c.

    The array of a sound model begins behind the front end, for which a microcontroller has no
    kernels, wherever its features can be found in the graph.

    Args:
        folder: of the model; its files are verified first.
        out: folder of the C files, made if need be; files of these names are replaced.
        weights: of the step file: "float32", "int8", ...
        steps: of the reference.

    Returns:
        The files.

    Raises:
        ValueError: not a model folder, a changed file, a front end that these tables cannot hold.
    """
    folder = Path(folder)
    opened = zoo.edge.open(folder, weights=weights)
    name = identifier(str(opened.manifest.get("name", folder.name)))
    content = verified_bytes(folder, opened.manifest, opened.file)
    inside = graph.read(content, opened.file)
    answers = reference.reference(folder, opened, steps)
    tables, files, what = "", {}, "the whole model"
    sound = "front_end" in opened.manifest
    if sound:
        from zoo.firmware import front_end  # it takes a while to import

        settings = front_end.settings(opened.manifest)
        tables = front_end.header(settings, name, answers.inputs)
        files[f"{name}_front_end.c"] = front_end.source(settings, name, answers.inputs)
        first = {opened.input_name: answers.inputs[:1], **answers.first}
        heard = front_end.features(settings, answers.inputs[0].ravel())
        cut = network.behind(content, inside, first, heard)
        if cut is not None:
            content, inside = cut, graph.read(cut, opened.file)
            what = f"the network behind {name}_features, which computes its input"
    files[f"{name}_model.c"] = model.source(name, content, inside)
    files[f"{name}_reference.c"] = reference.source(name, answers)
    head = [model.header(name, content, inside), reference.header(name, answers), tables]
    guard = f"ZOO_{name.upper()}_H"
    files[f"{name}.h"] = (
        f"/* {name}, {opened.file}: {what}. */\n"
        f"#ifndef {guard}\n#define {guard}\n\n"
        '#ifdef __cplusplus\nextern "C" {\n#endif\n'
        + "".join(head)
        + "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n"
    )
    files[f"{name}_check.c"] = check.source(name, sound)
    return _written(Path(out), files)


def _written(out: Path, files: dict[str, str]) -> list[Path]:
    """Write each file as a whole; returns their paths."""
    for name, content in files.items():
        write_text(out / name, content, encoding="ascii")
    return [out / name for name in sorted(files)]
