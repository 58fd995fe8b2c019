"""Published layouts, laid out small: labels, folds, groups, segments; no leak, no silent loss."""

import numpy as np
import pandas as pd
import pytest
import soundfile

from zoo.data import corpora
from zoo.data.folds import assign_folds, describe_folds, device_folds, make_folds
from zoo.data.inspection import check_sound, read_headers

RATE_HZ = 4000


def sound(path, seconds=0.2, rate_hz=RATE_HZ):
    path.parent.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(len(path.name))
    soundfile.write(path, draw.uniform(-0.5, 0.5, round(seconds * rate_hz)), rate_hz)
    return path


def text(path, *lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))


def column(index, name):
    return index[name].astype(object).tolist()


def sides(fold, index, name="path"):
    return [set(column(index[part], name)) for part in (fold.train, fold.test)]


# ESC-50


def esc50(root, rows=None):
    rows = rows or [
        (1, "100032", "A", 0, "dog", True, "100032"),
        (1, "100038", "A", 14, "chirping_birds", False, "100038"),
        (2, "100210", "A", 36, "vacuum_cleaner", False, "100210"),
        (2, "100210", "B", 36, "vacuum_cleaner", False, "100210"),
        (3, "101296", "A", 0, "dog", True, "101296"),
    ]
    lines = ["filename,fold,target,category,esc10,src_file,take"]
    for fold, clip, take, target, category, esc10, source in rows:
        name = f"{fold}-{clip}-{take}-{target}.wav"
        sound(root / "audio" / name)
        lines.append(f"{name},{fold},{target},{category},{esc10},{source},{take}")
    text(root / "meta" / "esc50.csv", *lines)
    return root


def test_esc50_gives_category_fold_and_source(tmp_path):
    corpus = corpora.read(esc50(tmp_path))
    index = corpus.index
    assert corpus.title == "ESC-50"
    assert tuple(index.columns) == (*corpora.COLUMNS, "esc10")
    assert column(index, "label") == ["dog", "chirping_birds", *["vacuum_cleaner"] * 2, "dog"]
    assert column(index, "fold") == ["1", "1", "2", "2", "3"]
    assert column(index, "group") == ["100032", "100038", "100210", "100210", "101296"]
    assert column(index, "esc10") == [True, False, False, False, True]
    assert index["start_s"].isna().all() and index["end_s"].isna().all()
    assert index["device"].isna().all()
    all_folds = make_folds(index)
    assert [fold.name for fold in all_folds] == ["fold 1", "fold 2", "fold 3"]
    assert [column(index[fold.test], "fold") for fold in all_folds] == [["1"] * 2, ["2"] * 2, ["3"]]
    assert not any(fold.leaking for fold in all_folds)


def test_esc10_alone_is_called_so(tmp_path):
    rows = [(1, "7", "A", 0, "dog", True, "7"), (2, "8", "A", 1, "rooster", True, "8")]
    assert corpora.read(esc50(tmp_path, rows)).title == "ESC-10"


def test_a_listed_clip_that_is_not_there_is_named(tmp_path):
    (esc50(tmp_path) / "audio" / "2-100210-B-36.wav").unlink()
    corpus = corpora.read(tmp_path)
    assert len(corpus.index) == 4
    (row,) = corpus.damaged.to_dict("records")
    assert row["path"].endswith("2-100210-B-36.wav") and row["reason"] == "not found"


