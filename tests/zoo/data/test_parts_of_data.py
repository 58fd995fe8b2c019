"""Tables, places and sums of `zoo.data`, of small numbers that are worked out by hand."""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from zoo.data import arrays, backgrounds, cache, folds, inspection, long_tests, sequences, shards
from zoo.data.audio import Header
from zoo.data.copies import CopySet, find_copies, join_groups
from zoo.data.corpora.index import Corpus, make_corpus
from zoo.data.cutting import cut
from zoo.data.inspection import Findings, Listing, Span
from zoo.data.shuffling import shuffled_rows
from zoo.data.sound_level import a_weighted, a_weighting_db, running_mean_square
from zoo.data.summary import Summary
from zoo.data.windowing import split_into_windows
from zoo.tables import Columns

NOTHING = pd.DataFrame({"path": [], "start_s": [], "reason": []})


def table(paths, **columns):
    """An index; what is not given is missing."""
    names = ("label", "fold", "group", "device")
    rows = {"path": [f"/r/{each}" for each in paths], "start_s": np.nan, "end_s": np.nan}
    missing = {name: [None] * len(paths) for name in names}
    index = pd.DataFrame({**rows, **missing, **columns})
    return index.astype({name: "category" for name in names})


# Summary of a corpus


def summary(checked=True, **changes):
    index = table(
        ["a.wav", "b.wav", "c.mp3", "d.wav"],
        label=["dog", "dog", "dog", "cat"],
        fold=["1", "2", "2", "1"],
        group=["g", "g", "h", None],
        device=["x", "x", None, "y"],
    ).assign(seconds=[1.0, 2.0, 600.0, 30.0])
    headers = {
        path: Header("MP3" if path.endswith("3") else "WAV", "PCM_16", rate, 1, 100)
        for path, rate in zip(index["path"], (8000, 8000, 44_100, 8000), strict=True)
    }
    remarks = pd.DataFrame(
        {
            "path": ["/r/a.wav", "/r/b.wav", "/r/c.mp3"],
            "start_s": [np.nan] * 3,
            "remark": ["offset: 0.1", "clipped", "offset: 0.2"],
        }
    )
    damaged = pd.DataFrame(
        {"path": ["/r/e.wav", "/r/f\n.wav"], "start_s": [np.nan, 1.5], "reason": ["empty", "cut"]}
    )
    facts = {
        "corpus": Corpus("Title", "/r", index, damaged, ("a note",)),
        "index": index,
        "headers": headers,
        "damaged": damaged,
        "remarks": remarks,
        "checked": checked,
        "copies": (CopySet((0, 3), ("/r/a.wav", "/r/d.wav"), ("cat", "dog"), ("1",)),),
    }
    return Summary(**{**facts, **changes})


def test_a_summary_line_by_line():
    lines = [" ".join(line.split()) for line in summary().text().splitlines()]
    assert lines == [
        "Title /r",
        "4 clips of 4 recordings, 10.6 minutes, 2 classes, 3 groups",
        "",
        "class clips minutes groups fold 1 fold 2",
        "cat 1 0.5 1 1 0",
        "dog 3 10.1 2 1 2",
        "",
        "lengths 1.00 to 600.00 s, median 16.00 s",
        "rates 8000 Hz (3), 44100 Hz (1)",
        "formats WAV PCM_16 (3), MP3 PCM_16 (1)",
        "channels 1 (4)",
        "devices x (2), y (1)",
        "remark 2 clips: offset",
        "a.wav: 0.1",
        "c.mp3: 0.2",
        "remark 1 clip: clipped",
        "b.wav: clipped",
        "damaged 2 of 6 clips, left out:",
        "e.wav: empty",
        "f\\n.wav at 1.50 s: cut",
        "note a note",
        "note 1 recording stands there more than once under two classes or more, so that labels "
        "contradict each other: a.wav, d.wav. Delete the copies; folds by group keep copies "
        "together.",
        "note Only one clip of class cat: it cannot be trained on and tested on. Record more, or "
        "leave the class out.",
        "note In its fold 1 split 1 groups are in both parts (g): make_folds(index, "
        "leak_free=True) leaves them out.",
        "note In its fold 2 split 1 groups are in both parts (g): make_folds(index, "
        "leak_free=True) leaves them out.",
    ]
    short = summary(checked=False).text(listed=1)
    assert "note      headers only: no sound was decoded or checked." in short
    assert "  and 1 more: --damaged FILE lists all" in short
    assert "more:" not in summary().text(listed=2)


