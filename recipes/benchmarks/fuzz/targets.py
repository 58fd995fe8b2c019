"""Parsers to damage the input of: what they read, and what must be true of their answer."""

import contextlib
import hashlib
import io
import json
import os
import shutil
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile

import zoo.edge
from recipes import app
from recipes.benchmarks.fuzz.damage import Damage, damage_bytes, damage_json, damage_text
from zoo import manifest
from zoo.checkpoints import CheckpointFile
from zoo.data import audio, corpora, measured
from zoo.data.inspection import read_headers
from zoo.description import describe_model
from zoo.edge import budget, capture, golden, graph, history
from zoo.leaderboard import Trial, TrialResult, read_board, trial_file, write_result

RATE_HZ = 8000
_SOUNDS: dict[str, dict[str, Any]] = {
    "WAV 16": {"format": "WAV", "subtype": "PCM_16"},
    "WAV float": {"format": "WAV", "subtype": "FLOAT"},
    "WAV mu-law": {"format": "WAV", "subtype": "ULAW"},
    "RF64": {"format": "RF64", "subtype": "PCM_16"},
    "FLAC": {"format": "FLAC", "subtype": "PCM_16"},
    "Ogg": {"format": "OGG", "subtype": "VORBIS"},
    "MP3": {"format": "MP3", "subtype": "MPEG_LAYER_III"},
}


@dataclass(frozen=True)
class Target:
    """A parser.

    Attributes:
        contents: files to damage, by name.
        answer: name and content of a file -> what the parser makes of it, comparable; it raises
            ValueError or OSError where it refuses, and AssertionError where its answer is wrong.
        damage: of the content.
        is_sealed: whether every change must be noticed; else a changed file may be another one.
    """

    contents: dict[str, bytes]
    answer: Callable[[str, bytes], Any]
    damage: Damage
    is_sealed: bool = False


def make_target(name: str, model: Path, work: Path) -> Target:
    """A target.

    Args:
        name: among `recipes.benchmarks.fuzz.settings.TARGETS`.
        model: folder of a small saved stress model.
        work: empty folder for its files.
    """
    if name in _SOUNDS:
        return _sound(name, work)
    if name.startswith("csv"):
        return _csv(name, work)
    return _MAKERS[name](model, work)


def _sound(kind: str, work: Path) -> Target:
    """Containers of sound, read by the library and by the device."""
    samples = np.random.default_rng(1).uniform(-0.9, 0.9, 4000)
    file = io.BytesIO()
    soundfile.write(file, samples, RATE_HZ, **_SOUNDS[kind])
    path = work / "a"

    def answer(_: str, content: bytes) -> Any:
        path.write_bytes(content)
        try:
            sound, rate_hz = audio.read(path)
        except audio.DamagedRecording:
            sound, rate_hz = None, None
        try:
            source = capture.from_file(path)
            streamed = np.concatenate([_as_float(block) for block in source.blocks]).mean(axis=1)
        except ValueError as error:
            _require_one_line(error)
            streamed = None
        if sound is None or rate_hz is None:
            raise ValueError("refused by the library")
        header = audio.read_header(path)
        assert len(sound) == header.frames and np.isfinite(sound).all()
        assert streamed is None or len(streamed) == len(sound), "the device reads another length"
        return len(sound), rate_hz, hashlib.sha256(sound.tobytes()).hexdigest()

    return Target({kind: file.getvalue()}, answer, damage_bytes)


def _as_float(block: Any) -> np.ndarray:
    scale = {"int16": 2.0**15, "int32": 2.0**31}.get(block.dtype.name, 1.0)
    return block / scale


def _copy(model: Path, work: Path) -> Path:
    shutil.copytree(model, work / "model")
    return work / "model"


def _reseal(folder: Path, content: bytes) -> None:
    """What anybody can do: a manifest that fits itself."""
    manifest.write_manifest(folder, json.loads(content))


