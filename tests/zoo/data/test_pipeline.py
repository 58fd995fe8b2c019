"""From recordings to batches: every batch is known from its step, the seed and the files alone."""

import os
import threading

import numpy as np
import pandas as pd
import pytest
import soundfile
import soxr
import tensorflow as tf

from zoo.data import corpora
from zoo.data.audio import DamagedRecording
from zoo.data.clips import Clips, spread_rows
from zoo.data.cutting import cut
from zoo.data.pipeline import load
from zoo.data.recordings import load_clips
from zoo.data.shards import ShardSettings
from zoo.spectrogram import FrontEnd, Spectrogram

RATE_HZ = 4000


def ramp(number, frames):
    """Clip `number`, whose samples say whose they are and where: number / 100 + frame / 1e5."""
    return number / 100 + np.arange(frames) / 1e5


def index_of(paths, labels=None, **columns):
    count = len(paths)
    given = {"start_s": np.full(count, np.nan), "end_s": np.full(count, np.nan)} | columns
    return pd.DataFrame({"path": [str(path) for path in paths], "label": labels or "x", **given})


@pytest.fixture
def corpus(tmp_path):
    """Ten clips of 40 frames, labels a to c."""
    paths = [tmp_path / f"{number}.wav" for number in range(10)]
    for number, path in enumerate(paths):
        soundfile.write(path, ramp(number, 40), RATE_HZ, subtype="FLOAT")
    return index_of(paths, [*"abcabcabca"])


def taken(dataset, steps):
    return [(x.numpy(), y.numpy()) for x, y in dataset.take(steps)]


def numbers(batch):
    """Which clips a batch of ramps holds."""
    return np.floor(batch[:, 0] * 100 + 1e-3).astype(int).tolist()


def same(left, right):
    for (x, y), (x_too, y_too) in zip(left, right, strict=True):
        np.testing.assert_array_equal(x, x_too)
        np.testing.assert_array_equal(y, y_too)


def jitter(x, y, seed):
    return x + tf.random.stateless_normal(tf.shape(x), seed), y


# What is loaded


def test_clips_are_the_samples_written_with_their_labels(corpus):
    clips = load(corpus, sample_rate_hz=RATE_HZ)
    assert clips.classes == ("a", "b", "c")
    x, y = next(iter(clips.all_batches(10)))
    np.testing.assert_allclose(x, [ramp(number, 40) for number in range(10)], atol=1e-7)
    np.testing.assert_array_equal(y, [0, 1, 2, 0, 1, 2, 0, 1, 2, 0])


def test_segments_are_cut_and_resampled_like_soxr(tmp_path):
    path = tmp_path / "a.wav"
    sound = np.random.default_rng(0).uniform(-1, 1, 4000).astype("float32")
    soundfile.write(path, sound, RATE_HZ, subtype="FLOAT")
    index = index_of([path, path], start_s=[0.1, 0.5], end_s=[0.35, 0.75])
    clips = load(index, sample_rate_hz=8000)
    x = next(iter(clips.all_batches(2)))[0].numpy()
    for row, (start, stop) in zip(x, [(400, 1400), (2000, 3000)], strict=True):
        np.testing.assert_array_equal(
            row, soxr.resample(sound[start:stop], RATE_HZ, 8000, quality="HQ")
        )


def test_mono_is_the_mean_or_the_first_and_cancelling_channels_are_warned_of(tmp_path):
    left = ramp(3, 400).astype("float32")
    soundfile.write(tmp_path / "a.wav", np.stack([left, 0.5 * left], 1), RATE_HZ, subtype="FLOAT")
    soundfile.write(tmp_path / "b.wav", np.stack([left, -left], 1), RATE_HZ, subtype="FLOAT")
    good, bad = index_of([tmp_path / "a.wav"]), index_of([tmp_path / "b.wav"])
    for policy, expected in (("mean", 0.75 * left), ("first", left)):
        clips = load(good, sample_rate_hz=RATE_HZ, mono=policy)
        np.testing.assert_allclose(next(iter(clips.all_batches(1)))[0][0], expected, rtol=1e-6)
    with pytest.warns(
        UserWarning, match="channels of 1 clips cancel in their mean: of each the st"
    ):
        clips = load(bad, sample_rate_hz=RATE_HZ)
    remarks = clips.remarks["remark"].tolist()
    assert "its channels cancel in their mean" in remarks
    load(bad, sample_rate_hz=RATE_HZ, mono="first")  # a warning would be an error here


