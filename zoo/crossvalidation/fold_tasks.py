"""Folds as tasks: each in a process of its own, here or on a cluster, with its result in a file.

A result is kept as a checkpoint is, with a checksum and a hash of the whole experiment, so that a
cross-validation that was stopped goes on behind the last complete fold.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo.checkpoints import Arrays, CheckpointFile
from zoo.convnets import split_model
from zoo.crossvalidation.network import checkpoint_key, front_end_key
from zoo.crossvalidation.settings import TrainingSettings
from zoo.data.clips import Clips
from zoo.tasks import Task, Workers, require_done, run_tasks
from zoo.tasks.execution import resolve
from zoo.training import hash_model

_STRUCTURE = "structure"  # entry with everything that is no array, as JSON
_ARRAY = "array"  # key that stands for one


def run_folds(
    function: str,
    names: Sequence[str],
    common: Mapping[str, Any],
    key: str,
    folder: Path | None,
    workers: Workers,
) -> list[dict[str, Any]]:
    """Results of folds that are computed in tasks, those that are kept in `folder` not again.

    Args:
        function: "package.module:name" of name(number, **common), which returns the result of a
            fold: a dataclass of arrays, numbers, text, mappings and other such dataclasses.
        names: of the folds, by their number.
        common: keyword arguments of the function; they can be pickled.
        key: hash of all that the results depend on.
        folder: of the results; None: they are not kept.
        workers: where the tasks run.

    Returns:
        The results as nested mappings, in the order of `names`.

    Raises:
        ValueError: a fold failed, or arguments that cannot be sent to another process.
    """
    with tempfile.TemporaryDirectory(prefix="zoo-folds-") as temporary:
        files = [_file(folder or Path(temporary), name, key) for name in names]
        tasks = [
            Task(
                name,
                "zoo.crossvalidation.fold_tasks:run_fold",
                {"function": function, "number": number, "result": file.path, "run": file.run},
                file.path,
            )
            for number, (name, file) in enumerate(zip(names, files, strict=True))
        ]
        outcomes = run_tasks(
            tasks, workers, common={"common": common}, is_done=lambda t: _is_whole(t, key)
        )
        require_done(outcomes, "folds")
        return [from_arrays(_read(file)) for file in files]


def run_fold(
    function: str, number: int, result: Path, run: Mapping[str, Any], common: Mapping[str, Any]
) -> None:
    """In a worker: compute one fold and keep its result.

    Args:
        function: see `run_folds`.
        number: of the fold.
        result: file to write.
        run: description of the result.
        common: see `run_folds`.
    """
    CheckpointFile(result, run).write(to_arrays(resolve(function)(number, **common)))


def experiment_key(
    build: Callable[[], keras.Model], features: Clips, settings: TrainingSettings, *facts: object
) -> str:
    """Hash of a cross-validation, for the names of its results.

    Args:
        build: makes the whole model.
        features: front end output of every clip.
        settings: of training.
        facts: whatever else the results depend on.
    """
    model = build()
    training = checkpoint_key(settings, features, front_end_key(split_model(model)[0]))
    text = repr((training, hash_model(model), *facts))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def to_arrays(result: Any) -> Arrays:
    """A result as named arrays, one of which holds its structure as JSON."""
    arrays: Arrays = {}

    def plain(value: Any) -> Any:
        if is_dataclass(value) and not isinstance(value, type):
            return plain(asdict(value))
        if isinstance(value, np.ndarray):
            arrays[f"{_ARRAY}_{len(arrays)}"] = value
            return {_ARRAY: f"{_ARRAY}_{len(arrays) - 1}"}
        if isinstance(value, Mapping):
            return {str(name): plain(each) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [plain(each) for each in value]
        return value.item() if isinstance(value, np.generic) else value

    structure = json.dumps(plain(result))
    return {**arrays, _STRUCTURE: np.array(structure)}


def from_arrays(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """What `to_arrays` was given, dataclasses as mappings."""

    def whole(value: Any) -> Any:
        if isinstance(value, dict):
            if set(value) == {_ARRAY}:
                return arrays[value[_ARRAY]]
            return {name: whole(each) for name, each in value.items()}
        return [whole(each) for each in value] if isinstance(value, list) else value

    return whole(json.loads(str(arrays[_STRUCTURE])))


def _file(folder: Path, name: str, key: str) -> CheckpointFile:
    stem = f"{name.replace(' ', '-')}-{key}.fold"
    return CheckpointFile(folder / f"{stem}.npz", {"fold": name, "key": key})


def _is_whole(task: Task, key: str) -> bool:
    try:
        return CheckpointFile(task.result, {"fold": task.name, "key": key}).read() is not None
    except (ValueError, OSError):  # damaged: computed again
        return False


def _read(file: CheckpointFile) -> Arrays:
    arrays = file.read()
    assert arrays is not None  # `run_folds` has just seen it
    return arrays