def test_a_summary_as_values():
    facts = summary().facts()
    assert (facts["clips"], facts["recordings"], facts["groups"]) == (4, 4, 3)
    assert facts["seconds"] == 633.0 and facts["sample_rates_hz"] == {"8000": 3, "44100": 1}
    assert facts["classes"] == {
        "cat": {"clips": 1, "seconds": 30.0},
        "dog": {"clips": 3, "seconds": 603.0},
    }
    assert facts["copies"] == [
        {"files": ["a.wav", "d.wav"], "classes": ("cat", "dog"), "folds": ("1",)}
    ]
    assert [each["reason"] for each in facts["damaged"]] == ["empty", "cut"]


def test_notes_on_copies_and_classes():
    def copies(*sets):
        made = [CopySet((0, 1), tuple(f"/r/{p}" for p in paths), *more) for paths, *more in sets]
        return summary(copies=tuple(made))._copy_notes()

    six = [f"{k}.wav" for k in range(6)]
    assert copies((six[:5], ("a",), ("1",)), (six[:2], ("a",), ())) == [
        "2 recordings stand there more than once under one class: 0.wav, 1.wav, 2.wav, 3.wav, "
        "4.wav. Delete the copies; folds by group keep copies together."
    ]
    (leak,) = copies((six, ("a",), ("1", "2")))
    assert "1 recording stands there more than once in two folds or more, a leak" in leak
    assert "3.wav, 4.wav and others. Delete" in leak

    index = table("abcde", label=list("xxyyz"), group=list("ggghi")).assign(seconds=1.0)
    corpus = Corpus("T", "/r", table("abcdef", label=list("xxyyzw")), NOTHING)
    assert summary(index=index, corpus=corpus)._class_notes() == [
        "Only one clip of class z: it cannot be trained on and tested on. Record more, or leave "
        "the class out.",
        "All clips of class x are of one group, which cannot be trained on and tested on.",
        "All clips are damaged of w.",
    ]
    one = table("ab", label=list("xx"), fold=["7", "7"], group=list("gh")).assign(seconds=1.0)
    notes = summary(index=one, copies=(), corpus=Corpus("T", "/r", one, NOTHING))._notes()
    assert notes == [
        "There is only one class: no classifier can be trained.",
        "It has one official fold only, 7: recipes cross-validate over folds by group.",
    ]


def test_many_remarks_of_a_kind_are_cut_short():
    def lines(count):
        rows = [(f"/r/{k}", np.nan, "clipped: much") for k in range(count)]
        return summary(remarks=pd.DataFrame(rows, columns=["path", "start_s", "remark"]))

    assert len(lines(5)._remark_lines()) == 6
    assert lines(7)._remark_lines()[-1] == "  and 2 more: --remarks FILE lists all"


# Folds and copies


def test_official_folds_are_sorted_and_leaks_named():
    index = table("abcd", label=list("xyxy"), fold=["10", "2", None, "2"], group=list("gghh"))
    second, tenth = folds.make_folds(index)
    assert (second.name, tenth.name) == ("fold 2", "fold 10")
    assert second.test.tolist() == [False, True, False, True]
    assert second.train.tolist() == [True, False, False, False]
    assert second.leaking == tenth.leaking == ("g",)
    clean = folds.make_folds(index, leak_free=True)[0]
    assert clean.test.tolist() == [False, False, False, True] and not clean.train.any()
    assert clean.leaking == ()
    split = table("abc", label=list("xyx"), fold=["train", "test", "train"], group=list("ghg"))
    (official,) = folds.make_folds(split)
    assert (official.name, official.leaking) == ("official", ())
    assert official.train.tolist() == [True, False, True]
    assert folds.describe_folds(split) == "official folds: test, train"
    one = table("ab", label=list("xy"), fold=["3", None])
    assert folds.describe_folds(one) == (
        "5 folds by group: the corpus has one official fold only, 3"
    )
    assert folds.describe_folds(table("a"), count=2) == "2 folds by group"