@pytest.mark.parametrize("cache", ["memory", None, "disk"])
def test_the_same_sound_under_two_classes_is_said(tmp_path, capsys, cache):
    sound = ramp(3, 400).astype("float32")
    for name, gain in (("b/1", 0.5), ("a/1", 1), ("b/2", 1), ("b/3", 0.25), ("b/4", 0.25)):
        path = tmp_path / "corpus" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, gain * sound, RATE_HZ, subtype="FLOAT")
    index = corpora.read(tmp_path / "corpus").index
    for _ in range(2):  # from the cache, too
        clips = load_clips(
            index, sample_rate_hz=RATE_HZ, cache=tmp_path / "cache" if cache == "disk" else cache
        )
        remark = "the same sound stands under two classes or more: a, b"
        same = clips.remarks[clips.remarks["remark"] == remark]
        assert [path[-5:] for path in same["path"]] == ["1.wav", "2.wav"]
        assert f"2 clips: {remark} (the first 1.wav)." in capsys.readouterr().err


def test_damaged_clips_are_left_out_and_named_or_stop_the_run(corpus):
    with open(corpus["path"][3], "r+b") as file:
        file.truncate(100)
    soundfile.write(corpus["path"][5], np.full(40, np.nan), RATE_HZ, subtype="FLOAT")
    os.remove(corpus["path"][8])
    clips = load(corpus, sample_rate_hz=RATE_HZ)
    assert numbers(next(iter(clips.all_batches(10)))[0].numpy()) == [0, 1, 2, 4, 6, 7, 9]
    assert clips.labels.tolist() == [0, 1, 2, 1, 0, 1, 0]
    assert clips.damaged["path"].tolist() == corpus["path"][[3, 5, 8]].tolist()
    reasons = clips.damaged["reason"].tolist()
    assert reasons[0].startswith("cut short: ")
    assert reasons[1:] == [
        "40 frames are NaN or infinite, the first at 0.000 s",
        "no such file or directory",
    ]
    with pytest.raises(ValueError, match=r"/3\.wav: cut short: .* Repair or remove it"):
        load(corpus, sample_rate_hz=RATE_HZ, strict=True)
    with pytest.raises(ValueError, match=r"/5\.wav: 40 frames are NaN"):
        load(corpus.drop([3, 8]), sample_rate_hz=RATE_HZ, strict=True)


def test_a_corpus_of_damaged_clips_only_is_refused(corpus):
    for path in corpus["path"]:
        open(path, "wb").close()
    with pytest.raises(ValueError, match=r"10 of 10 clips are damaged, the first: .*0\.wav: empty"):
        load(corpus, sample_rate_hz=RATE_HZ)


@pytest.mark.parametrize(
    ("option", "complaint"),
    [({"mono": "left"}, "`mono` must be"), ({"sample_rate_hz": 16}, "between 1000 and 192000")],
)
def test_options_out_of_range_are_refused(corpus, option, complaint):
    with pytest.raises(ValueError, match=complaint):
        load(corpus, **{"sample_rate_hz": RATE_HZ} | option)


# The three places to keep sound