def test_a_table_without_a_column_is_refused_by_name(tmp_path):
    sound(tmp_path / "audio" / "a.wav")
    text(tmp_path / "meta" / "esc50.csv", "filename,fold,category", "a.wav,1,dog")
    with pytest.raises(
        ValueError, match="Missing: target, esc10, src_file, take; present: filename"
    ):
        corpora.read(tmp_path)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("../../outside.wav,1,0,dog,True,7,A", r"names 'audio/\.\./\.\./outside\.wav'.* outside"),
        ("a/../../../outside.wav,1,0,dog,True,7,A", "lies outside the corpus"),
        ("a\0.wav,1,0,dog,True,7,A", "outside the corpus|not a table"),
        ("1-7-A-0.wav,1,0,,True,7,A", "has no label"),
        ("1-7-A-0.wav,1,0", "line 3 has 3 fields, the first line 7"),
        ("1-7-A-0.wav,1,0,dog,True,7,A,more", "line 3 has 8 fields, the first line 7"),
        ('"1-7-A-0.wav,1,0,dog,True,7,A', "not a table that can be read"),
    ],
)
def test_a_table_that_leaves_the_corpus_or_has_short_rows_is_refused(tmp_path, row, message):
    root = esc50(tmp_path / "corpus", [(1, "7", "A", 0, "dog", True, "7")])
    sound(tmp_path / "outside.wav")
    with (root / "meta" / "esc50.csv").open("a") as table:
        table.write(f"{row}\n")
    with pytest.raises(ValueError, match=message) as refused:
        corpora.read(root)
    assert "\n" not in str(refused.value)


def test_a_table_of_another_encoding_or_beyond_all_measure_is_refused(tmp_path, monkeypatch):
    root = esc50(tmp_path)
    table = root / "meta" / "esc50.csv"
    table.write_bytes(table.read_bytes() + b"\xff\xfe")
    with pytest.raises(ValueError, match="not a table that can be read: 'utf-8' codec"):
        corpora.read(root)
    monkeypatch.setattr("zoo.data.corpora.index._MAX_TABLE_BYTES", 100)
    with pytest.raises(ValueError, match="is larger than"):
        corpora.read(root)


# UrbanSound8K


def test_urbansound8k_gives_class_fold_and_freesound_recording(tmp_path):
    lines = ["slice_file_name,fsID,start,end,salience,fold,classID,class"]
    for fs_id, slice_, fold, class_id, label, salience in [
        (100032, 0, 5, 3, "dog_bark", 1),
        (100263, 117, 10, 2, "children_playing", 2),
        (100263, 121, 10, 2, "children_playing", 1),
    ]:
        name = f"{fs_id}-{class_id}-0-{slice_}.wav"
        sound(tmp_path / "audio" / f"fold{fold}" / name)
        lines.append(f"{name},{fs_id},58.5,62.5,{salience},{fold},{class_id},{label}")
    text(tmp_path / "metadata" / "UrbanSound8K.csv", *lines)
    corpus = corpora.read(tmp_path)
    index = corpus.index
    assert corpus.title == "UrbanSound8K" and corpus.damaged.empty
    assert column(index, "label") == ["dog_bark", "children_playing", "children_playing"]
    assert column(index, "fold") == ["5", "10", "10"]
    assert column(index, "group") == ["100032", "100263", "100263"]
    assert column(index, "salience") == ["foreground", "background", "foreground"]
    assert index["start_s"].isna().all()  # start and end lie in the original, not in the slice
    assert [fold.name for fold in make_folds(index)] == ["fold 5", "fold 10"]


def test_a_fold_that_is_a_path_is_refused(tmp_path):
    text(
        tmp_path / "metadata" / "UrbanSound8K.csv",
        "slice_file_name,fsID,start,end,salience,fold,classID,class",
        "passwd,1,0,1,1,/../../../../../../../../etc,3,dog_bark",
    )
    with pytest.raises(ValueError, match="outside the corpus"):
        corpora.read(tmp_path)


# TAU Urban Acoustic Scenes


def tau(root, names, *, test=()):
    """Lay out `scene-city-place-...-device` names; those in `test` are tested on."""
    header = "filename\tscene_label"
    meta, train, evaluate = [], [], []
    for name in names:
        sound(root / "audio" / f"{name}.wav")
        scene, city, place, *_, device = name.split("-")
        meta.append(f"audio/{name}.wav\t{scene}\t{city}-{place}\t{device}")
        (evaluate if name in test else train).append(f"audio/{name}.wav\t{scene}")
    text(root / "meta.csv", f"{header}\tidentifier\tsource_label", *meta)
    setup = root / "evaluation_setup"
    text(setup / "fold1_train.csv", header, *train)
    text(setup / "fold1_evaluate.csv", header, *evaluate)
    text(setup / "fold1_test.csv", "filename", *(line.split("\t")[0] for line in evaluate))
    return root


