"""What the app takes of each saved model: its manifest, and one or two of its TFLite files."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo import folders
from zoo.manifest import NAME, verified_bytes, verify_folder
from zoo.studio.cut import cut_behind_front_end
from zoo.studio.gates import with_gates
from zoo.studio.head import EMBEDDING, with_head

STEP, WHOLE = "step.tflite", "model.tflite"
FRONT_END, NETWORK = "front_end.tflite", "network.tflite"  # of a classifier of clips
# Single file: base64 makes a file a third larger, so networks above this size give their file of
# 8-bit weights, and those of no room of their own are left out.
MAX_INLINE_BYTES = 400_000
HEAD = "head.json"  # where a page writes a head into the file of an embedding
REDUCED = ("model_int8.tflite", "model_dynamic.tflite")
REDUCED_EMBEDDING = ("model_float16.tflite",)  # 0.2 % off; in 8 bits it is 6 % off
FOLDER_ONLY = ("scenes-alexnet", "scenes-distilled", "scenes-synthetic", "speech-snr")


@dataclass(frozen=True)
class StudioModel:
    """A saved model as the app gets it.

    Attributes:
        name: of its folder.
        manifest: its entries; the app gets them without hashes.
        files: name -> content; the first is the one that a room opens.
    """

    name: str
    manifest: dict[str, Any]
    files: dict[str, bytes]


def studio_models(*, single_file: bool = False) -> Iterator[StudioModel]:
    """All saved models that a browser can run, by name; every file's hash is checked.

    Args:
        single_file: whether they have to fit into one page.

    Raises:
        ValueError: in one line, a model that was changed.
    """
    for folder in folders.list_folders():
        if single_file and folder.name in FOLDER_ONLY:
            continue
        manifest = verify_folder(folder)
        files = _files(folder, manifest, single_file)
        if files:
            yield StudioModel(folder.name, _without_hashes(manifest, files), files)


def _files(folder: Path, manifest: Mapping[str, Any], single_file: bool) -> dict[str, bytes]:
    """The float32 file; of a step with gates, it returns them as well.

    A small classifier of clips comes in two files, since an explanation runs the second alone; the
    file of an embedding has room for a head.
    """
    if STEP in manifest["files"]:
        return {STEP: with_gates(verified_bytes(folder, manifest, STEP))}
    if WHOLE not in manifest["files"]:
        return {}
    name = WHOLE
    is_embedding = EMBEDDING in manifest["signatures"]["serving_default"]["outputs"]
    if single_file and manifest["files"][WHOLE]["bytes"] > MAX_INLINE_BYTES:
        reduced = REDUCED_EMBEDDING if is_embedding else REDUCED
        name = next((each for each in reduced if each in manifest["files"]), WHOLE)
    content = verified_bytes(folder, manifest, name)
    if is_embedding:
        content, table = with_head(content)
        return {name: content, HEAD: json.dumps(table).encode()}
    if "classes" in manifest and len(content) <= MAX_INLINE_BYTES:
        parts = cut_behind_front_end(content)
        if parts:
            return {FRONT_END: parts[0], NETWORK: parts[1]}
    return {name: content}


def _without_hashes(manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> dict[str, Any]:
    """The app checks no hash: whoever could change a model there could change the app as well."""
    kept = {name: value for name, value in manifest.items() if name not in ("files", "seal")}
    sizes = {name: entry["bytes"] for name, entry in manifest["files"].items() if name != NAME}
    return {**kept, "bytes": sizes | {name: len(content) for name, content in files.items()}}