def test_memory_disk_and_no_cache_give_the_same_bits(tmp_path):
    draw = np.random.default_rng(0)
    names = ["a.wav", "b.flac", "c.ogg", "d.mp3"]
    for name in names:
        soundfile.write(tmp_path / name, draw.uniform(-0.5, 0.5, (9000, 2)), 8000)
    paths = [tmp_path / name for name in names for _ in range(2)]
    index = index_of(paths, start_s=[0.1, 0.6] * 4, end_s=[0.5, 1.0] * 4)
    batches = [
        taken(load(index, sample_rate_hz=6000, cache=cache).dataset(4, seed=0), 4)
        for cache in ("memory", tmp_path / "kept", tmp_path / "kept", None)
    ]
    for other in batches[1:]:
        same(batches[0], other)


def test_a_cache_hit_decodes_nothing_and_remembers_what_was_found(corpus, tmp_path, monkeypatch):
    open(corpus["path"][2], "wb").close()
    computed = load(corpus, sample_rate_hz=RATE_HZ, cache=tmp_path / "kept")

    def never(*_, **__):
        raise AssertionError("decoded again")

    monkeypatch.setattr("zoo.data.pipeline.read_headers", never)
    cached = load(corpus, sample_rate_hz=RATE_HZ, cache=tmp_path / "kept")
    same(taken(computed.dataset(3, seed=1), 3), taken(cached.dataset(3, seed=1), 3))
    pd.testing.assert_frame_equal(computed.damaged, cached.damaged)
    assert len(cached.damaged) == 1


def test_a_cache_is_keyed_by_settings_segments_and_files(corpus, tmp_path):
    folder = tmp_path / "kept"

    def kept(index=corpus, **settings):
        load(index, cache=folder, **{"sample_rate_hz": RATE_HZ} | settings)
        return len(list(folder.iterdir()))

    assert kept() == kept() == 1
    assert kept(sample_rate_hz=8000) == 2
    assert kept(mono="first") == 3
    assert kept(corpus.assign(end_s=0.005)) == 4
    assert kept(corpus[:5]) == 5
    path = corpus["path"][0]
    soundfile.write(path, ramp(5, 41), RATE_HZ, subtype="FLOAT")
    assert kept() == 6
    changed_s = os.stat(path).st_mtime
    soundfile.write(path, ramp(6, 41), RATE_HZ, subtype="FLOAT")  # of the same size
    os.utime(path, (changed_s, changed_s + 10))
    assert kept() == 7