@pytest.mark.parametrize(
    ("edition", "names"),
    [
        ("2019", ["airport-lisbon-1000-40000-a", "bus-lyon-1001-40001-a"]),
        ("2019 Mobile", ["airport-lisbon-1000-40000-b", "bus-lyon-1001-40001-a"]),
        ("2020 Mobile", ["airport-lisbon-1000-40000-s1", "bus-lyon-1001-40001-a"]),
        ("2022 Mobile", ["airport-lisbon-1000-40000-0-s1", "bus-lyon-1001-40001-9-a"]),
    ],
)
def test_tau_gives_scene_split_place_and_device(tmp_path, edition, names):
    corpus = corpora.read(tau(tmp_path, names, test=names[1:]))
    index = corpus.index
    assert corpus.title == f"TAU Urban Acoustic Scenes {edition}"
    assert column(index, "label") == ["airport", "bus"]
    assert column(index, "fold") == ["train", "test"]
    assert column(index, "group") == ["lisbon-1000", "lyon-1001"]
    assert column(index, "device") == [names[0].rsplit("-")[-1], "a"]
    assert column(index, "city") == ["lisbon", "lyon"]
    (fold,) = make_folds(index)
    assert (fold.name, fold.train.tolist(), fold.test.tolist()) == (
        "official",
        [True, False],
        [False, True],
    )


def test_tau_2022_pieces_of_a_segment_share_their_source(tmp_path):
    names = [f"bus-lyon-1001-40001-{piece}-a" for piece in range(3)]
    index = corpora.read(tau(tmp_path, [*names, "bus-lyon-1001-40001-0-b"])).index
    assert column(index, "source") == ["bus-lyon-1001-40001-a"] * 3 + ["bus-lyon-1001-40001-b"]


def test_tau_says_which_devices_are_only_in_test_and_what_is_in_neither(tmp_path):
    names = ["tram-oslo-1-1-a", "tram-oslo-2-2-s5", "tram-oslo-3-3-s4", "park-oslo-4-4-a"]
    tau(tmp_path, names, test=names[1:3])
    setup = tmp_path / "evaluation_setup" / "fold1_train.csv"
    setup.write_text(setup.read_text().replace("audio/park-oslo-4-4-a.wav\tpark\n", ""))
    corpus = corpora.read(tmp_path)
    assert "Devices only in test: s4, s5." in corpus.notes
    assert "1 clips are in neither train nor test." in corpus.notes
    assert corpus.index["fold"].isna().tolist() == [False, False, False, True]


def test_tau_with_commas_is_refused(tmp_path):
    tau(tmp_path, ["tram-oslo-1-1-a"])
    meta = tmp_path / "meta.csv"
    meta.write_text(meta.read_text().replace("\t", ","))
    with pytest.raises(ValueError, match="must have the columns filename, scene_label"):
        corpora.read(tmp_path)


# ICBHI 2017


def icbhi(root, recordings, split=()):
    """`{stem: [annotation lines]}`, each recording 3 s."""
    for stem, lines in recordings.items():
        sound(root / f"{stem}.wav", seconds=3)
        text(root / f"{stem}.txt", *lines)
    if split:
        text(root / "official_split.txt", *split)
    return root


def test_icbhi_cycles_are_segments_with_four_labels(tmp_path):
    icbhi(
        tmp_path,
        {
            "101_1b1_Al_sc_Meditron": ["0.036\t0.579\t0\t0", "0.579\t1.2\t1\t0"],
            "160_2b3_Tc_mc_AKGC417L": ["0\t1\t0\t1", "1.0\t2.95\t1\t1"],
        },
    )
    corpus = corpora.read(tmp_path)
    index = corpus.index
    assert corpus.title == "ICBHI 2017"
    assert column(index, "label") == ["normal", "crackle", "wheeze", "both"]
    assert index["start_s"].tolist() == [0.036, 0.579, 0.0, 1.0]
    assert index["end_s"].tolist() == [0.579, 1.2, 1.0, 2.95]
    assert column(index, "group") == ["101", "101", "160", "160"]
    assert column(index, "device") == ["Meditron"] * 2 + ["AKGC417L"] * 2
    assert column(index, "place") == ["Al", "Al", "Tc", "Tc"]
    listing = read_headers(index)
    np.testing.assert_array_equal(  # frames: seconds times 4000 Hz
        listing.spans, [(144, 2316), (2316, 4800), (0, 4000), (4000, 11_800)]
    )
    sounds = {}
    check_sound(listing, sink=lambda row, clip, header: sounds.update({row: clip[:, 0]}))
    whole = soundfile.read(index["path"][3], dtype="float32")[0]
    np.testing.assert_array_equal(sounds[3], whole[4000:11_800])