def test_folds_by_group_are_even_and_as_many_as_asked_for():
    index = table([str(k) for k in range(12)], label=list("xy" * 6), group=list("aabbccddeeff"))
    number = folds.assign_folds(index, count=3)
    assert sorted(np.bincount(number)) == [4, 4, 4]
    assert all(len(set(number[k : k + 2])) == 1 for k in range(0, 12, 2))
    made = folds.make_folds(index, count=6)
    assert [each.name for each in made] == [f"fold {k}" for k in range(1, 7)]
    np.testing.assert_array_equal(sum(each.test.astype(int) for each in made), 1)
    assert all((each.train ^ each.test).all() for each in made)
    for count in (1, 7):
        with pytest.raises(ValueError, match=rf"Received: count={count}, 6 groups"):
            folds.assign_folds(index, count=count)


def test_a_device_is_left_out_with_its_groups():
    index = table(
        "abcde", label=list("xyxyx"), group=list("gghij"), device=["p", "q", "q", "r", None]
    )
    p, q, r = folds.device_folds(index)
    assert (p.name, q.name, r.name) == ("without p", "without q", "without r")
    assert p.test.tolist() == [True, False, False, False, False]
    assert p.train.tolist() == [False, False, True, True, False]
    assert q.train.tolist() == [False, False, False, True, False]
    assert r.train.tolist() == [True, True, True, False, False]


def test_copies_are_found_and_their_groups_joined():
    index = table("abcdef", label=list("xyxxxx"), fold=["2", "1", None, None, None, "1"])
    sets = find_copies(index, [(4, "p"), (0, "q"), (1, "q"), (5, "p"), (2, "r"), (3, "p")])
    assert [each.rows for each in sets] == [(0, 1), (3, 4, 5)]
    assert sets[0] == CopySet((0, 1), ("/r/a", "/r/b"), ("x", "y"), ("1", "2"))
    assert find_copies(index.drop(columns="fold"), [(0, "q"), (1, "q")])[0].folds == ()
    joined = join_groups(index, [*sets, CopySet((1, 4), (), (), ())])
    assert pd.isna(joined["group"][2])
    assert joined["group"].astype(object).dropna().tolist() == ["/r/a"] * 5
    assert join_groups(index, []) is index


# Places in recordings


def test_where_a_clip_lies_in_its_recording():
    header = Header("WAV", "PCM_16", 1000, 1, 5000)

    def located(start_s, end_s):
        return inspection._locate(start_s, end_s, header)

    assert located(np.nan, np.nan) == Span(0, 5000)
    assert located(1.0, 2.0) == Span(1000, 2000)
    assert located(4.999, 5.1) == Span(4999, 5000)  # rounded annotations may hang over by 0.1 s
    assert located(0.0, 1e300).startswith("annotated from 0.000 to 1000000000.000 s")
    assert located(4.0, 5.102) == (
        "annotated from 4.000 to 5.102 s, but the recording ends at 5.000 s"
    )
    for start_s, end_s in ((5.0, 5.05), (2.0, 2.0), (3.0, 2.0), (-0.001, 2.0)):
        assert isinstance(located(start_s, end_s), str)


def test_lengths_of_a_listing_and_what_is_damaged_in_it():
    index = table("ab", start_s=[np.nan, 0.5])
    headers = {"/r/a": Header("WAV", "PCM_16", 8000, 1, 9000)}
    listing = Listing(index, headers, [Span(1000, 9000), Span(0, 0)], Findings([(1, "gone")]))
    assert listing.lengths(4000).tolist() == [4000, 0] and listing.seconds().tolist() == [1.0, 0.0]
    damaged = listing.findings.damaged_of(index)
    assert damaged.to_dict("records") == [{"path": "/r/b", "start_s": 0.5, "reason": "gone"}]
    with pytest.raises(ValueError, match=r"^/r/b: gone\. Repair or remove it"):
        inspection._stop_if(True, listing, [(1, "gone")])
    inspection._stop_if(False, listing, [(1, "gone")])
    inspection._stop_if(True, listing, [])
    assert list(inspection._map_in_threads(lambda n: n * n, list(range(7)), "x")) == [
        *(0, 1, 4, 9, 16, 25, 36)
    ]


