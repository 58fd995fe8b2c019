"""What is disturbed: each job writes or reads one thing, and can be repeated."""

import contextlib
import hashlib
import importlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo import folders, manifest
from zoo.checkpoints import CheckpointFile
from zoo.cli import command
from zoo.files import replacing_folder, write_text
from zoo.leaderboard import TrialResult, write_result

MODEL = "hysteresis-rnn"  # the smallest
PREDICTING = ("zoo.__main__", "zoo.predictions", "zoo.models.stress", "zoo.registration")
RUN = {"seed": 0}


@dataclass(frozen=True)
class Job:
    """A job.

    Attributes:
        run: does it in a folder and returns what it read, or nothing.
        target: file or folder that it writes or reads, in that folder.
        is_folder: whether that is a folder.
        imports: modules to import before a process is forked for it.
        reads: whether the target is read; else it is written.
    """

    run: Callable[[Path], str]
    target: str
    is_folder: bool = False
    imports: tuple[str, ...] = ()
    reads: bool = False


def _beside(out: Path) -> Path:
    """Folder that is never disturbed: the one in which the folder of the case, `out`, stands."""
    return next(path for path in (out, *out.parents) if path.name.startswith("zoo-faults-"))


def _write_page(out: Path) -> str:
    write_text(out / "page.html", "<p>8 bytes" * 800)
    return ""


def _write_checkpoint(out: Path) -> str:
    file = CheckpointFile(out / "run.npz", RUN)
    file.read()
    file.write({"weights": np.arange(60.0)})
    return ""


def _read_checkpoint(out: Path) -> str:
    arrays = CheckpointFile(out / "run.npz", RUN).read()
    return "a new run" if arrays is None else str(arrays["weights"].sum())


def _write_trial(out: Path) -> str:
    write_result(out, TrialResult("lstm", 0, 100, 1.5, "complete", {"walk": 0.1}))
    return ""


def _use_cache(out: Path) -> str:
    from zoo.data import pipeline  # with TensorFlow, which most jobs do without

    clips = pipeline.load(_recordings(out), sample_rate_hz=8000, cache=out / "kept")
    sound = np.concatenate([clips.source[row] for row in clips.rows])
    return hashlib.sha256(sound.tobytes()).hexdigest()


def _recordings(out: Path) -> Any:
    """Index of two recordings beside the folder of the job."""
    import pandas as pd  # as above
    import soundfile

    folder = _beside(out) / "recordings"
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{number}.wav" for number in range(2)]
    for number, path in enumerate(paths):
        if not path.exists():
            samples = np.random.default_rng(number).uniform(-0.5, 0.5, 4000)
            soundfile.write(path, samples, 8000, subtype="FLOAT")
    index = pd.DataFrame({"path": [str(path) for path in paths], "label": "x"})
    return index.assign(start_s=np.nan, end_s=np.nan)


def _write_model(out: Path) -> str:
    with replacing_folder(out / "model") as work:
        for path in sorted(folders.find(MODEL).rglob("*")):
            target = work / "new" / path.relative_to(folders.find(MODEL))
            if path.is_dir():
                target.mkdir()
            else:
                target.write_bytes(path.read_bytes())
        entries = manifest.read_manifest(work / "new")
        manifest.write_manifest(work / "new", entries)
    return ""


def _read_model(out: Path) -> str:
    manifest.verify_folder(out / "model")
    return str(sorted(manifest.read_manifest(out / "model")["files"]))


def _loading(out: Path) -> Path:
    """Table of a strain history beside the folder of the job."""
    path = _beside(out) / "loading.csv"
    if not path.exists():
        rows = [f"{0.1 * n:.6g},{0.1 * np.sin(0.3 * n):.6g}" for n in range(40)]
        write_text(path, "\n".join(["time_s,strain", *rows]))
    return path


def _predict(*words: str) -> str:
    import zoo.__main__  # the parser imports what it needs

    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        options = zoo.__main__.parser().parse_args(["predict", MODEL, *words])
        options.run(options)
    return text.getvalue()


def _write_table(out: Path) -> str:
    _predict(str(_loading(out)), "--out", str(out / "stress.csv"))
    return ""


def _write_picture(out: Path) -> str:
    _predict(str(_loading(out)), "--plot", str(out / "s.png"))
    return ""


def _run_app(out: Path) -> str:
    from recipes import app

    words = [str(folders.find(MODEL)), "--csv", str(_loading(out)), "--out", str(out / "app.csv")]
    with contextlib.redirect_stdout(io.StringIO()):
        app.main(words)
    return ""


def _read_table(out: Path) -> str:
    path = out / "loading.csv"
    if not (_beside(out) / "made").exists():
        write_text(_beside(out) / "made", "")
        write_text(path, _loading(out).read_text())
    return _predict(str(path))


JOBS = {
    "text": Job(_write_page, "page.html"),
    "checkpoint": Job(_write_checkpoint, "run.npz"),
    "trial": Job(_write_trial, "lstm-0.json"),
    "cache": Job(_use_cache, "kept", is_folder=True, imports=("zoo.data.pipeline",)),
    "model": Job(_write_model, "model", is_folder=True),
    "table": Job(_write_table, "stress.csv", imports=PREDICTING),
    "picture": Job(_write_picture, "s.png", imports=(*PREDICTING, "zoo.plots")),
    "app": Job(_run_app, "app.csv", imports=("recipes.app", "ai_edge_litert.interpreter")),
    "read table": Job(_read_table, "loading.csv", imports=PREDICTING, reads=True),
    "read model": Job(_read_model, "model", is_folder=True, reads=True),
    "read checkpoint": Job(_read_checkpoint, "run.npz", reads=True),
    "read cache": Job(_use_cache, "kept", True, ("zoo.data.pipeline",), reads=True),
}
# What has to stand there before a job can read it.
PREPARED = {"read model": "model", "read checkpoint": "checkpoint", "read cache": "cache"}


def import_for(names: tuple[str, ...]) -> None:
    """Import what jobs need, so that their processes need not."""
    for name in names:
        for module in JOBS[name].imports:
            importlib.import_module(module)


def call(job: Job, out: Path) -> tuple[int, str, str]:
    """Exit code, what was read, and what stands on standard error, as a command ends."""
    result: list[str] = []
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors):
        code = command.call(lambda: result.append(job.run(out)))
    return code, "".join(result), errors.getvalue()