def test_icbhi_official_split_joins_on_four_fields_and_offers_a_leak_free_one(tmp_path):
    line = ["0\t1\t0\t0"]
    stems = ["156_1b1_Al_sc_Meditron", "156_2b1_Al_sc_Meditron", "101_1b1_Al_sc_Meditron"]
    stems += ["102_1b1_Al_sc_Litt3200", "103_1b1_Al_sc_Litt3200"]
    corpus = corpora.read(
        icbhi(
            tmp_path,
            dict.fromkeys(stems, line),
            split=[
                "156_1b1_Al_sc_Meditron\ttrain",
                "156_2b1_Al_sc_LittC2SE\ttest",  # another device than the file's name
                "101_1b1_Al_sc_Meditron\ttrain",
                "102_1b1_Al_sc_Litt3200\ttest",
            ],
        )
    )
    index = corpus.index
    fold_of = dict(zip(index["path"].map(lambda path: path[-26:-4]), index["fold"], strict=True))
    assert fold_of["156_1b1_Al_sc_Meditron"] == "train"
    assert fold_of["156_2b1_Al_sc_Meditron"] == "test"
    assert pd.isna(fold_of["103_1b1_Al_sc_Litt3200"])
    assert "1 recordings are in neither train nor test of the official split." in corpus.notes
    (official,) = make_folds(index)
    assert official.leaking == ("156",)
    assert sides(official, index, "group") == [{"156", "101"}, {"156", "102"}]
    (clean,) = make_folds(index, leak_free=True)
    assert clean.leaking == () and sides(clean, index, "group") == [{"101"}, {"102"}]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("0.1 1.0 0", "line 2 of 101_1b1_Al_sc_Meditron.txt must be start s, end s, crackle"),
        ("0.1 1.0 0 2", "line 2 of"),
        ("1.0 0.1 0 0", "runs from 1.0 to 0.1 s"),
        ("nan 0.1 0 0", "runs from nan"),
    ],
)
def test_icbhi_damaged_annotations_are_named_by_line(tmp_path, line, complaint):
    good = ["0\t1\t0\t0"]
    icbhi(tmp_path, {"101_1b1_Al_sc_Meditron": [*good, line], "102_1b1_Al_sc_Meditron": good})
    corpus = corpora.read(tmp_path)
    assert column(corpus.index, "group") == ["102"]
    (reason,) = corpus.damaged["reason"]
    assert complaint in reason


def test_icbhi_cycles_behind_the_end_are_named_and_rounding_is_forgiven(tmp_path):
    lines = ["0\t1\t0\t0", "2\t3.05\t0\t0", "2.5\t3.4\t0\t0", "4\t5\t0\t0"]
    index = corpora.read(icbhi(tmp_path, {"101_1b1_Al_sc_Meditron": lines})).index
    listing = read_headers(index)
    assert listing.spans[1] == (8000, 12_000)
    assert [row for row, _ in listing.findings.damaged] == [2, 3]
    assert listing.findings.damaged[1][1] == (
        "annotated from 4.000 to 5.000 s, but the recording ends at 3.000 s"
    )


# HF_Lung_V1


def hf_lung(root):
    sound(root / "train" / "steth_20180814_09_37_11.wav", seconds=3)
    text(
        root / "train" / "steth_20180814_09_37_11_label.txt",
        "I 00:00:00.150 00:00:01.250",
        "E 00:00:01.300 00:00:02.000",
        "Wheeze 00:00:01.400 00:00:01.900",
    )
    sound(root / "test" / "trunc_2019-08-12-11-25-30-L1_1.wav", seconds=3)
    text(root / "test" / "trunc_2019-08-12-11-25-30-L1_1_label.txt", "D 00:00:02.000 00:00:02.5")
    return root


