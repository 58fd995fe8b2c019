"""Power is lost at any moment of a write: a checkpoint of before or after is there, never none.

A disk keeps what was synced. What was not may be there, or not, or in part. Here every system call
of `zoo.files.writing` is noted; then each state that a disk may be in after a cut is put into a
folder, and the checkpoint is read from it.
"""

import itertools
import os

import numpy as np
import pytest

from zoo.checkpoints import CheckpointFile
from zoo.files import write_bytes

RUN = {"seed": 0}


class Disk:
    """Contents and names of files, those that are safe and those that are only in memory.

    Attributes:
        safe: name -> content that survives a power cut.
        states: every folder that a cut may leave, of all moments so far.
    """

    def __init__(self, folder, monkeypatch):
        self.folder, self.safe, self.states = folder, {}, []
        self.renames = []  # (old name, new name), not synced yet
        self.synced = {}  # name of a file -> content that was synced under it
        sync, replace = os.fsync, os.replace

        def noted_sync(handle):
            path = os.readlink(f"/proc/self/fd/{handle}")
            self.cut()
            sync(handle)
            if os.path.isdir(path):
                for old, new in self.renames:
                    self.rename(self.safe, old, new)
                self.renames = []
            else:
                with open(path, "rb") as file:
                    self.synced[os.path.basename(path)] = file.read()
            self.cut()

        def noted_replace(old, new):
            self.cut()
            replace(old, new)
            self.renames.append((os.path.basename(old), os.path.basename(new)))
            self.cut()

        monkeypatch.setattr("os.fsync", noted_sync)
        monkeypatch.setattr("os.replace", noted_replace)

    def rename(self, files, old, new):
        """A rename takes the content with it: synced, or, if it never was, nothing but zeros."""
        files[new] = files.pop(old, self.synced.get(old, b"\0" * 50))

    def cut(self):
        """Note what may be there after a cut now: any first part of the renames was written."""
        for count in range(len(self.renames) + 1):
            files = dict(self.safe)
            for old, new in self.renames[:count]:
                self.rename(files, old, new)
            self.states.append(files)


def epoch_of(folder, files):
    for path in folder.iterdir():
        path.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    arrays = CheckpointFile(folder / "run.npz", RUN).read()
    return None if arrays is None else int(arrays["epoch"])


def test_after_a_cut_the_newest_checkpoint_or_the_one_before_is_there(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir(), (tmp_path / "after").mkdir()
    checkpoint = CheckpointFile(tmp_path / "run" / "run.npz", RUN)
    with monkeypatch.context() as patch:
        disk = Disk(tmp_path / "run", patch)
        ends = []
        for epoch in range(4):
            checkpoint.write({"epoch": np.array(epoch)})
            ends.append(len(disk.states))
    writing = 0  # which write a state belongs to
    seen = set()
    for number, files in enumerate(disk.states):
        while number >= ends[writing]:
            writing += 1
        epoch = epoch_of(tmp_path / "after", files)
        seen.add((writing, epoch))
        assert epoch in ((None, 0) if writing == 0 else (writing - 1, writing))
    # cuts early and late in every write were met, and what was written is there at its end
    expected = [{(0, None), (0, 0)}, *({(n, n - 1), (n, n)} for n in (1, 2, 3))]
    assert seen == set(itertools.chain(*expected))


@pytest.mark.parametrize("durable", [True, False])
def test_only_a_durable_write_survives_a_cut(tmp_path, monkeypatch, durable):
    """Without a sync the name may stand for nothing: what the checkpoints would be without it."""
    with monkeypatch.context() as patch:
        disk = Disk(tmp_path, patch)
        write_bytes(tmp_path / "a", b"content", durable=durable)
        disk.cut()
    contents = {files.get("a") for files in disk.states}
    assert (contents <= {None, b"content"}) == durable
    assert disk.states[-1].get("a") == b"content" or not durable
