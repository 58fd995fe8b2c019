"""A model folder, read without trust: what it says of itself, and one verified file of it."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FORMATS = (1, 2)  # of manifests that this runtime understands; 1 has no seal
_LARGEST_MANIFEST = 1 << 24  # bytes


def read_manifest(folder: Path) -> dict[str, Any]:
    """What a model folder says of itself; none of its other files is touched.

    Its last entry, `seal`, is the SHA-256 of its own bytes with zeros in the place of the seal.

    Raises:
        ValueError: there is no manifest, or it was changed, or this runtime cannot follow it.
    """
    path = Path(folder, "manifest.json")
    if not path.is_file():
        raise ValueError(f"{folder}: no manifest.json. Expected a folder that an export wrote.")
    try:
        if path.stat().st_size > _LARGEST_MANIFEST:
            raise ValueError("too large")
        content = path.read_bytes()
        manifest = json.loads(content)
        complete = all(
            isinstance(manifest[key], Mapping) for key in ("files", "formats", "signatures")
        ) and all(isinstance(each, Mapping) for each in manifest["formats"].values())
    except (ValueError, KeyError, TypeError, RecursionError):
        complete = False
    if not complete:
        raise ValueError(f"{path}: not a manifest. Export or copy the model again.")
    if manifest.get("format") not in FORMATS:
        raise ValueError(
            f"{path}: expected a manifest of format {' or '.join(map(str, FORMATS))}, got "
            f"{manifest.get('format')!r}. Use the runtime of the release that exported the model."
        )
    if manifest["format"] != 1 and not _sealed(content, manifest.get("seal")):
        raise ValueError(
            f"{path}: the manifest is not the one that was exported (its seal is broken). "
            "Export or copy the model again."
        )
    return manifest


def _sealed(content: bytes, seal: Any) -> bool:
    if not isinstance(seal, str) or not seal:
        return False
    before, found, after = content.rpartition(seal.encode(errors="replace"))
    return hashlib.sha256(before + b"0" * len(found) + after).hexdigest() == seal


def step_file(manifest: Mapping[str, Any], weights: str) -> str:
    """Name of the TFLite step file whose weights have this precision.

    Raises:
        ValueError: there is none; the text names those there are.
    """
    files = {
        entry.get("weights"): entry.get("file")
        for entry in manifest["formats"].values()
        if entry.get("endpoint") == "step" and str(entry.get("file")).endswith(".tflite")
    }
    if weights not in files:
        known = ", ".join(sorted(map(str, files))) or "none: it is not a model that streams"
        raise ValueError(f"Expected weights of a step file, got {weights!r}. There are: {known}.")
    return files[weights]


def verified(folder: Path, manifest: Mapping[str, Any], file: str) -> bytes:
    """Content of a file of the folder, once its SHA-256 is the one in the manifest.

    A damaged model can load and answer wrongly, one made to do harm does it while it loads: so
    nobody parses a byte before this has returned.

    Raises:
        ValueError: a name outside the folder, a file without a hash, missing, or changed.
    """
    if Path(file).name != file or "\\" in file:
        raise ValueError(f"{folder}: expected the name of a file in the folder, got {file!r}.")
    path = Path(folder, file)
    entry = manifest["files"].get(file)
    if not isinstance(entry, Mapping) or not isinstance(entry.get("sha256"), str):
        raise ValueError(f"{path}: the manifest has no hash of it. Export the model again.")
    if not path.is_file():
        raise ValueError(f"{path}: the file is missing. Export or copy the model again.")
    # A file of another length is never read: it may not even end.
    same = path.stat().st_size == entry.get("bytes")
    content = path.read_bytes() if same else b""
    if not same or hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise ValueError(
            f"{path}: the file is not the one that was exported (SHA-256 differs). "
            "Export or copy the model again."
        )
    return content


def sample_rate_hz(manifest: Mapping[str, Any]) -> int:
    """Rate of the sound that a model hears [Hz].

    Raises:
        ValueError: the manifest does not say it.
    """
    try:
        rate = manifest["front_end"]["sample_rate_hz"]
        if rate > 0 and rate == int(rate):
            return int(rate)
    except (KeyError, TypeError, ValueError, OverflowError):
        pass
    raise ValueError(
        "Expected a positive whole number as `front_end.sample_rate_hz` of the manifest. Export "
        "the model again."
    )