def test_hf_lung_events_are_segments_grouped_by_date(tmp_path):
    corpus = corpora.read(hf_lung(tmp_path))
    index = corpus.index
    assert corpus.title == "HF_Lung_V1"
    assert column(index, "label") == ["I", "E", "Wheeze", "D"]
    assert index["start_s"].tolist() == [0.15, 1.3, 1.4, 2.0]
    assert index["end_s"].tolist() == [1.25, 2.0, 1.9, 2.5]
    assert column(index, "fold") == ["train"] * 3 + ["test"]
    assert column(index, "group") == ["20180814"] * 3 + ["20190812"]
    assert column(index, "device") == ["steth"] * 3 + ["trunc"]


@pytest.mark.parametrize("clock", ["inf", "nan", "1e999"])
def test_hf_lung_times_are_finite(tmp_path, clock):
    train = hf_lung(tmp_path) / "train"
    text(train / "steth_20180814_09_37_11_label.txt", f"D 00:00:00 00:00:{clock}")
    (damaged,) = corpora.read(tmp_path).damaged["reason"]
    assert "must be I|E|D" in damaged


@pytest.mark.parametrize("times", ["00:00:01 00:00:01", "00:00:02 00:00:01", "-00:00:01 00:00:01"])
def test_hf_lung_events_begin_before_they_end(tmp_path, times):
    train = hf_lung(tmp_path) / "train"
    text(train / "steth_20180814_09_37_11_label.txt", f"D {times}")
    (damaged,) = corpora.read(tmp_path).damaged["reason"]
    assert "must be I|E|D" in damaged


def test_hf_lung_clock_counts_minutes_and_hours(tmp_path):
    text(
        hf_lung(tmp_path) / "test" / "trunc_2019-08-12-11-25-30-L1_1_label.txt",
        "D 01:02:03.5 01:02:04.25",
    )
    assert corpora.read(tmp_path).index["start_s"].tolist()[-1] == 3723.5


def test_hf_lung_damaged_annotations_are_named(tmp_path):
    train = hf_lung(tmp_path) / "train"
    text(train / "steth_20180814_09_37_11_label.txt", "Sneeze 00:00:00 00:00:01")
    sound(train / "steth_20180815_09_37_11.wav")
    corpus = corpora.read(tmp_path)
    assert column(corpus.index, "label") == ["D"]
    reasons = corpus.damaged["reason"].tolist()
    assert "line 1 of steth_20180814_09_37_11_label.txt must be I|E|D|Wheeze" in reasons[0]
    assert "cannot be read" in reasons[1] and "does not exist" in reasons[1]


# Class folders


def test_class_folders_give_labels_and_warn_of_leaks(tmp_path):
    for name in ("rain/a.wav", "rain/deep/b.FLAC", "wind/c.ogg", "wind/notes.txt", ".git/x.wav"):
        if name.endswith("txt"):
            text(tmp_path / name, "hello")
        else:
            sound(tmp_path / name)
    corpus = corpora.read(tmp_path)
    assert column(corpus.index, "label") == ["rain", "rain", "wind"]
    assert corpus.index["group"].isna().all()
    assert "may leak" in corpus.notes[0]
    assert corpus.notes[1] == "1 file is not named like recordings and left out."


def test_class_folders_take_groups_by_path_or_name(tmp_path):
    for name in ("rain/a.wav", "wind/b.wav"):
        sound(tmp_path / name)
    text(tmp_path / "groups.csv", "filename,group", "rain/a.wav,monday", "b.wav,tuesday")
    corpus = corpora.read(tmp_path)
    assert column(corpus.index, "group") == ["monday", "tuesday"] and corpus.notes == ()
    text(tmp_path / "groups.csv", "filename,group", "rain/a.wav,monday")
    with pytest.raises(ValueError, match=r"Missing: 1, the first wind/b\.wav"):
        corpora.read(tmp_path)