def test_long_clips_become_windows_and_shorter_ones_stay():
    index = table("abc", group=["g", None, "h"], start_s=[np.nan, 2.0, 0.0])
    split = split_into_windows(index, np.array([1.5, 2.5, 1.0]), 1.0)
    assert split["path"].tolist() == ["/r/a", "/r/b", "/r/b", "/r/b", "/r/c"]
    np.testing.assert_allclose(split["start_s"][1:4], [2.0, 3.0, 3.5])
    np.testing.assert_allclose(split["end_s"][1:4], [3.0, 4.0, 4.5])
    assert split["group"].tolist() == ["g", "/r/b", "/r/b", "/r/b", "h"]
    assert np.isnan(split["start_s"][0]) and split["start_s"][4] == 0.0
    assert split_into_windows(index, np.array([1.5, 1.5, 0.0]), 1.0) is index
    with pytest.raises(ValueError, match=r"`window_s` must be positive\. Received: 0"):
        split_into_windows(index, np.ones(3), 0)


def test_clips_are_cut_at_their_start_centre_or_end_and_padded_behind():
    clip = np.arange(10)
    for at, first in ((0, 0), (0.5, 4), (1, 7), (0.2, 1)):  # of seven places, rounded
        assert cut(clip, 3, at=at).tolist() == list(range(first, first + 3))
    assert cut(clip, 10).tolist() == clip.tolist()
    assert cut(clip, 12).tolist() == [*range(10), 0, 1]
    assert cut(clip, 12, pad="zeros").tolist() == [*range(10), 0, 0]
    assert cut(clip.reshape(5, 2), 6, pad="zeros").tolist()[-2:] == [[8, 9], [0, 0]]
    assert cut(clip.reshape(5, 2), 6).tolist()[-1] == [0, 1]


# Sound


def test_scenes_fade_into_each_other_by_a_ramp_from_the_change_on():
    """Constant clips: the sound is (1 - r) a + r b, r from 0 to 1 in 50 ms."""
    pool = [[np.full(3000, 0.2)], [np.full(3000, 0.6)]]
    sequence = sequences.scene_sequence(
        pool, np.random.default_rng(1), scenes=3, duration_s=(1, 1), hop=10, sample_rate_hz=1000
    )
    assert len(sequence.samples) == 3000 and sequence.changes_s.tolist() == [1.0, 2.0]
    levels = np.array([0.2, 0.6])[sequence.truth]
    ramp = np.linspace(0, 1, 50)
    for change, hop in ((1000, 100), (2000, 200)):
        before, after = levels[hop - 1], levels[hop]
        expected = (1 - ramp) * before + ramp * after
        np.testing.assert_allclose(sequence.samples[change : change + 50], expected, atol=1e-6)
    np.testing.assert_allclose(sequence.samples[:1000], levels[0], atol=1e-6)


def test_a_short_clip_is_repeated_with_cross_fades():
    rng = np.random.default_rng(0)
    looped = sequences._loop_to_length(np.full(30, 0.5), 200, 10, rng)
    np.testing.assert_allclose(looped, 0.5, atol=1e-6)
    assert len(looped) == 200
    rising = sequences._loop_to_length(np.arange(1, 5, dtype=float), 5, 50, rng)
    assert len(rising) == 5 and rising.max() <= 4


def test_a_weighting_has_no_phase_and_the_running_mean_no_transient():
    impulse = np.zeros(4001)
    impulse[2000] = 1.0
    answer = a_weighted(impulse, 16_000)
    np.testing.assert_allclose(answer[2000 - 9 : 2000], answer[2001:2010][::-1], atol=1e-12)
    assert answer.argmax() == 2000
    gain = np.abs(np.fft.rfft(np.roll(answer, -2000)))[1000]  # of 4001 bins: 3999 Hz
    assert 20 * np.log10(gain) == pytest.approx(float(a_weighting_db(np.array(3999.0))), abs=0.05)
    power = running_mean_square(
        np.array([[3.0, 4.0, 1.0, 1.0, 9.0]]), hop=2, sample_rate_hz=2, time_constant_s=1.0
    )
    keep = np.exp(-1.0)
    np.testing.assert_allclose(power, [[12.5, (12.5 * keep + 1.0) / (keep + 1.0)]])