def test_an_unfinished_cache_is_not_left_behind(corpus, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("zoo.data.pipeline.check_sound", fail)
        with pytest.raises(KeyboardInterrupt):
            load(corpus, sample_rate_hz=RATE_HZ, cache=tmp_path / "kept")
    assert list((tmp_path / "kept").iterdir()) == []
    assert len(load(corpus, sample_rate_hz=RATE_HZ, cache=tmp_path / "kept")) == 10


@pytest.fixture
def kept(corpus, tmp_path):
    """Folder of the one store that a first run kept."""
    load(corpus, sample_rate_hz=RATE_HZ, cache=tmp_path / "kept")
    (place,) = (tmp_path / "kept").iterdir()
    assert {path.name for path in place.iterdir()} == {"about.json", "clips.npy", "samples.f32"}
    return place


@pytest.mark.parametrize("name", ["about.json", "clips.npy", "samples.f32"])
@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "gone", "longer"])
def test_a_damaged_cache_is_computed_again_with_one_line(corpus, kept, capsys, name, damage):
    file = kept / name
    content = bytearray(file.read_bytes())
    if damage == "gone":
        file.unlink()
    else:
        content[len(content) // 2] ^= 1
        file.write_bytes(
            {
                "flip": bytes(content),
                "cut": content[: len(content) // 2],
                "empty": b"",
                "longer": file.read_bytes() + bytes(4),
            }[damage]
        )
    whole = load(corpus, sample_rate_hz=RATE_HZ)
    capsys.readouterr()
    same(
        taken(whole.all_batches(10), 1),
        taken(load(corpus, sample_rate_hz=RATE_HZ, cache=kept.parent).all_batches(10), 1),
    )
    error = capsys.readouterr().err
    if damage == "longer" and name == "clips.npy":  # bytes behind an array are not read
        assert error == ""
    else:
        assert error.count("\n") == 1 and "is a damaged cache (" in error
    load(corpus, sample_rate_hz=RATE_HZ, cache=kept.parent)
    assert capsys.readouterr().err == ""


def test_a_cached_file_that_is_cut_while_it_is_open_is_an_error_not_a_crash(corpus, kept):
    clips = load(corpus, sample_rate_hz=RATE_HZ, cache=kept.parent)
    os.truncate(kept / "samples.f32", 200)
    assert len(clips.source[0]) == 40
    with pytest.raises(ValueError, match=r"damaged cache: clip 9 .* Delete that folder"):
        clips.source[9]


def test_a_full_disk_is_met_before_anything_is_decoded(corpus, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    monkeypatch.setattr("zoo.data.pipeline.check_sound", None)  # would be called to decode
    with pytest.raises(OSError, match=r"No space left on device: '.*/kept/\w+'"):
        load(corpus, sample_rate_hz=RATE_HZ, cache=tmp_path / "kept")
    assert list((tmp_path / "kept").iterdir()) == []


def test_what_killed_processes_left_in_a_cache_is_removed(corpus, tmp_path):
    left = tmp_path / "kept" / ".0123456789abcdef.partial-x1y2z3"
    (left / "new").mkdir(parents=True)
    (left / "new" / "samples.f32").write_bytes(bytes(1000))
    other = tmp_path / "kept" / ".hidden"
    other.mkdir()
    load(corpus, sample_rate_hz=RATE_HZ, cache=tmp_path / "kept")
    assert not left.exists() and other.exists()


def test_data_sets_without_a_cache_share_their_threads(corpus):
    clips = load(corpus, sample_rate_hz=RATE_HZ, cache=None)

    def count():
        for seed in range(5):
            taken(clips.dataset(4, seed=seed), 2)
        return sum(each.name.startswith("clips") for each in threading.enumerate())

    assert 0 < count() == count() <= (os.cpu_count() or 1)


def test_without_cache_a_file_that_changes_later_is_named(corpus):
    clips = load(corpus, sample_rate_hz=RATE_HZ, cache=None)
    soundfile.write(corpus["path"][0], ramp(0, 20), RATE_HZ)
    with pytest.raises(DamagedRecording, match="has changed since it was checked"):
        clips.source[0]


# Batches by step


@pytest.fixture
def clips(corpus):
    return load(corpus, sample_rate_hz=RATE_HZ)


def test_every_epoch_visits_each_clip_once_in_another_order(clips):
    order = [n for x, _ in taken(clips.dataset(4, seed=0), 100) for n in numbers(x)]
    epochs = np.reshape(order, (40, 10))
    np.testing.assert_array_equal(np.sort(epochs), np.tile(np.arange(10), (40, 1)))
    # of a random permutation one place in ten stays, against the files and against the last epoch
    for stays in (epochs == np.arange(10), epochs[1:] == epochs[:-1]):
        assert 0.04 < stays.mean() < 0.16  # four standard deviations
    assert len({tuple(epoch) for epoch in epochs}) == 40


def test_labels_stay_with_their_clips(clips):
    for x, y in taken(clips.dataset(7, seed=5, duration_s=0.005, augment=None), 5):
        np.testing.assert_array_equal(y, np.array(numbers(x)) % 3)


def test_the_seed_decides_order_cut_and_augmentation(clips):
    options = {"duration_s": 0.005, "augment": jitter}
    first = taken(clips.dataset(4, seed=3, **options), 6)
    same(first, taken(clips.dataset(4, seed=3, **options), 6))
    other = taken(clips.dataset(4, seed=4, **options), 6)
    assert all((x != x_too).any() for (x, _), (x_too, _) in zip(first, other, strict=True))


@pytest.mark.parametrize("step", [1, 4, 5])
def test_a_run_resumed_at_a_step_goes_on_as_if_never_stopped(clips, step):
    options = {"duration_s": 0.005, "augment": jitter}
    whole = taken(clips.dataset(4, seed=3, **options), 8)
    same(whole[step:], taken(clips.dataset(4, seed=3, start_step=step, **options), 8 - step))


@pytest.mark.parametrize("shards", [2, 3, 6])
def test_shards_divide_each_batch_without_overlap(clips, shards):
    whole = taken(clips.dataset(6, seed=3, duration_s=0.005), 5)
    shares = [
        taken(clips.dataset(6, seed=3, duration_s=0.005, shard=(k, shards)), 5)
        for k in range(shards)
    ]
    for step, (x, y) in enumerate(whole):
        for number, share in enumerate(shares):
            np.testing.assert_array_equal(share[step][0], x[number::shards])
            np.testing.assert_array_equal(share[step][1], y[number::shards])


def test_shards_are_augmented_differently(clips):
    def only_noise(x, y, seed):
        return tf.random.stateless_normal(tf.shape(x), seed), y

    shares = [
        taken(clips.dataset(4, seed=0, augment=only_noise, shard=(k, 2)), 4) for k in range(2)
    ]
    drawn = {x.tobytes() for share in shares for x, _ in share}
    assert len(drawn) == 8


def test_one_clip_makes_a_batch(clips):
    (batch,) = taken(clips[[3]].dataset(3, seed=0), 1)
    assert numbers(batch[0]) == [3, 3, 3]


def test_a_choice_keeps_the_numbers_of_the_classes(clips):
    chosen = clips[clips.index["label"] == "c"]
    assert isinstance(chosen, Clips) and len(chosen) == 3
    ((x, y),) = taken(chosen.all_batches(8), 1)
    assert (numbers(x), y.tolist()) == ([2, 5, 8], [2, 2, 2])


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"batch_size": 0}, "batch_size=0"),
        ({"batch_size": 4, "shard": (0, 3)}, "multiple of the count"),
        ({"batch_size": 4, "shard": (2, 2)}, r"Received: \(2, 2\)"),
        ({"batch_size": 4, "crop": "left"}, "`crop` must be 'centre' or 'random'"),
        ({"batch_size": 4, "pad": "mirror"}, "`pad` must be 'repeat' or 'zeros'"),
        ({"batch_size": 4, "duration_s": 1e-9}, "at least one sample"),
    ],
)
def test_batches_that_make_no_sense_are_refused(clips, options, complaint):
    with pytest.raises(ValueError, match=complaint):
        clips.dataset(seed=0, **options)