def test_a_recording_of_two_groups_is_refused(tmp_path):
    for name in ("rain/a.wav", "rain/c.wav", "wind/a.wav"):
        sound(tmp_path / name)
    rows = ["a.wav,monday", "rain/c.wav,monday", "rain/c.wav,monday"]
    text(tmp_path / "groups.csv", "filename,group", *rows)
    assert column(corpora.read(tmp_path).index, "group") == ["monday"] * 3
    text(tmp_path / "groups.csv", "filename,group", *rows, "a.wav,tuesday")
    with pytest.raises(ValueError, match=r"several groups to a\.wav\. Name each recording once"):
        corpora.read(tmp_path)


def test_recordings_beside_the_class_folders_are_named(tmp_path):
    for name in ("rain/a.wav", "wind/b.wav", "z.FLAC", "y.wav", ".x.wav"):
        sound(tmp_path / name)
    corpus = corpora.read(tmp_path)
    assert column(corpus.index, "label") == ["rain", "wind"]
    assert (
        "2 recordings are beside the class folders and left out, the first y.wav."
        in (corpus.notes[-1])
    )


def test_a_table_with_other_separators_says_which_are_expected(tmp_path):
    sound(tmp_path / "rain/a.wav")
    text(tmp_path / "groups.csv", "filename;group", '"rain/a.wav";"monday"')
    with pytest.raises(ValueError, match="its fields separated by ','"):
        corpora.read(tmp_path)


def test_a_class_may_be_called_nan_and_have_a_non_ascii_name(tmp_path):
    for name in ("nan/a.wav", "дождь/b.wav"):
        sound(tmp_path / name)
    index = corpora.read(tmp_path).index
    assert set(column(index, "label")) == {"nan", "дождь"}


# Which layout it is


def test_a_corpus_one_folder_down_is_found(tmp_path):
    esc50(tmp_path / "ESC-50-master")
    assert corpora.read(tmp_path).title == "ESC-50"


def test_several_corpora_in_one_folder_are_refused_by_name(tmp_path):
    esc50(tmp_path / "esc")
    hf_lung(tmp_path / "lung")
    with pytest.raises(ValueError, match="holds several corpora, esc, lung: give one of them"):
        corpora.read(tmp_path)


def test_a_layout_can_be_asked_for(tmp_path):
    assert corpora.read(esc50(tmp_path), "folder").title == "A folder of class folders"
    with pytest.raises(ValueError, match="`layout` must be one of esc50, urbansound8k, tau, icbhi"):
        corpora.read(tmp_path, "esc")


def test_what_is_no_corpus_is_refused(tmp_path):
    with pytest.raises(ValueError, match="has no known layout"):
        corpora.read(tmp_path)
    with pytest.raises(ValueError, match="does not exist"):
        corpora.read(tmp_path / "nowhere")
    text(tmp_path / "file", "x")
    with pytest.raises(ValueError, match="is a file, not a folder"):
        corpora.read(tmp_path / "file")


# Folds by group


def table(groups, labels):
    return pd.DataFrame(
        {
            "path": [f"{k}.wav" for k in range(len(labels))],
            "fold": None,
            "group": groups,
            "label": labels,
        }
    )


@pytest.mark.parametrize("seed", range(5))
def test_folds_keep_groups_whole_and_labels_even(seed):
    draw = np.random.default_rng(seed)
    groups = draw.integers(0, 40, 600)
    index = table(groups.astype(str), draw.choice(list("abc"), 600, p=[0.6, 0.3, 0.1]))
    all_folds = make_folds(index, count=5, seed=seed)
    tested = np.sum([fold.test for fold in all_folds], axis=0)
    assert (tested == 1).all()  # each clip is tested on once
    for fold in all_folds:
        train, test = sides(fold, index, "group")
        assert not train & test
        assert (fold.train ^ fold.test).all()
        share = index[fold.test]["label"].value_counts() / index["label"].value_counts()
        assert share.between(0.1, 0.3).all()  # a fifth, as near as groups allow