def _manifest(model: Path, work: Path) -> Target:
    folder = _copy(model, work)

    def answer(_: str, content: bytes) -> Any:
        (folder / manifest.NAME).write_bytes(content)
        app_manifest = _refused_or(lambda: app.read_manifest(folder))
        entries = manifest.read_manifest(folder)
        assert app_manifest in (None, entries), "the app reads another manifest"
        return entries

    contents = {manifest.NAME: (folder / manifest.NAME).read_bytes()}
    return Target(contents, answer, damage_bytes, is_sealed=True)


def _refused_or(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except (ValueError, OSError) as error:
        _require_one_line(error)
        return None


def _require_one_line(error: Exception) -> None:
    text = str(error)
    assert text and "\n" not in text and len(text) < 8000, f"no single line: {text[:200]!r}"


def _resealed_manifest(model: Path, work: Path) -> Target:
    folder = _copy(model, work)

    def answer(_: str, content: bytes) -> Any:
        _reseal(folder, content)
        entries = manifest.read_manifest(folder)
        shown = _refused_or(lambda: describe_model(entries))
        _refused_or(lambda: app.verify_model(folder))
        _refused_or(lambda: zoo.edge.open(folder))
        _refused_or(lambda: manifest.verify_folder(folder))
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


def _golden(model: Path, work: Path) -> Target:
    folder = _copy(model, work)
    entries = manifest.read_manifest(folder)

    def answer(_: str, content: bytes) -> Any:
        changed = _with_file(folder, entries, golden.FILE, content)
        arrays = golden.read_golden(folder, changed)
        return {name: array.tobytes() for name, array in arrays.items()}

    return Target({golden.FILE: (folder / golden.FILE).read_bytes()}, answer, damage_bytes)


def _checkpoint(model: Path, work: Path) -> Target:
    del model
    run = {"seed": 0, "budget": {"epochs": 3}}
    path = work / "run.npz"
    CheckpointFile(path, run).write({"weights": np.arange(60.0), "history": np.array("{}")})

    def answer(_: str, content: bytes) -> Any:
        path.write_bytes(content)
        arrays = CheckpointFile(path, run).read()
        assert arrays is not None
        return {name: array.tobytes() for name, array in arrays.items()}

    return Target({"run.npz": path.read_bytes()}, answer, damage_bytes, is_sealed=True)


def _cache(model: Path, work: Path) -> Target:
    from zoo.data import pipeline  # imported here: TensorFlow takes seconds, most targets need none

    del model
    paths = [work / f"{number}.wav" for number in range(4)]
    for number, path in enumerate(paths):
        samples = np.random.default_rng(number).uniform(-0.5, 0.5, 50)
        soundfile.write(path, samples, RATE_HZ, subtype="FLOAT")
    index = pd.DataFrame({"path": [str(path) for path in paths], "label": "x"})
    index = index.assign(start_s=np.nan, end_s=np.nan)

    def load() -> np.ndarray:
        clips = pipeline.load(index, sample_rate_hz=RATE_HZ, cache=work / "kept")
        return np.stack([clips.source[row] for row in clips.rows])

    load()
    (place,) = (work / "kept").iterdir()
    contents = {path.name: path.read_bytes() for path in place.iterdir()}

    def answer(name: str, content: bytes) -> Any:
        for each, original in contents.items():
            (place / each).write_bytes(content if each == name else original)
        return load().tobytes()

    return Target(contents, answer, damage_bytes, is_sealed=True)


def _trial(model: Path, work: Path) -> Target:
    del model
    trial = Trial("lstm", 0)
    write_result(work, TrialResult("lstm", 0, 100, 1.5, "complete", {"walk": 0.1}))
    path = trial_file(work, trial)

    def answer(_: str, content: bytes) -> Any:
        path.write_bytes(content)
        return read_board(work, ["lstm"])

    return Target({path.name: path.read_bytes()}, answer, damage_json)


def _budget(model: Path, work: Path) -> Target:
    del model
    path = work / "budget.toml"

    def answer(_: str, content: bytes) -> Any:
        path.write_bytes(content)
        return budget.read_budget(path)

    return Target({path.name: budget.HEARING_AID.read_bytes()}, answer, damage_text)


def _csv(name: str, work: Path) -> Target:
    steps = np.arange(1, 25)
    rows = [f"{0.1 * n:.6g},{0.02 * n:.6g},{0.3 * n:.6g}" for n in steps]
    semicolons = [f"{0.1 * n:.6g};{2.0 * n:.6g};{300.0 * n:.6g}".replace(".", ",") for n in steps]
    contents = {
        "csv": "\n".join(["time_s,strain,stress_mpa", *rows]).encode(),
        "csv machine": "\n".join(
            ["Prüfung;3", "# of today", "Zeit;Dehnung;Spannung", "s;%;kPa", *semicolons]
        ).encode("latin-1"),
        "csv utf-16": "\n".join(["time [s]\tstretch [-]\tstress [MPa]", *rows])
        .replace(",", "\t")
        .encode("utf-16"),
    }
    path = work / "a.csv"

    def answer(_: str, content: bytes) -> Any:
        path.write_bytes(content)
        _refused_or(lambda: app.read_csv(path, None, None))
        device = _refused_or(lambda: history.read_csv(path, "a.csv"))
        for loading in device or ():
            assert np.isfinite(loading.x).all() and (np.diff(loading.time_s) > 0).all()
        split = measured.read_csv(path, min_rows=2)
        assert np.isfinite(split.x).all() and np.isfinite(split.y).all()
        return split.x.tobytes(), split.y.tobytes()

    return Target({"a.csv": contents[name]}, answer, damage_text)


def _corpus(model: Path, work: Path) -> Target:
    del model
    contents, roots = _corpus_files(work)

    def answer(name: str, content: bytes) -> Any:
        (work / name).write_bytes(content)
        try:
            corpus = corpora.read(roots[name])
        finally:
            (work / name).write_bytes(contents[name])
        root = os.path.realpath(corpus.root)
        for path in corpus.index["path"]:
            assert os.path.realpath(path).startswith(root + os.sep), "a file outside the corpus"
        labels = corpus.index["label"].astype(str)
        assert (labels.str.len() > 0).all(), "a class without a name"
        times = corpus.index[["start_s", "end_s"]].to_numpy(float)
        assert not np.isinf(times).any(), "a time without end"
        read_headers(corpus.index.head(3))
        return corpus.index.astype(str).to_csv()

    return Target(contents, answer, damage_text)


def _corpus_files(work: Path) -> tuple[dict[str, bytes], dict[str, Path]]:
    """Tables of five layouts with two recordings each: name -> content, name -> root."""
    tables = {
        "esc50/meta/esc50.csv": (
            "filename,fold,target,category,esc10,src_file,take\n"
            "1-7-A-0.wav,1,0,dog,True,7,A\n2-8-B-1.wav,2,1,rain,True,8,B\n",
            ["audio/1-7-A-0.wav", "audio/2-8-B-1.wav"],
        ),
        "urban/metadata/UrbanSound8K.csv": (
            "slice_file_name,fsID,start,end,salience,fold,classID,class\n"
            "7-3-0-0.wav,7,0,4,1,1,3,dog_bark\n8-2-0-0.wav,8,0,4,2,2,2,siren\n",
            ["audio/fold1/7-3-0-0.wav", "audio/fold2/8-2-0-0.wav"],
        ),
        "tau/meta.csv": (
            "filename\tscene_label\tidentifier\tsource_label\n"
            "audio/park-oslo-1-2-a.wav\tpark\toslo-1\ta\n"
            "audio/tram-oslo-3-4-a.wav\ttram\toslo-3\ta\n",
            ["audio/park-oslo-1-2-a.wav", "audio/tram-oslo-3-4-a.wav"],
        ),
        "icbhi/101_1b1_Al_sc_Meditron.txt": (
            "0.036\t0.579\t0\t0\n0.579\t0.9\t1\t0\n",
            ["101_1b1_Al_sc_Meditron.wav", "102_1b1_Al_sc_Meditron.wav"],
        ),
        "hf_lung/train/steth_20180814_09_37_11_label.txt": (
            "I 00:00:00.038 00:00:00.338\nWheeze 00:00:00.4 00:00:00.6\n",
            ["train/steth_20180814_09_37_11.wav", "train/steth_20180815_09_37_11.wav"],
        ),
        "classes/groups.csv": (
            "filename,group\nrain/a.wav,1\nwind/b.wav,2\n",
            ["rain/a.wav", "wind/b.wav"],
        ),
    }
    contents, roots = {}, {}
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, RATE_HZ)
    for name, (text, recordings) in tables.items():
        root = work / name.split("/")[0]
        for recording in recordings:
            (root / recording).parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(root / recording, samples, RATE_HZ)
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(text)
        contents[name], roots[name] = text.encode(), root
    (work / "tau" / "evaluation_setup").mkdir()
    for other in (
        "icbhi/102_1b1_Al_sc_Meditron.txt",
        "hf_lung/train/steth_20180815_09_37_11_label.txt",
    ):
        source = next(name for name in tables if name.split("/")[0] == other.split("/")[0])
        (work / other).write_text(tables[source][0])
    return contents, roots