def test_a_background_is_cut_at_its_centre_and_has_the_ratio_of_its_clip():
    source = cache.ClipStore(
        np.array([3.0, -3, 9, 1, -1, 9, 0, 0], np.float32), np.array([2, 4, 2])
    )
    rows, others = np.array([0, 1, 2]), np.array([1, 1, 2])
    mixed = backgrounds.BackgroundSource(source, rows, others, np.array([20.0, 0.0, 0.0]))
    np.testing.assert_allclose(mixed[0], [3.3, -3.3], rtol=1e-6)  # 1, -1 at a tenth of 3
    np.testing.assert_array_equal(mixed[1], source[1])
    silent = backgrounds.BackgroundSource(source, rows, np.array([2, 1, 2]), np.zeros(3))
    np.testing.assert_array_equal(silent[0], [3, -3])
    assert mixed.lengths.tolist() == [2, 4, 2]


# Files


def test_arrays_as_columns(tmp_path, monkeypatch):
    def read(columns=None, **content):
        np.savez(tmp_path / "a.npz", **content)
        return arrays.read_arrays(tmp_path / "a.npz", columns or Columns())

    found, columns = read(x=np.arange(6.0).reshape(2, 3), temperature=[20, 30], rate_khz=2.0)
    rows = list(found.rows)
    assert len(found.rows) == 6 and columns.group == "test"
    assert columns.time_step_s == pytest.approx(1 / 2000)
    assert rows[0] == (1, ["0", "0.0", "20.0"]) and rows[5] == (6, ["1", "5.0", "30.0"])
    assert found.rows.last == rows[5]
    found, columns = read(x=np.arange(3.0), y=np.ones(3))
    assert columns == Columns() and list(found.rows)[2] == (3, ["2.0", "1.0"])
    assert read(Columns(time_step_s=0.1), x=np.arange(3.0), fs_hz=5)[1].time_step_s == 0.1
    for content, message in (
        (
            {"x": np.ones((2, 3)), "y": np.ones(3)},
            r"'y' has shape \(3,\), expected \(2, 3\) or \(2,\)",
        ),
        ({"x": np.ones(3), "y": np.ones(1)}, r"'y' has shape \(1,\), expected \(1, 3\) or \(1,\)"),
        ({"x": np.ones((1, 1, 1))}, "no vectors or matrices"),
        ({"x": np.ones(3), "rate_hz": 0.0}, "rate_hz is 0, expected a number above 0"),
        ({"x": np.ones(3), "rate_hz": np.inf}, "rate_hz is inf"),
        ({"x": np.array(["a", "b"])}, r"a\.npz: no file of arrays \(ValueError\)"),
        ({"x": np.array([{}, 1], object)}, r"a\.npz: no file of arrays \(ValueError\)"),
    ):
        with pytest.raises(ValueError, match=message):
            read(**content)
    monkeypatch.setattr(arrays, "MAX_BYTES", 400)
    with pytest.raises(ValueError, match="0 MiB of arrays, expected at most 0"):
        read(x=np.arange(50.0))


def test_a_store_in_memory_gives_views_end_to_end(monkeypatch):
    store = cache.allocate_in_memory(np.array([2, 0, 3]))
    store.put(0, np.array([1, 2]))
    store.put(2, np.array([3, 4, 5]))
    assert [store[row].tolist() for row in range(3)] == [[1, 2], [], [3, 4, 5]]
    assert len(store) == 3 and store.trailing == () and store.ends.tolist() == [2, 2, 5]
    store[0][:] = 7
    assert store.data.tolist() == [7, 7, 3, 4, 5]
    monkeypatch.setattr(cache, "_free_memory", lambda: 40)
    assert len(cache.allocate_in_memory(np.array([10])).data) == 10
    with pytest.raises(ValueError, match=r"take 0\.0 GiB and 0\.0 GiB of memory are free"):
        cache.allocate_in_memory(np.array([11]))
    monkeypatch.setattr(cache, "_free_memory", lambda: None)
    assert len(cache.allocate_in_memory(np.array([11])).data) == 11