def test_folds_depend_on_the_seed_alone():
    index = table([str(k // 2) for k in range(60)], list("ab") * 30)
    same = [assign_folds(index, count=3, seed=1) for _ in range(2)]
    np.testing.assert_array_equal(*same)
    assert (same[0] != assign_folds(index, count=3, seed=2)).any()


def test_clips_without_a_group_stay_with_their_recording():
    index = table(None, list("abab"))
    index["path"] = ["x.wav", "x.wav", "y.wav", "y.wav"]
    for fold in make_folds(index, count=2):
        train, test = sides(fold, index)
        assert not train & test


@pytest.mark.parametrize("only", ["4", "train"])
def test_a_single_official_fold_gives_folds_by_group(only):
    index = table(list("ppqqrrss"), list("abababab"))
    index["fold"] = only
    made = make_folds(index, count=4)
    assert [fold.name for fold in made] == [f"fold {k}" for k in (1, 2, 3, 4)]
    for fold in made:
        train, test = sides(fold, index, "group")
        assert len(train) == 3 and len(test) == 1 and not train & test
    assert describe_folds(index, count=4) == (
        f"4 folds by group: the corpus has one official fold only, {only}"
    )
    index.loc[:3, "fold"] = "test"
    assert describe_folds(index) == f"official folds: {only if only == '4' else 'test'}, " + (
        "test" if only == "4" else "train"
    )


def test_more_folds_than_groups_are_refused():
    with pytest.raises(ValueError, match="count=3, 2 groups"):
        make_folds(table(["p", "q"], ["a", "b"]), count=3)


def test_class_folders_of_named_recordings_can_be_read_by_layout(tmp_path):
    for name in ("wheeze/101_1b1_Al_sc_Meditron.wav", "normal/102_1b1_Al_sc_Meditron.wav"):
        sound(tmp_path / name)
    with pytest.raises(ValueError, match=r"several corpora, normal, wheeze: .* name the layout"):
        corpora.read(tmp_path)
    assert column(corpora.read(tmp_path, "folder").index, "label") == ["normal", "wheeze"]


def test_a_corpus_is_indexed_without_opening_a_recording(tmp_path):
    # TAU 2022 as `recipes.benchmarks.corpus_index` writes it, smaller: its files are empty
    from recipes.benchmarks.corpus_index import write_tau_2022

    write_tau_2022(tmp_path / "TAU", 2000)
    corpus = corpora.read(tmp_path / "TAU")
    assert len(corpus.index) == 2000 and corpus.damaged.empty
    (fold,) = make_folds(corpus.index)
    # ten pieces of each segment whose place is trained on and whose device is a, b, c, s1, s2 or s3
    trained = [number // 40 % 4 > 0 and number % 9 < 6 for number in range(200)]
    assert fold.train.sum() == 10 * sum(trained)
    assert (fold.train ^ fold.test).all()
    assert set(column(corpus.index[fold.train], "device")) == {"a", "b", "c", "s1", "s2", "s3"}


# Without a device


def test_no_device_and_no_patient_stands_on_both_sides():
    index = pd.DataFrame(
        {
            "path": list("abcdefg"),
            "group": ["1", "1", "2", "3", "3", "4", "5"],
            "device": ["x", "x", "x", "x", "y", "y", None],
            "label": "n",
        }
    )
    by_device = device_folds(index)
    assert [fold.name for fold in by_device] == ["without x", "without y"]
    # patient 3 was recorded with both and is tested only; nobody knows the device of patient 5
    np.testing.assert_array_equal(by_device[0].train, [0, 0, 0, 0, 0, 1, 0])
    np.testing.assert_array_equal(by_device[0].test, [1, 1, 1, 1, 0, 0, 0])
    np.testing.assert_array_equal(by_device[1].train, [1, 1, 1, 0, 0, 0, 0])
    for fold in by_device:
        for name in ("group", "device"):
            train, test = sides(fold, index, name)
            assert not train & test


def test_one_device_cannot_be_left_out():
    index = pd.DataFrame({"path": ["a", "b"], "group": ["1", "2"], "device": "x", "label": "n"})
    assert device_folds(index) == []