def _keras(model: Path, work: Path) -> Target:
    import keras  # imported here: see _cache

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


def _tflite(model: Path, work: Path) -> Target:
    del work

    def answer(_: str, content: bytes) -> Any:
        return graph.read(content, "step.tflite").operator_names

    return Target({"step.tflite": (model / "step.tflite").read_bytes()}, answer, damage_bytes)


def _litert(model: Path, work: Path) -> Target:
    folder = _copy(model, work)
    entries = manifest.read_manifest(folder)

    def answer(_: str, content: bytes) -> Any:
        _with_file(folder, entries, "step.tflite", content)
        opened = zoo.edge.open(folder)
        outputs = opened.step(np.full(opened.input_shape, 0.1, np.float32))
        return {name: value.tolist() for name, value in outputs.items()}

    return Target({"step.tflite": (folder / "step.tflite").read_bytes()}, answer, damage_bytes)


_MAKERS: dict[str, Callable[[Path, Path], Target]] = {
    "manifest": _manifest,
    "resealed manifest": _resealed_manifest,
    "golden": _golden,
    "checkpoint": _checkpoint,
    "cache": _cache,
    "trial": _trial,
    "budget": _budget,
    "corpus": _corpus,
    "keras": _keras,
    "tflite": _tflite,
    "litert": _litert,
}


