"""Parsers of what a model folder holds: manifest, golden outputs, `.keras`, TFLite."""

import contextlib
import hashlib
import io
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

import zoo.edge
from recipes import app
from recipes.benchmarks.fuzz.damage import damage_bytes, damage_json
from recipes.benchmarks.fuzz.target import Target, answer_or_none
from zoo import manifest
from zoo.description import describe_model
from zoo.edge import golden, graph


def _copy(model: Path, work: Path) -> Path:
    shutil.copytree(model, work / "model")
    return work / "model"


def _reseal(folder: Path, content: bytes) -> None:
    """What anybody can do: a manifest that fits itself."""
    manifest.write_manifest(folder, json.loads(content))


def manifest_target(model: Path, work: Path) -> Target:
    """A manifest with its seal, read by the library and by the app."""
    folder = _copy(model, work)

    def answer(_: str, content: bytes) -> Any:
        (folder / manifest.NAME).write_bytes(content)
        app_manifest = answer_or_none(lambda: app.read_manifest(folder))
        entries = manifest.read_manifest(folder)
        assert app_manifest in (None, entries), "the app reads another manifest"
        return entries

    contents = {manifest.NAME: (folder / manifest.NAME).read_bytes()}
    return Target(contents, answer, damage_bytes, is_sealed=True)


def resealed_manifest_target(model: Path, work: Path) -> Target:
    """A manifest changed by somebody who wrote its seal anew."""
    folder = _copy(model, work)

    def answer(_: str, content: bytes) -> Any:
        _reseal(folder, content)
        entries = manifest.read_manifest(folder)
        shown = answer_or_none(lambda: describe_model(entries))
        answer_or_none(lambda: app.verify_model(folder))
        answer_or_none(lambda: zoo.edge.open(folder))
        answer_or_none(lambda: manifest.verify_folder(folder))
        return shown

    contents = {manifest.NAME: (folder / manifest.NAME).read_bytes()}
    return Target(contents, answer, damage_json)


def _with_file(folder: Path, entries: dict[str, Any], name: str, content: bytes) -> dict[str, Any]:
    """Write a file of a model, and a manifest that fits it."""
    (folder / name).write_bytes(content)
    digest = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    changed = {**entries, "files": {**entries["files"], name: digest}}
    manifest.write_manifest(folder, changed)
    return changed


def golden_target(model: Path, work: Path) -> Target:
    """Golden outputs, with a manifest that fits them."""
    folder = _copy(model, work)
    entries = manifest.read_manifest(folder)

    def answer(_: str, content: bytes) -> Any:
        changed = _with_file(folder, entries, golden.FILE, content)
        arrays = golden.read_golden(folder, changed)
        return {name: array.tobytes() for name, array in arrays.items()}

    return Target({golden.FILE: (folder / golden.FILE).read_bytes()}, answer, damage_bytes)


def keras_target(model: Path, work: Path) -> Target:
    """A `.keras` file: its bytes, or the members of its archive."""
    import keras  # imported here: TensorFlow takes seconds

    from zoo.registration import open_keras_content

    del work
    original = (model / "model.keras").read_bytes()
    x = np.linspace(-1, 1, 24, dtype=np.float32).reshape(1, 8, 3)

    def damage(content: bytes, rng: np.random.Generator) -> bytes:
        if rng.random() < 0.4:
            return damage_bytes(content, rng)
        result = io.BytesIO()
        with (
            zipfile.ZipFile(io.BytesIO(content)) as old,
            zipfile.ZipFile(result, "w", zipfile.ZIP_STORED) as new,
        ):
            for name in old.namelist():
                data = old.read(name)
                is_config = name == "config.json"
                if is_config == (rng.random() < 0.7):
                    data = (damage_json if name.endswith(".json") else damage_bytes)(data, rng)
                new.writestr(name, data)
        return result.getvalue()

    def answer(_: str, content: bytes) -> Any:
        opened = open_keras_content(content, "model.keras")
        assert isinstance(opened, keras.Model)
        assert opened.count_params() < 1e8, "a model of 400 MB from a small file"
        with contextlib.suppress(Exception):  # a model with other layers may take other inputs
            y = opened(x)
            return str(keras.tree.map_structure(lambda v: np.asarray(v).tolist(), y))
        return opened.count_params()

    return Target({"model.keras": original}, answer, damage)


def tflite_target(model: Path, work: Path) -> Target:
    """A TFLite file, read for its operators."""
    del work

    def answer(_: str, content: bytes) -> Any:
        return graph.read(content, "step.tflite").operator_names

    return Target({"step.tflite": (model / "step.tflite").read_bytes()}, answer, damage_bytes)


def litert_target(model: Path, work: Path) -> Target:
    """A TFLite file, run by LiteRT."""
    folder = _copy(model, work)
    entries = manifest.read_manifest(folder)

    def answer(_: str, content: bytes) -> Any:
        _with_file(folder, entries, "step.tflite", content)
        opened = zoo.edge.open(folder)
        outputs = opened.step(np.full(opened.input_shape, 0.1, np.float32))
        return {name: value.tolist() for name, value in outputs.items()}

    return Target({"step.tflite": (folder / "step.tflite").read_bytes()}, answer, damage_bytes)