def test_no_clips_are_refused(clips):
    with pytest.raises(ValueError, match="no clips to batch"):
        clips[[]].dataset(4, seed=0)


# Cut and pad


def test_a_longer_clip_is_cut_where_asked():
    clip = np.arange(10)
    assert cut(clip, 4, at=0).tolist() == [0, 1, 2, 3]
    assert cut(clip, 4, at=0.5).tolist() == [3, 4, 5, 6]
    assert cut(clip, 4, at=1).tolist() == [6, 7, 8, 9]
    assert cut(clip, 10).tolist() == clip.tolist()


def test_a_shorter_clip_is_repeated_or_filled_with_zeros():
    assert cut(np.array([1, 2, 3]), 8, pad="repeat").tolist() == [1, 2, 3, 1, 2, 3, 1, 2]
    assert cut(np.array([1, 2, 3]), 5, pad="zeros").tolist() == [1, 2, 3, 0, 0]
    assert cut(np.array([[1, 2], [3, 4]]), 3, pad="repeat").tolist() == [[1, 2], [3, 4], [1, 2]]
    assert cut(np.array([[1, 2]]), 2, pad="zeros").tolist() == [[1, 2], [0, 0]]


def test_an_array_of_clips_has_all_of_them_cut_alike(clips):
    array = clips.to_array(duration_s=20 / RATE_HZ)
    assert array.shape == (len(clips), 20)
    np.testing.assert_array_equal(array[3], cut(clips.source[clips.rows[3]], 20))