def test_batches_are_regrouped_to_shards():
    batches = [np.arange(0, 4), np.arange(4, 8), np.arange(8, 9)]
    parts = list(shards._regrouped(batches, [3, 3, 3]))
    assert [part.tolist() for part in parts] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert shards._counts(9, 4) == [4, 4, 1] and shards._counts(8, 4) == [4, 4]
    assert shards._counts(0, 4) == []
    assert shards._as(np.array([65504.0]), "float16").dtype == np.dtype("<f2")
    with pytest.raises(ValueError, match=r"6\.55e\+04 does not fit into float16"):
        shards._as(np.array([-65536.0]), "float16")
    assert shards._as(np.array([1e6]), "float32")[0] == 1e6


def test_features_need_two_per_cent_more_than_they_take(tmp_path, monkeypatch):
    settings = shards.ShardSettings(tmp_path, "k", "float16", 4)
    part = np.zeros((4, 5, 10))  # 100 bytes a clip
    monkeypatch.setattr(
        shards.shutil, "disk_usage", lambda place: type("Usage", (), {"free": 1020})
    )
    shards._require_space(settings, tmp_path, part, 10)
    with pytest.raises(ValueError, match="The features take"):
        shards._require_space(settings, tmp_path, part, 11)
    monkeypatch.setattr(
        shards.shutil, "disk_usage", lambda place: type("Usage", (), {"free": 3 * 2**30})
    )
    with pytest.raises(ValueError, match=r"take 5\.1 GiB and 3\.0 GiB are free in .*Give another"):
        shards._require_space(settings, tmp_path, part, 5 * 2**30 // 100)


@pytest.mark.parametrize("rows", [1, 7, 32])
def test_every_epoch_has_every_row_once(rows):
    steps = 4 * rows
    drawn = np.concatenate(
        [shuffled_rows(tf.constant(k, tf.int64), 3, rows, 5).numpy() for k in range(steps)]
    )
    epochs = drawn[: len(drawn) // rows * rows].reshape(-1, rows)
    np.testing.assert_array_equal(
        np.sort(epochs, axis=1), np.tile(np.arange(rows), (len(epochs), 1))
    )
    if rows > 1:
        assert len({tuple(epoch) for epoch in epochs}) > 1


def test_ordinals():
    numbers = (1, 2, 3, 4, 10, 11, 12, 13, 21, 22, 23, 101, 111, 112, 113, 122)
    assert [long_tests._ordinal(n) for n in numbers] == [
        *("1st", "2nd", "3rd", "4th", "10th", "11th", "12th", "13th", "21st", "22nd", "23rd"),
        *("101st", "111th", "112th", "113th", "122nd"),
    ]


def test_a_corpus_has_its_columns_and_what_is_not_there_is_damaged(tmp_path):
    (tmp_path / "a.wav").touch()
    columns = {"path": [str(tmp_path / n) for n in ("b.wav", "a.wav")], "label": ["x", "y"]}
    corpus = make_corpus("T", tmp_path, {**columns, "more": [1, 2]}, notes=["n"])
    assert corpus.index["label"].tolist() == ["y"] and corpus.index["more"].tolist() == [2]
    assert corpus.index["label"].cat.categories.tolist() == ["y"] and corpus.notes == ("n",)
    assert corpus.damaged[["path", "reason"]].to_numpy().tolist() == [
        [str(tmp_path / "b.wav"), "not found"]
    ]
    with pytest.raises(ValueError, match=r"b\.wav: not found"):
        make_corpus("T", tmp_path, {"path": columns["path"][:1], "label": ["x"]})
    with pytest.raises(ValueError, match="no clip is listed"):
        make_corpus("T", tmp_path, {"path": [], "label": []})
    for label in (None, ""):
        with pytest.raises(ValueError, match=r"a\.wav has no label in T"):
            make_corpus("T", tmp_path, {"path": columns["path"][1:], "label": [label]})
