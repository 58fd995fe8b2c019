"""Checkpoints: two generations, no damage taken for a state, no other run continued."""

import os

import numpy as np
import pytest

from zoo.checkpoints import CheckpointFile, hash_arrays, previous_path

RUN = {"budget": {"epochs": 4, "learning_rate": 0.005}, "seed": 0, "data": "a", "model": "b"}


def arrays(epoch):
    return {"weights": np.full((3, 2), epoch, np.float32), "history": np.array(f"epoch {epoch}")}


@pytest.fixture
def file(tmp_path):
    """Path of a checkpoint with two generations: of the epochs 1 and 2."""
    path = tmp_path / "run.npz"
    checkpoint = CheckpointFile(path, RUN)
    assert checkpoint.read() is None
    for epoch in (0, 1, 2):
        checkpoint.write(arrays(epoch))
    assert set(tmp_path.iterdir()) == {path, previous_path(path)}
    return path


def read_epoch(path, run=RUN):
    read = CheckpointFile(path, run).read()
    return None if read is None else float(read["weights"][0, 0])


def test_the_newest_state_is_read_and_numpy_opens_it_too(file):
    assert read_epoch(file) == 2
    with np.load(file) as saved:
        np.testing.assert_array_equal(saved["weights"], arrays(2)["weights"])


def test_any_damage_means_the_state_before_it_in_one_line(file, capsys):
    whole, rng = file.read_bytes(), np.random.default_rng(0)
    for number in range(400):
        content = bytearray(whole)
        at = int(rng.integers(len(content)))
        if number % 4 == 0:
            content = content[:at]
        elif number % 4 == 1:
            content[at : at + 16] = rng.bytes(16)
        else:
            content[at] ^= 1 << int(rng.integers(8))
        if bytes(content) == whole:
            continue
        file.write_bytes(content)
        assert read_epoch(file) == 1
        error = capsys.readouterr().err
        assert error.count("\n") == 1 and "is damaged: continuing from the one before it" in error


def test_a_good_generation_is_not_replaced_by_a_damaged_one(file):
    file.write_bytes(b"damaged")
    checkpoint = CheckpointFile(file, RUN)
    checkpoint.read()
    checkpoint.write(arrays(3))
    assert read_epoch(file) == 3
    file.unlink()
    assert read_epoch(file) == 1  # not the damaged one


def test_both_generations_damaged_is_refused_in_one_line(file):
    for path in (file, previous_path(file)):
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="Remove it to start anew") as error:
        read_epoch(file)
    assert "\n" not in str(error.value)


def test_a_kill_between_the_two_renames_loses_one_epoch(file, capsys):
    file.unlink()
    assert read_epoch(file) == 1
    assert "is missing: continuing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 5}, "seed 0 there, 5 here"),
        ({"data": "c"}, "other data"),
        ({"model": "c"}, "other model"),
        ({"budget": {"epochs": 4, "learning_rate": 0.1}}, "learning rate 0.005 there, 0.1 here"),
    ],
)
def test_another_run_is_refused_with_what_differs(file, change, message):
    with pytest.raises(ValueError, match=message):
        read_epoch(file, RUN | change)


def test_a_checkpoint_of_an_earlier_meaning_is_refused(file, monkeypatch):
    monkeypatch.setattr("zoo.checkpoints.VERSION", 99)
    with pytest.raises(ValueError, match="version 3 there, 99 here"):
        read_epoch(file)


def test_a_failed_write_leaves_both_generations(file, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    checkpoint = CheckpointFile(file, RUN)
    checkpoint.read()
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        checkpoint.write(arrays(3))
    assert read_epoch(file) == 2
    assert {path.name for path in file.parent.iterdir()} == {"run.npz", "run.previous.npz"}


def test_file_and_folder_are_synced_before_and_after_the_rename(tmp_path, monkeypatch):
    calls, replace = [], os.replace
    monkeypatch.setattr(
        "os.fsync", lambda handle: calls.append(os.readlink(f"/proc/self/fd/{handle}"))
    )
    monkeypatch.setattr("os.replace", lambda a, b: (calls.append("rename"), replace(a, b)))
    CheckpointFile(tmp_path / "run.npz", RUN).write(arrays(0))
    assert calls[0].endswith("run.npz") and calls[1:] == ["rename", str(tmp_path)]


def test_the_hash_of_data_depends_on_values_shapes_and_types():
    x = np.arange(6.0)
    others = [x.reshape(2, 3), x.astype(np.float32), np.where(x == 3, 3.1, x), None]
    hashes = {hash_arrays(each) for each in (x, *others)}
    assert len(hashes) == 5
    assert hash_arrays(x[::-1][::-1]) == hash_arrays(x)
    assert hash_arrays(x, None) != hash_arrays(x)
