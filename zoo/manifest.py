"""The manifest of a saved model: the contract between export, library, device runtime and apps.

A saved model is a folder with `manifest.json`, which lists every other file with its SHA-256 and
ends with a seal, the SHA-256 of its own bytes with 64 zeros in the place of the seal. No other file
is parsed before its hash is right: a damaged model can load and answer wrongly. Hashes and seal
show damage, not who made the model: whoever writes a folder writes them too (`zoo.provenance`).
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, cast

from zoo import files

NAME = "manifest.json"
FORMAT = 2  # that is written; raised when readers must do something else
UNSEALED_FORMAT = 1  # of before version 0.2: read only to be exported again
_MAX_BYTES = 1 << 24  # of a manifest
_MAX_DEPTH = 32  # of its nesting; beyond it, code that walks it would end in a traceback
_UNSEALED = "0" * 64
# What readers take for granted of entries that are there: a type, a list of one kind, an object of
# one kind of values ("*"), or an object of named entries. Whoever writes a manifest can seal it.
_NUMBER = (int, float)
_TENSOR: dict[str, Any] = {"shape": [(int, type(None))], "unit": str, "meaning": str}
_TENSORS = {"*": {**_TENSOR, "features": [{"name": str, "unit": str, "meaning": str}]}}
_STRUCTURE: dict[str, Any] = {
    **dict.fromkeys(("name", "task", "description"), str),
    "parameters": int,
    "limits": [str],
    "classes": [str],
    "files": {"*": {"sha256": str, "bytes": int}},
    "formats": {"*": {}},
    "signatures": {"*": {"inputs": _TENSORS, "outputs": _TENSORS}},
    "metrics": {"*": {"*": {"value": (*_NUMBER, type(None)), "unit": str}}},
    "front_end": {"sample_rate_hz": _NUMBER, "hop_s": _NUMBER},
}


def read_manifest(folder: str | Path, *, unsealed: bool = False) -> dict[str, Any]:
    """The manifest of a model folder, its seal checked; none of the other files is touched.

    Args:
        folder: of the saved model.
        unsealed: whether format 1, which has no seal, is read as well.

    Returns:
        The entries; `files`, `formats` and `signatures` are there and are mappings.

    Raises:
        ValueError: if there is no manifest, it was changed, or this release cannot read its format.
    """
    path = Path(folder, NAME)
    if not path.is_file() or path.is_symlink():
        raise ValueError(f"{folder}: no {NAME}. Expected a folder that an export wrote.")
    content = _read_regular(path, _MAX_BYTES)
    manifest = _parse(content)
    if manifest is None:
        raise ValueError(f"{path}: not a manifest. Export or copy the model again.")
    version = manifest.get("format")
    if version == UNSEALED_FORMAT and type(version) is int:
        if not unsealed:
            raise ValueError(
                f"{path}: format 1 has no seal, so damage would not be noticed. Export it again: "
                f"zoo export {folder} --renew"
            )
        return manifest
    if version != FORMAT or type(version) is not int:
        raise ValueError(
            f"{path}: expected a manifest of format {FORMAT}, got {version!r}. Use the release "
            "that exported the model."
        )
    if not is_sealed(content, manifest.get("seal")):
        raise ValueError(
            f"{path}: the manifest is not the one that was exported (its seal is broken). "
            "Export or copy the model again."
        )
    return manifest


def parse_json(content: bytes | str) -> Any:
    """JSON whose objects name no key twice: two readers could take different ones.

    Args:
        content: the text.

    Raises:
        ValueError: no JSON, a key twice, NaN or infinity, or nested beyond all measure.
    """
    try:
        return json.loads(
            content, object_pairs_hook=_without_duplicates, parse_constant=_no_constant
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands there twice")
    return result


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _is_flat(value: Any, depth: int = _MAX_DEPTH) -> bool:
    """Whether nothing is nested deeper than `depth`."""
    if not isinstance(value, dict | list):
        return True
    inner: list[Any] = (
        list(cast(dict[str, Any], value).values())
        if isinstance(value, dict)
        else cast(list[Any], value)
    )
    return depth > 0 and all(_is_flat(each, depth - 1) for each in inner)


def _parse(content: bytes) -> dict[str, Any] | None:
    """The entries, None where the bytes are no manifest."""
    try:
        parsed = parse_json(content)
    except ValueError:
        return None
    if not isinstance(parsed, dict) or not _is_flat(parsed):
        return None
    manifest = cast(dict[str, Any], parsed)
    parts = [manifest.get(key) for key in ("files", "formats", "signatures")]
    if not all(isinstance(part, dict) for part in parts):
        return None
    return manifest if _fits(manifest, _STRUCTURE) else None


def _fits(value: Any, structure: Any) -> bool:
    """Whether a value has a structure, see `_STRUCTURE`; other entries may stand beside."""
    if isinstance(structure, list):
        kind: Any = cast(list[Any], structure)[0]
        return isinstance(value, list) and all(_fits(each, kind) for each in cast(list[Any], value))
    if isinstance(structure, dict):
        if not isinstance(value, dict):
            return False
        entries, kinds = cast(dict[str, Any], value), cast(dict[str, Any], structure)
        if "*" in kinds:
            return all(_fits(each, kinds["*"]) for each in entries.values())
        return all(_fits(entries[name], kinds[name]) for name in kinds if name in entries)
    return isinstance(value, structure) and not isinstance(value, bool)


def is_sealed(content: bytes, seal: object) -> bool:
    """Whether the bytes of a manifest are those that its seal was computed from.

    Args:
        content: of the file.
        seal: its last entry, whatever it is.
    """
    if not isinstance(seal, str) or len(seal) != len(_UNSEALED):
        return False
    before, sealed, after = content.rpartition(seal.encode(errors="replace"))
    return hashlib.sha256(before + b"0" * len(sealed) + after).hexdigest() == seal


def verify_folder(folder: str | Path, *, unsealed: bool = False) -> dict[str, Any]:
    """The manifest of a folder that holds exactly the files that were exported.

    Args:
        folder: of the saved model.
        unsealed: as for `read_manifest`.

    Raises:
        ValueError: in one line, naming the first file that is missing, too many or changed.
    """
    folder = Path(folder)
    manifest = read_manifest(folder, unsealed=unsealed)
    listed: Mapping[str, Any] = manifest["files"]
    present = present_files(folder)
    for name in sorted(present):
        if (folder / name).is_symlink():
            raise ValueError(
                f"{folder / name}: is a link, which a saved model never holds. Copy the model "
                "again."
            )
    for name in sorted(present.symmetric_difference({*listed, NAME})):
        what = "is missing" if name in listed else "is not in the manifest"
        raise ValueError(f"{folder / name}: the file {what}. Export or copy the model again.")
    for name, entry in listed.items():
        _matching_bytes(folder / name, entry)
    return manifest


def present_files(folder: str | Path) -> set[str]:
    """Relative paths of everything below a folder that is not a folder itself; links too."""
    names: set[str] = set()
    for parent, inner, here in os.walk(folder):
        links = [name for name in inner if Path(parent, name).is_symlink()]
        names |= {Path(parent, name).relative_to(folder).as_posix() for name in (*here, *links)}
    return names


def verified_bytes(folder: str | Path, manifest: Mapping[str, Any], file: str) -> bytes:
    """Content of one file of the folder, once its SHA-256 is the one in the manifest.

    Args:
        folder: of the saved model.
        manifest: its manifest, from `read_manifest`.
        file: name of a file that stands in the folder itself.

    Raises:
        ValueError: a name outside the folder, a file without a hash, missing, or changed.
    """
    if Path(file).name != file or "\\" in file:
        raise ValueError(f"{folder}: expected the name of a file in the folder, got {file!r}.")
    path = Path(folder, file)
    entry = manifest["files"].get(file)
    if (not path.is_file() or path.is_symlink()) and entry is not None:
        raise ValueError(f"{path}: the file is missing. Export or copy the model again.")
    return _matching_bytes(path, entry)


def copy_verified(
    folder: str | Path, manifest: Mapping[str, Any], target: Path, below: str = ""
) -> None:
    """Copy files of a model whose hash is right: what is opened then is what was hashed.

    Args:
        folder: of the saved model.
        manifest: its manifest, from `verify_folder`.
        target: folder of the copies, a private one.
        below: copy the files of this inner folder only.

    Raises:
        ValueError: a file that was changed, or whose name leads out of the folder.
    """
    for name, entry in manifest["files"].items():
        parts = PurePosixPath(name).parts
        if below and parts[:1] != (below,):
            continue
        if ".." in parts or "\\" in name or name.startswith("/"):
            raise ValueError(f"{folder}: expected the name of a file in the folder, got {name!r}.")
        content = _matching_bytes(Path(folder, name), entry)
        Path(target, name).parent.mkdir(parents=True, exist_ok=True)
        files.write_bytes(Path(target, name), content)  # its errors name the file


def _matching_bytes(path: Path, entry: Mapping[str, Any] | None) -> bytes:
    """Content of a file whose size and SHA-256 are those of its entry in the manifest."""
    if not entry or not isinstance(entry.get("sha256"), str):
        raise ValueError(f"{path}: the manifest has no hash of it. Export the model again.")
    # A file of another length is never read: it may not even end.
    same = path.stat().st_size == entry.get("bytes")
    content = _read_regular(path, path.stat().st_size) if same else b""
    if not same or hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise ValueError(
            f"{path}: the file is not the one that was exported (SHA-256 differs). "
            "Export or copy the model again."
        )
    return content


def _read_regular(path: Path, limit: int) -> bytes:
    """Content of a file that is no link; empty where it is longer than `limit`."""
    content = files.read_regular(path, limit + 1, follow=False)
    return content if len(content) <= limit else b""


def file_entries(folder: str | Path) -> dict[str, dict[str, Any]]:
    """SHA-256 and size of every file below a folder, by relative path: the entry `files`."""
    return {
        path.relative_to(folder).as_posix(): {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "bytes": path.stat().st_size,
        }
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file()
    }


def write_manifest(folder: str | Path, manifest: Mapping[str, Any]) -> str:
    """Write and seal `manifest.json`.

    Args:
        folder: of the saved model; the other files are in it.
        manifest: the entries, `files` among them; an old seal is dropped.

    Returns:
        The seal.

    Raises:
        ValueError: for NaN and infinity, which are not JSON.
    """
    unsealed = {name: value for name, value in manifest.items() if name != "seal"}
    text = json.dumps(
        {**unsealed, "seal": _UNSEALED}, indent=1, ensure_ascii=False, allow_nan=False
    )
    content = f"{text}\n".encode()
    before, _, after = content.rpartition(_UNSEALED.encode())
    seal = hashlib.sha256(content).hexdigest()
    files.write_bytes(Path(folder, NAME), before + seal.encode() + after)
    return seal
