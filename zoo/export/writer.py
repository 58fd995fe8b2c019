"""One call from a Keras model to a checked folder: formats, golden outputs, manifest, card."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo.export import card, children, formats, manifest
from zoo.export.formats import SERVING, STEP, Format
from zoo.files import replacing_folder
from zoo.manifest import file_entries, write_manifest

# How far answers may be from the golden ones, as a share of the RMS of that output: at worst in
# float32, where more is a fault; on RMS in less precision, where more means that the file is left
# out, and the manifest says so.
TOLERANCE = {"float32": 1e-4, "float16": 1e-2, "dynamic": 5e-2, "int8": 0.25, "int16x8": 0.1}
NOTABLE = 0.02  # beyond it a user is told among the limits
# A whole sequence in less than float32 gains nothing: its loop cannot be quantised.
SEQUENCE_FILES = ((SERVING, "float32"), *((STEP, w) for w in formats.WEIGHTS if w != "int16x8"))
CLIP_FILES = tuple((SERVING, weights) for weights in formats.WEIGHTS if weights != "int16x8")


def write(
    target: Path,
    about: manifest.About,
    model: keras.Model,
    *,
    golden: Mapping[str, np.ndarray],
    step: keras.Model | None = None,
    portable: keras.Model | None = None,
    examples: np.ndarray | None = None,
    files: Sequence[tuple[str, str]] | None = None,
    front: str | None = None,
    judge: Callable[[Path], Mapping[str, Any]] | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Write `target`: model.keras, serving/, TFLite files, golden.npz, manifest.json, CARD.md.

    Args:
        target: folder; an existing one is replaced as a whole, or left as it was.
        about: what is said of the model.
        model: of one named input; becomes `serving_default`, for any batch (and length).
        golden: name of a case -> input without its batch axis, all of one shape: the shape that the
            TFLite file of `model` takes.
        step: its one-step twin, if it has states; becomes the endpoint `step`.
        portable: what to save as model.keras instead of `model`: the same weights in layers that
            open without this package.
        examples: (n, ...) inputs that the model really meets, to calibrate integers on; default:
            the golden ones.
        files: TFLite files as (endpoint, weights); default: float32 of the sequence and four
            precisions of the step, or four precisions of a model without a step.
        front: name of a layer; what stands up to it stays float in an integer file.
        judge: looks at the files in a folder, once they are known to be faithful; what it returns
            joins `about.metrics`.
        say: takes a line of progress.

    Returns:
        The manifest.

    Raises:
        RuntimeError: if a float32 format cannot be made, or answers differently.
    """
    files = files or (SEQUENCE_FILES if step is not None else CLIP_FILES)
    x = np.stack(list(golden.values())).astype(np.float32)
    fixed = {formats.main_input(model): (1, *x.shape[1:])}
    with replacing_folder(target) as work:
        new = work / "new"
        say("export: model.keras and SavedModel")
        needs = formats.save_keras(new / "model.keras", portable or model)
        endpoints = {SERVING: (model, formats.specs(model, {}))}
        if step is not None:
            endpoints[STEP] = (step, formats.specs(step, {}))
        formats.save_endpoints(new / "serving", endpoints)
        answers = _golden(new / "golden.npz", model, list(golden), x)

        made = [Format("model.keras", "keras", SERVING, needs=needs)]
        made += [Format("serving", "saved_model", endpoint) for endpoint in endpoints]
        converted, dropped = convert_files(work, model, step, files, fixed, x, examples, front, say)
        made += converted
        replayed, lost, noted = _replay(new, made, formats.main_input(model), answers, say)
        for each in lost:
            (new / each).unlink()
        if judge is not None:
            about = replace(about, metrics={**about.metrics, **judge(new)})

        counted = (step, _one(step)) if step is not None else (model, fixed)
        facts = manifest.build(
            about,
            signatures={name: _signature(about, *each) for name, each in endpoints.items()},
            parameters=model.count_params(),
            macs={
                "value": formats.multiply_accumulates(*counted),
                "per": "step" if step is not None else "call",
            },
            golden={"cases": list(golden), "shape": list(x.shape)},
            formats=replayed,
            limits=[*dropped, *lost.values(), *noted],
        )
        (new / "CARD.md").write_text(card.text(facts), encoding="utf-8")
        facts["files"] = file_entries(new)
        write_manifest(new, facts)
    return facts


def _golden(path: Path, model: keras.Model, cases: list[str], x: np.ndarray) -> dict:
    """Store what the model answers here, in this process; name -> (cases, ...)."""
    outputs = formats.caller(model)({formats.main_input(model): x})
    answers = {name: np.asarray(value, np.float32) for name, value in outputs.items()}
    np.savez_compressed(path, cases=np.array(cases), **{formats.main_input(model): x}, **answers)
    return answers