@dataclass
class Counts:
    """Outcomes.

    Attributes:
        tried: files.
        refused: in one line.
        same: answered as before the damage.
        other: read as another file, as its text or bytes say; never of a sealed one.
        broke: crash, hang, traceback, several lines, or another answer where damage must be seen.
        faults: the first of those, with the number of the case.
    """

    tried: int = 0
    refused: int = 0
    same: int = 0
    other: int = 0
    broke: int = 0
    faults: list[str] | None = None

    def add_fault(self, text: str) -> None:
        """Note a case that broke."""
        self.broke += 1
        self.faults = [*(self.faults or []), text][:10]


def run_case(
    target: Target, expected: dict[str, Any], seed: int, number: int, counts: Counts
) -> None:
    """Damage one file and see what its parser makes of it.

    Args:
        target: to damage.
        expected: name of a file -> answer before the damage, from `expected_answers`.
        seed: of the run.
        number: of the case.
        counts: to add to.
    """
    rng = np.random.default_rng([seed, number])
    names = sorted(target.contents)
    name = names[int(rng.integers(len(names)))]
    content = target.damage(target.contents[name], rng)
    counts.tried += 1
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            answer = target.answer(name, content)
    except (ValueError, OSError) as error:
        try:
            _require_one_line(error)
            counts.refused += 1
        except AssertionError as fault:
            counts.add_fault(f"case {number}: {fault}")
        return
    except Exception as error:
        counts.add_fault(f"case {number}, {name}: {type(error).__name__}: {str(error)[:200]}")
        return
    if answer == expected[name]:
        counts.same += 1
    elif target.is_sealed:
        counts.add_fault(f"case {number}, {name}: another answer in silence")
    else:
        counts.other += 1


def expected_answers(target: Target) -> dict[str, Any]:
    """Answers to the files as they are, by name."""
    with contextlib.redirect_stderr(io.StringIO()):
        return {name: target.answer(name, content) for name, content in target.contents.items()}
