"""LiteRT.js, the runtime of TFLite models in a browser: fetched from npm once, pinned by its hash.

The package's own JavaScript wraps two files, WebAssembly and what Emscripten wrote to load it. The
app takes these two alone, in the variant that every browser with WebAssembly SIMD runs, so that
all of them round alike: `relaxed SIMD` may round in either of two ways.
"""

import base64
import gzip
import hashlib
import io
import os
import tarfile
import urllib.error
import urllib.request
import zlib
from dataclasses import dataclass
from pathlib import Path

from zoo import files
from zoo.causes import cause_of

PACKAGE, VERSION = "@litertjs/core", "2.5.3"
# npm's integrity of the archive: its SHA-512 in base64.
SHA512 = "PlGmbMOq9WitX7FO0jhbdJw9GthatsyuCQXjTt/wJZo0FLaw48q4tz8IwqgqCIkviYGr9OFDL1kCnN4nzWoyJQ=="
REGISTRY_VARIABLE = "npm_config_registry"  # environment variable that npm itself reads
REGISTRY = "https://registry.npmjs.org"
ARCHIVE = f"litertjs-core-{VERSION}.tgz"
LOADER, WASM = "wasm/litert_wasm_compat_internal.js", "wasm/litert_wasm_compat_internal.wasm"
# SHA-256 of the two files in the archive, for `--runtime FOLDER`.
HASHES = {
    LOADER: "4d8f894b7883654fd6e8439730aa41e79ceaab7d19184fc4f1f0b0f1a2a2c8a5",
    WASM: "5255c8ad06eabdbd2522cdebf6b22fc10faf74625c23a49b9e072570cd1fa41c",
}
_TIMEOUT_S = 60
_MAX_BYTES = 40_000_000  # of the archive, and of each of its files


@dataclass(frozen=True)
class Runtime:
    """The two files of LiteRT.js that the app uses.

    Attributes:
        loader: JavaScript by Emscripten, which defines `ModuleFactory`.
        wasm: WebAssembly.
    """

    loader: bytes
    wasm: bytes


def find_runtime(path: Path | None = None, *, download: bool = True) -> Runtime:
    """LiteRT.js from a copy, from the cache, or from npm.

    Args:
        path: an archive as `npm pack` makes it, or the folder of the unpacked package; None: the
            cache, else npm's registry, or the one that `npm_config_registry` names.
        download: whether the registry may be asked.

    Returns:
        Its files, their hash checked.

    Raises:
        ValueError: in one line: another version, damaged, or not there and not to be had.
    """
    if path is not None:
        return _from_folder(path) if path.is_dir() else _from_archive(_read(path), str(path))
    cached = cache_folder() / ARCHIVE
    if cached.is_file() and _is_intact(content := cached.read_bytes()):
        return _from_archive(content, str(cached))
    if not download:
        raise ValueError(f"{cached}: LiteRT.js {VERSION} is not in the cache. Run `zoo studio`.")
    content = _fetch()
    runtime = _from_archive(content, f"the archive from {_address()}")
    files.write_bytes(cached, content)
    return runtime


def cache_folder() -> Path:
    """Folder that keeps the archive: below XDG_CACHE_HOME, by default ~/.cache."""
    home = os.environ.get("XDG_CACHE_HOME")
    return Path(home or Path.home() / ".cache", "signals-with-memory")


def _address() -> str:
    registry = os.environ.get(REGISTRY_VARIABLE) or REGISTRY
    return f"{registry.rstrip('/')}/{PACKAGE}/-/core-{VERSION}.tgz"


def _fetch() -> bytes:
    address = _address()
    if not address.startswith(("https://", "http://")):
        raise ValueError(f"{REGISTRY_VARIABLE} must be an address of http or https. Got {address}.")
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT_S) as reply:
            return reply.read(_MAX_BYTES)
    except (urllib.error.URLError, OSError) as error:
        raise ValueError(
            f"{address}: LiteRT.js {VERSION} cannot be fetched ({cause_of(error)}). Go online "
            f"once, or give a copy: `npm pack {PACKAGE}@{VERSION}`, then --runtime {ARCHIVE}."
        ) from None


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise ValueError(f"{path}: no such file or folder. Expected LiteRT.js {VERSION}.")
    with path.open("rb") as file:
        return file.read(_MAX_BYTES)


def _is_intact(content: bytes) -> bool:
    return base64.b64encode(hashlib.sha512(content).digest()).decode() == SHA512


def _from_archive(content: bytes, where: str) -> Runtime:
    """The files of an archive, whose integrity is npm's: unpacked only after that is right."""
    if not _is_intact(content):
        raise ValueError(
            f"{where}: expected {PACKAGE} {VERSION} as npm has it, the SHA-512 differs. Fetch it "
            f"again: npm pack {PACKAGE}@{VERSION}"
        )
    try:
        unpacked = gzip.decompress(content)
        with tarfile.open(fileobj=io.BytesIO(unpacked)) as archive:
            parts = {name: archive.extractfile(f"package/{name}") for name in HASHES}
            contents = {name: part.read() for name, part in parts.items() if part is not None}
    except (tarfile.TarError, KeyError, EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{where}: cannot be unpacked ({cause_of(error)}).") from None
    return _checked(contents, where)


def _from_folder(folder: Path) -> Runtime:
    root = folder / "package" if (folder / "package").is_dir() else folder
    return _checked({name: _read(root / name) for name in HASHES}, str(folder))


def _checked(found: dict[str, bytes], where: str) -> Runtime:
    for name, digest in HASHES.items():
        if hashlib.sha256(found.get(name, b"")).hexdigest() != digest:
            raise ValueError(
                f"{where}: expected {name} of {PACKAGE} {VERSION}, its SHA-256 differs. Fetch it "
                f"again: npm pack {PACKAGE}@{VERSION}"
            )
    return Runtime(found[LOADER], found[WASM])
