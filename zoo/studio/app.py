"""The files of the app: as a folder to serve, or as one HTML file that needs nothing else."""

import base64
import gzip
import html
import json
from collections.abc import Iterator
from pathlib import Path

import zoo
from zoo import files
from zoo.studio.bundle import bundle
from zoo.studio.inline import inline_page, with_policy
from zoo.studio.models import StudioModel, studio_models
from zoo.studio.runtime import VERSION, Runtime

WEB = Path(__file__).parent / "web"
INDEX, MAIN, STYLE = "index.html", "main.js", "style.css"
LICENCE = "LICENSE.txt"  # of the app, and of LiteRT.js
WORKLET = "worklet.js"  # runs in the audio thread: a file of its own in either form
LOADER, WASM, LIST = "runtime/litert.js", "runtime/litert.wasm", "models/index.json"
MARK = "signals-with-memory-studio.json"  # in a folder that this module wrote, and may replace
# Nothing from elsewhere, no inline script or style; WebAssembly may be compiled.
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
    "img-src 'self' data: blob:; media-src blob:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'"
)
# An AudioWorklet cannot be loaded from the page's own text, so it comes as a data: address.
PAGE_SOURCES = "data: 'wasm-unsafe-eval'"


def app_files(runtime: Runtime) -> Iterator[tuple[str, bytes]]:
    """Path below the folder and content of every file of the app.

    Args:
        runtime: LiteRT.js.

    Raises:
        ValueError: in one line, a saved model that was changed.
    """
    for name, path in _sources().items():
        content = path.read_bytes()
        yield name, with_policy(content.decode(), POLICY).encode() if name == INDEX else content
    yield LOADER, runtime.loader
    yield WASM, runtime.wasm
    yield from _model_files(list(studio_models()))


def write_folder(folder: Path, runtime: Runtime) -> int:
    """Write the app as a folder, as a whole.

    Args:
        folder: absent, empty, or an earlier app.
        runtime: LiteRT.js.

    Returns:
        Its size [bytes].

    Raises:
        ValueError: in one line: another folder, or a saved model that was changed.
        OSError: if it cannot be written.
    """
    if folder.is_dir() and next(folder.iterdir(), None) and not (folder / MARK).is_file():
        raise ValueError(
            f"{folder}: not replaced, because `zoo studio` did not write it. Give another folder, "
            "or remove this one."
        )
    size = 0
    with files.replacing_folder(folder) as work:
        for name, content in app_files(runtime):
            path = work / "new" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            size += len(content)
        (work / "new" / MARK).write_text(json.dumps({"zoo": zoo.__version__, "litert": VERSION}))
    return size


def write_page(path: Path, runtime: Runtime) -> int:
    """Write the app as one HTML file: scripts, models and WebAssembly inside, compressed.

    Args:
        path: of the file.
        runtime: LiteRT.js.

    Returns:
        Its size [bytes].

    Raises:
        ValueError: in one line, a saved model that was changed.
        OSError: if it cannot be written.
    """
    content = page(runtime).encode()
    files.write_bytes(path, content)
    return len(content)


def page(runtime: Runtime) -> str:
    """Text of the app as one HTML file."""
    sources = {name: file.read_text("utf-8") for name, file in _sources().items()}
    scripts = [_without_comments(runtime.loader.decode()), bundle(sources, MAIN)]
    packed = {
        WASM: runtime.wasm,
        **{name: sources[name].encode() for name in (WORKLET, LICENCE)},
        **dict(_model_files(list(studio_models(single_file=True)))),
    }
    data = "\n".join(_data_block(name, content) for name, content in packed.items())
    return inline_page(sources[INDEX], sources[STYLE], scripts, data=data, sources=PAGE_SOURCES)


def _sources() -> dict[str, Path]:
    """Path below the app -> file, of everything in `web/` but the page of one model."""
    kept = (".html", ".css", ".js", ".svg", ".txt")
    paths = sorted(path for path in WEB.rglob("*") if path.suffix in kept)
    names = {path.relative_to(WEB).as_posix(): path for path in paths}
    return {name: path for name, path in names.items() if not name.startswith("page/")}


def _model_files(models: list[StudioModel]) -> Iterator[tuple[str, bytes]]:
    entries = [
        {"name": model.name, "manifest": model.manifest, "files": list(model.files)}
        for model in models
    ]
    about = {"zoo": zoo.__version__, "litert": VERSION, "models": entries}
    yield LIST, json.dumps(about, ensure_ascii=False, separators=(",", ":")).encode()
    for model in models:
        for name, content in model.files.items():
            yield f"models/{model.name}/{name}", content


def _data_block(name: str, content: bytes) -> str:
    packed = base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()
    return f'<script type="application/gzip" data-file="{html.escape(name)}">{packed}</script>'


def _without_comments(source: str) -> str:
    """Emscripten's script without lines that are comments only, and without indentation."""
    lines = (line.strip() for line in source.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))