def convert_files(work, model, step, files, fixed, x, examples, front, say):
    """TFLite files in a child process: those made, and a line for each that could not be."""
    sources = {SERVING: (model, fixed)}
    if step is not None:
        sources[STEP] = (step, _one(step))
    samples, jobs, wanted = {}, [], []
    for endpoint, weights in files:
        source, shapes = sources[endpoint]
        integer = weights in formats.INTEGER
        head = None
        if weights != "float32" and front is not None:
            head, source = formats.parted(source, front)
        if integer and endpoint not in samples:
            whole, _ = sources[endpoint]
            samples[endpoint] = _samples(work, endpoint, whole, head, x, examples)
        each = formats.tflite(endpoint, weights)
        wanted.append(each)
        jobs.append(
            {
                "network": _saved(work, f"{endpoint}_{head is None}", endpoint, source, shapes),
                "front": head and _saved(work, f"{endpoint}_front", endpoint, head, shapes),
                "endpoint": endpoint,
                "weights": weights,
                "states": endpoint == STEP,
                "samples": samples.get(endpoint) if integer else None,
                "out": str(work / "new" / each.file),
            }
        )
    answers = children.run(
        ["-m", "zoo.export.convert"], jobs, lambda job: say(f"export: {Path(job['out']).name}")
    )
    made, dropped = [], []
    for each, answer in zip(wanted, answers, strict=True):
        if "result" in answer:
            made.append(each)
        elif each.weights == "float32":
            raise RuntimeError(f"{each.file} cannot be made: {answer['error']}")
        else:
            dropped.append(f"There is no {each.file}: {answer['error']}")
            (work / "new" / each.file).unlink(missing_ok=True)
    return made, dropped


def _saved(work: Path, name: str, endpoint: str, model: keras.Model, shapes: Mapping) -> str:
    """A SavedModel with fixed shapes for the converter; made once."""
    path = work / name
    if not path.exists():
        shapes = {n: s for n, s in shapes.items() if n in formats.inputs_of(model)}
        features = {n: (1, *t.shape[1:]) for n, t in formats.inputs_of(model).items()}
        signature = formats.specs(model, {**features, **shapes})
        formats.save_endpoints(path, {endpoint: (model, signature)})
    return str(path)


def _samples(work, endpoint, model, head, x, examples) -> str:
    """Inputs to calibrate on; of a step, together with the states that it really visits.

    Behind a front end, they are what it makes of them.
    """
    examples = x if examples is None else np.asarray(examples, np.float32)
    values = {formats.main_input(model): examples}
    if endpoint == STEP:
        values = formats.visited(model, examples)
    if head is not None:
        heard = {name: values.pop(name) for name in formats.inputs_of(head)}
        values["features"] = np.asarray(formats.caller(head)(heard)["features"])
    path = work / f"{endpoint}_samples.npz"
    np.savez(path, **values)
    return str(path)


def _one(step: keras.Model) -> dict[str, tuple[int, ...]]:
    """Shapes of one step of one sequence."""
    return {name: (1, *each.shape[1:]) for name, each in formats.inputs_of(step).items()}


def _replay(new, made, name, answers, say) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """What each format answered: entries of the manifest, why files are left out, what to note."""
    only = next(iter(answers))
    jobs = [
        {
            "folder": str(new),
            "file": each.file,
            "kind": each.kind,
            "endpoint": each.endpoint,
            "input": name,
            "output": only,
            "needs": each.needs,
        }
        for each in made
    ]
    # What needs this package to open is replayed with it, everything else where it does not exist.
    script = str(Path(children.ROOT, "zoo", "export", "replay.py"))
    alone = [job for job in jobs if not job["needs"]]
    needy = [job for job in jobs if job["needs"]]
    results = {}
    for forbidden, batch in (["zoo"], alone), ([], needy):
        if batch:
            replies = children.run(
                [script, *forbidden],
                batch,
                lambda job: say(f"replay: {job['file']}, {job['endpoint']}"),
            )
            results |= {
                (job["file"], job["endpoint"]): reply
                for job, reply in zip(batch, replies, strict=True)
            }
    entries, lost, noted = {}, {}, []
    for each in made:
        reply = results[each.file, each.endpoint]
        problem = reply.get("error")
        entry = {"file": each.file, "endpoint": each.endpoint, "weights": each.weights}
        if problem is None:
            entry |= _differences(reply["result"]["differences"], answers)
            exact = each.weights == "float32"
            share = entry["worst_share_of_rms" if exact else "rms_share"]
            if not share <= TOLERANCE[each.weights]:
                problem = (
                    f"its {'worst' if exact else 'RMS'} difference from the trained model is "
                    f"{share:.2g} of the RMS, more than {TOLERANCE[each.weights]:g}"
                )
        if problem is None:
            if each.needs:
                entry["needs"] = list(each.needs)
            if not exact and share > NOTABLE:
                noted.append(
                    f"{each.file} is {share:.1%} off the trained model (RMS, golden cases): try it "
                    "before you use it."
                )
            entries[each.file if each.kind != "saved_model" else f"serving:{each.endpoint}"] = entry
        elif each.weights == "float32":
            raise RuntimeError(f"{each.file} ({each.endpoint}) is not faithful: {problem}")
        else:
            lost[each.file] = f"There is no {each.file}: {problem}."
    return entries, lost, noted


def _differences(found: Mapping, answers: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Largest difference of each output, and of the first one its RMS as a share."""
    main = next(iter(answers))
    rms = float(np.sqrt(np.mean(np.square(answers[main], dtype=np.float64)))) or 1.0
    worst = {name: max(pair[0] for pair in cases.values()) for name, cases in found.items()}
    squares = [pair[1] ** 2 for pair in found[main].values()]
    return {
        "worst_difference": worst,
        "worst_share_of_rms": worst[main] / rms,
        "rms_share": float(np.sqrt(np.mean(squares))) / rms,
    }


def _signature(about: manifest.About, model: keras.Model, specs: Mapping) -> dict[str, Any]:
    """Inputs and outputs of an endpoint, with shape, unit and meaning."""
    return {
        "inputs": {
            name: manifest.tensor(about, name, spec.shape.as_list(), spec.dtype.name)
            for name, spec in specs.items()
        },
        "outputs": {
            name: manifest.tensor(about, name, tuple(each.shape), each.dtype)
            for name, each in formats.outputs_of(model).items()
        },
    }
