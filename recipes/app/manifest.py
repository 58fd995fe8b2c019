"""The manifest of a model folder: verified by its seal and its hashes, and described.

Seal and hashes show damage, not who made the model.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

FORMAT, MAX_MANIFEST_BYTES = 2, 1 << 24


def verify_model(folder: Path) -> dict[str, Any]:
    """The manifest of a model folder that holds exactly the files that were exported.

    Files are verified before any of them is parsed: a damaged model can load and predict wrongly.

    Raises:
        ValueError: in one line: a model that this app cannot run, or one that was changed.
    """
    manifest = read_manifest(folder)
    inside = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    for path in inside:
        if path.is_symlink():
            raise ValueError(f"{path}: is a link, which a model never holds. Copy it again.")
    present = {path.relative_to(folder).as_posix() for path in inside}
    for name in sorted(present.symmetric_difference({*manifest["files"], "manifest.json"})):
        what = "is missing" if name in manifest["files"] else "is not in the manifest"
        raise ValueError(f"{folder / name}: the file {what}. Export or copy the model again.")
    for name in manifest["files"]:
        read_verified(folder, manifest, name)
    signatures = manifest["signatures"]
    step = signatures.get("step")
    inputs = step.get("inputs") if isinstance(step, dict) else None
    if not (isinstance(inputs, dict) and "x" in inputs if step else "classes" in manifest):
        raise ValueError(
            f"{folder}: expected a stress model with an endpoint `step`, or a classifier of clips. "
            "Run a model that streams sound with zoo-edge."
        )
    try:
        describe(manifest)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(
            f"{folder}: the manifest does not describe the model ({type(error).__name__}: "
            f"{error}). Export it again."
        ) from None
    features = inputs["x"].get("features", []) if inputs else []
    if features and (len(features) != 3 or features[0]["unit"] != "-"):
        reads = ", ".join(f"{each['name']} [{each['unit']}]" for each in features)
        raise ValueError(
            f"{folder}: expected a model of strain [-], its rate and the time step. This one reads "
            f"{reads}: run it with zoo predict."
        )
    return manifest


def read_verified(folder: Path, manifest: dict[str, Any], name: str) -> bytes:
    """Content of a file of the model, once size and SHA-256 are right: parse these bytes.

    Raises:
        ValueError: if the file was changed.
    """
    path, entry = folder / name, manifest["files"][name]
    content = path.read_bytes() if path.stat().st_size == entry["bytes"] else b""
    if len(content) != entry["bytes"] or hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise ValueError(
            f"{path}: the file is not the one that was exported (SHA-256 differs). Export or copy "
            "the model again."
        )
    return content


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a model folder, once its seal is right.

    The last entry, `seal`, is the SHA-256 of the manifest's own bytes with 64 zeros in the place of
    the seal.

    Raises:
        ValueError: if there is no manifest, it was changed, or it has another format.
    """
    path = folder / "manifest.json"
    if not path.is_file() or path.is_symlink():
        raise ValueError(f"{folder}: no manifest.json. Expected a folder that an export wrote.")
    content = path.read_bytes() if path.stat().st_size <= MAX_MANIFEST_BYTES else b""
    try:
        manifest = json.loads(
            content, object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant
        )
        is_complete = isinstance(manifest["signatures"], dict) and all(
            isinstance(entry["sha256"], str) and type(entry["bytes"]) is int
            for entry in manifest["files"].values()
        )
        version, seal = manifest["format"], str(manifest.get("seal"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        is_complete, manifest, version, seal = False, {}, None, ""
    if not is_complete:
        raise ValueError(f"{path}: not a manifest. Export or copy the model again.")
    if type(version) is not int or version != FORMAT:
        raise ValueError(f"{path}: expected format {FORMAT}, got {version!r}. Export it again.")
    before, sealed, after = content.rpartition(seal.encode(errors="replace") or b"\0")
    unsealed = before + b"0" * len(sealed) + after
    if len(seal) != 64 or hashlib.sha256(unsealed).hexdigest() != seal:
        raise ValueError(
            f"{path}: the manifest is not the one that was exported (its seal is broken). Export "
            "or copy the model again."
        )
    return manifest


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; two readers could take different ones of two equal keys."""
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key stands there twice")
    return dict(pairs)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def describe(manifest: dict[str, Any]) -> str:
    """Name, inputs and outputs of a step or a clip, and limits of a model."""
    lines = [f"{manifest['name']}: {manifest['description']}", ""]
    signatures = manifest["signatures"]
    for side, tensors in signatures.get("step", signatures["serving_default"]).items():
        for name, tensor in tensors.items():
            for feature in tensor.get("features", [{**tensor, "name": ""}]):
                of = f".{feature['name']}" if feature["name"] else ""
                shape = tensor["shape"][-1] if not of else 1
                lines.append(
                    f"  {side[:-1]:<6}  {name + of:<16} {shape:>3} "
                    f"{'[' + feature['unit'] + ']':<7} {feature['meaning']}"
                )
    return "\n".join([*lines, "", *(f"  ! {limit}" for limit in manifest["limits"])])


def printable(text: str) -> str:
    """Text for a terminal: control characters, which could move its cursor, as escapes."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)
