"""Features in files: equal to those in memory, resumed, checked."""

import pickle

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from zoo.data.clips import Clips
from zoo.data.shards import ShardSettings
from zoo.data.synthesis.collection import RenderedSource
from zoo.tasks import Outcome, Workers
from zoo.tasks.execution import resolve

CLIPS, SAMPLES = 21, 64


class Waveforms(RenderedSource):
    """Noise by number; counts what is read."""

    def __init__(self):
        self.lengths = np.full(CLIPS, SAMPLES)
        self.read = 0

    def __getitem__(self, row):
        self.read += 1
        return np.random.default_rng(row).normal(size=SAMPLES).astype(np.float32)


@pytest.fixture
def clips():
    names = [f"clip-{k}" for k in range(CLIPS)]
    labels = [f"{k % 3}" for k in range(CLIPS)]
    index = pd.DataFrame({"path": names, "start_s": np.nan, "end_s": np.nan, "label": labels})
    nothing = pd.DataFrame()
    return Clips(index, Waveforms(), np.arange(CLIPS), ("0", "1", "2"), 8000, nothing, nothing)


def front_end(x):
    return tf.reshape(x, (-1, 8, 8))[:, :4]


def shards(folder, **changes):
    return ShardSettings(folder, "front end 1", **{"clips": 8, "dtype": "float32", **changes})


def features(clips, settings, **options):
    return clips.with_features(front_end, batch_size=4, shards=settings, **options)


def test_batches_are_those_of_features_in_memory(clips, tmp_path):
    kept = features(clips, shards(tmp_path))
    plain = clips.with_features(front_end, batch_size=4)
    for a, b in zip(kept.dataset(5, seed=3).take(9), plain.dataset(5, seed=3).take(9), strict=True):
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[1], b[1])
    assert sorted(p.name for p in next(tmp_path.iterdir()).glob("*.shard")) == [
        "000000.shard",
        "000001.shard",
        "000002.shard",
    ]


def test_half_precision_rounds_to_eleven_bits(clips, tmp_path):
    kept = features(clips, shards(tmp_path, dtype="float16"))
    plain = clips.with_features(front_end, batch_size=4)
    difference = np.abs(kept.source[5] - plain.source[5])
    assert 0 < difference.max() <= np.abs(plain.source[5]).max() * 2**-11


def test_an_interrupted_computation_goes_on(clips, tmp_path):
    whole = features(clips, shards(tmp_path / "whole"))
    settings = shards(tmp_path / "cut")
    features(clips, settings)
    (place,) = (tmp_path / "cut").iterdir()
    (place / "000001.shard").unlink()
    before = clips.source.read
    again = features(clips, settings)
    assert clips.source.read - before == 8  # the clips of one shard
    assert again.content == whole.content
    before = clips.source.read
    features(clips, settings)
    assert clips.source.read == before


@pytest.mark.parametrize("seed", [1, 2])
def test_augmented_batches_do_not_depend_on_where_it_went_on(clips, tmp_path, seed):
    def augment(x, y, numbers):
        return x + tf.random.stateless_normal(tf.shape(x), numbers), y

    settings = shards(tmp_path)
    first = features(clips, settings, augment=augment, seed=seed).content
    (place,) = tmp_path.iterdir()
    (place / "000002.shard").unlink()
    assert features(clips, settings, augment=augment, seed=seed).content == first


@pytest.mark.parametrize("place", [3, 500, -5])
def test_a_damaged_shard_is_noticed(clips, tmp_path, place):
    settings = shards(tmp_path)
    features(clips, settings)
    (folder,) = tmp_path.iterdir()
    file = folder / "000000.shard"
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
    if place < 0:  # in the checksums: computed again
        before = clips.source.read
        features(clips, settings)
        assert clips.source.read - before == 8
    else:
        kept = features(clips, settings)
        with pytest.raises(ValueError, match="is damaged"):
            [kept.source[row] for row in range(8)]


def test_other_clips_settings_and_seeds_have_other_folders(clips, tmp_path):
    features(clips, shards(tmp_path))
    features(clips[np.arange(9)], shards(tmp_path))
    features(clips, ShardSettings(tmp_path, "front end 2", "float32", 8))
    features(clips, shards(tmp_path, dtype="float16"))
    features(clips, shards(tmp_path), seed=1)
    assert len(list(tmp_path.iterdir())) == 5


def test_what_cannot_be_kept_is_refused(clips, tmp_path):
    with pytest.raises(ValueError, match="multiple of the batch size"):
        clips.with_features(front_end, batch_size=3, shards=shards(tmp_path))
    with pytest.raises(ValueError, match="float16"):
        clips.with_features(
            lambda x: 1e6 * front_end(x), batch_size=4, shards=shards(tmp_path, dtype="float16")
        )


def test_tasks_write_the_same_bytes_and_only_what_is_missing(clips, tmp_path, monkeypatch):
    ran = []

    def run_tasks(tasks, workers, *, common, is_done):  # here: TensorFlow takes seconds to start
        for task in tasks:
            if not is_done(task):
                ran.append(task.name)
                resolve(task.function)(**pickle.loads(pickle.dumps({**common, **task.arguments})))
        return [Outcome(task) for task in tasks]

    monkeypatch.setattr("zoo.data.clips.run_tasks", run_tasks)
    features(clips, shards(tmp_path / "one"))
    features(clips, shards(tmp_path / "tasks"), workers=Workers(2))
    one, tasks = (
        {p.name: p.read_bytes() for p in next((tmp_path / name).iterdir()).glob("*.shard")}
        for name in ("one", "tasks")
    )
    assert one == tasks and len(one) == 3
    assert ran == ["shards 0 to 0", "shards 1 to 1", "shards 2 to 2"]
    next((tmp_path / "tasks").iterdir()).joinpath("000001.shard").unlink()
    features(clips, shards(tmp_path / "tasks"), workers=Workers(2))
    assert ran[3:] == ["shards 1 to 1"]
