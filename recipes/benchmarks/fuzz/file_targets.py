"""Parsers of what users bring: sound, tables, corpora, budgets; and of files of a run."""

import hashlib
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile

from recipes import app
from recipes.benchmarks.fuzz.damage import damage_bytes, damage_json, damage_text
from recipes.benchmarks.fuzz.target import Target, answer_or_none, require_one_line
from zoo.checkpoints import CheckpointFile
from zoo.data import audio, corpora, measured
from zoo.data.inspection import read_headers
from zoo.edge import budget, capture, history
from zoo.leaderboard import Trial, TrialResult, read_board, trial_file, write_result

RATE_HZ = 8000
SOUNDS: dict[str, dict[str, Any]] = {
    "WAV 16": {"format": "WAV", "subtype": "PCM_16"},
    "WAV float": {"format": "WAV", "subtype": "FLOAT"},
    "WAV mu-law": {"format": "WAV", "subtype": "ULAW"},
    "RF64": {"format": "RF64", "subtype": "PCM_16"},
    "FLAC": {"format": "FLAC", "subtype": "PCM_16"},
    "Ogg": {"format": "OGG", "subtype": "VORBIS"},
    "MP3": {"format": "MP3", "subtype": "MPEG_LAYER_III"},
}


def sound_target(kind: str, work: Path) -> Target:
    """Containers of sound, read by the library and by the device."""
    samples = np.random.default_rng(1).uniform(-0.9, 0.9, 4000)
    file = io.BytesIO()
    soundfile.write(file, samples, RATE_HZ, **SOUNDS[kind])
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
            require_one_line(error)
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


def csv_target(name: str, work: Path) -> Target:
    """Tables of loading histories, read by the library, the device and the app."""
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
        answer_or_none(lambda: app.read_csv(path, None, None))
        device = answer_or_none(lambda: history.read_csv(path, "a.csv"))
        for loading in device or ():
            assert np.isfinite(loading.x).all() and (np.diff(loading.time_s) > 0).all()
        split = measured.read_csv(path, min_rows=2)
        assert np.isfinite(split.x).all() and np.isfinite(split.y).all()
        return split.x.tobytes(), split.y.tobytes()

    return Target({"a.csv": contents[name]}, answer, damage_text)


def corpus_target(model: Path, work: Path) -> Target:
    """Tables and annotations of corpora of sound."""
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


def checkpoint_target(model: Path, work: Path) -> Target:
    """The checkpoint of a training."""
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


def cache_target(model: Path, work: Path) -> Target:
    """Kept clips of decoded sound."""
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


def trial_target(model: Path, work: Path) -> Target:
    """The result of one trial of the leaderboard."""
    del model
    trial = Trial("lstm", 0)
    write_result(work, TrialResult("lstm", 0, 100, 1.5, "complete", {"walk": 0.1}))
    path = trial_file(work, trial)

    def answer(_: str, content: bytes) -> Any:
        path.write_bytes(content)
        return read_board(work, ["lstm"])

    return Target({path.name: path.read_bytes()}, answer, damage_json)


def budget_target(model: Path, work: Path) -> Target:
    """The budget of a device."""
    del model
    path = work / "budget.toml"

    def answer(_: str, content: bytes) -> Any:
        path.write_bytes(content)
        return budget.read_budget(path)

    return Target({path.name: budget.HEARING_AID.read_bytes()}, answer, damage_text)