@pytest.mark.parametrize(
    ("rows", "count", "kept"), [(10, 4, 4), (10, 10, 10), (3, 10, 3), (0, 4, 0)]
)
def test_spread_rows_are_evenly_spaced(rows, count, kept):
    spread = spread_rows(np.arange(rows), count)
    assert len(spread) == kept and len(set(np.diff(spread))) <= 1


def test_clips_of_different_length_need_a_duration(tmp_path):
    for number, frames in enumerate((30, 50)):
        soundfile.write(tmp_path / f"{number}.wav", ramp(number, frames), RATE_HZ, subtype="FLOAT")
    clips = load(index_of([tmp_path / "0.wav", tmp_path / "1.wav"]), sample_rate_hz=RATE_HZ)
    with pytest.raises(ValueError, match="clips of 30 to 50 samples"):
        clips.all_batches(2)
    x = next(iter(clips.all_batches(2, duration_s=0.01, pad="zeros")))[0].numpy()
    np.testing.assert_allclose(x[0], [*ramp(0, 30), *np.zeros(10)], atol=1e-7)
    np.testing.assert_allclose(x[1], ramp(1, 50)[5:45], atol=1e-7)


def test_random_crops_reach_both_ends_and_the_centre_stays(tmp_path):
    soundfile.write(tmp_path / "a.wav", ramp(0, 12), RATE_HZ, subtype="FLOAT")
    clips = load(index_of([tmp_path / "a.wav"]), sample_rate_hz=RATE_HZ)

    def starts(**options):
        batches = taken(clips.dataset(8, seed=0, duration_s=0.002, **options), 12)
        return {round(float(row[0]) * 1e5) for x, _ in batches for row in x}

    assert starts() == {0, 1, 2, 3, 4}
    assert starts(crop="centre") == {2}


# Through a front end


def test_a_fixed_front_end_is_computed_once_for_every_clip(clips):
    def front_end(x):
        return tf.reshape(x, (-1, 10, 4)) ** 2

    kept = clips.with_features(front_end, batch_size=3)
    for (x, y), (features, y_too) in zip(
        taken(clips.dataset(4, seed=9), 5), taken(kept.dataset(4, seed=9), 5), strict=True
    ):
        np.testing.assert_allclose(features, x.reshape(-1, 10, 4) ** 2, rtol=1e-6)
        np.testing.assert_array_equal(y, y_too)
    with pytest.raises(ValueError, match="are features of a front end"):
        kept.dataset(4, seed=0, duration_s=0.005)


def test_a_spectrogram_is_the_same_by_arrays_by_a_graph_in_files_and_for_any_batch(clips, tmp_path):
    layer = Spectrogram(FrontEnd(RATE_HZ, 0.008, 0.004, mels=4))
    by_arrays = [clips.with_features(layer, batch_size=size) for size in (1, 3, 100)]
    by_graph = clips.with_features(lambda x: layer(x), batch_size=3)
    in_files = clips.with_features(
        layer, batch_size=2, shards=ShardSettings(tmp_path, "s", clips=2, dtype="float32")
    )
    for row in range(len(clips)):
        x = clips.source[clips.rows[row]]
        np.testing.assert_allclose(by_graph.source[row], layer(x[None])[0], atol=1e-5)
        np.testing.assert_allclose(by_arrays[0].source[row], layer(x[None])[0], atol=1e-4)
        for same in (*by_arrays[1:], in_files):
            np.testing.assert_array_equal(same.source[row], by_arrays[0].source[row])
    assert len({each.content for each in (*by_arrays, by_graph)}) == 1
    for wrong, message in (({"pad": "x"}, "`pad` must be"), ({"batch_size": 0}, "`batch_size`")):
        with pytest.raises(ValueError, match=message):
            clips.with_features(layer, **wrong)
