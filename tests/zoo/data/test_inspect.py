"""`python -m zoo.data`: report and picture of a folder, and its damaged files."""

import json
import os

import numpy as np
import pandas as pd
import pytest
import soundfile

from zoo.cli.data import LAYOUTS
from zoo.data.__main__ import main
from zoo.data.copies import find_copies, join_groups
from zoo.data.corpora import LAYOUTS as READERS
from zoo.data.corpora import read
from zoo.data.folds import group_keys
from zoo.data.inspection import check_sound, read_headers
from zoo.data.pipeline import load
from zoo.data.summary import Summary
from zoo.plots.corpus import corpus as draw
from zoo.progress import track

RATE_HZ = 4000


@pytest.fixture
def folder(tmp_path):
    """Two classes: 3 clips of a second of rain, 2 of half a second of wind."""
    root = tmp_path / "sounds"
    random = np.random.default_rng(0)
    for label, count, frames in (("rain", 3, RATE_HZ), ("wind", 2, RATE_HZ // 2)):
        (root / label).mkdir(parents=True)
        for number in range(count):
            sound = random.uniform(-0.5, 0.5, frames)
            soundfile.write(root / label / f"{number}.wav", sound, RATE_HZ)
    return root


@pytest.fixture
def run(folder, tmp_path, capsys):
    """Run the command on the folder; returns its exit code, output and errors."""

    def command(*options):
        code = main([str(folder), "--plot", str(tmp_path / "out" / "corpus.png"), *options])
        return code, *capsys.readouterr()

    return command


def test_it_counts_what_is_there(run, folder, tmp_path):
    code, out, err = run()
    assert (code, err) == (0, f"picture: {tmp_path / 'out' / 'corpus.png'}\n")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[0] == f"A folder of class folders {folder}"
    assert lines[1] == "5 clips of 5 recordings, 0.1 minutes, 2 classes, 5 groups"
    assert "rain 3 0.1 3" in lines and "wind 2 0.0 2" in lines
    assert "lengths 0.50 to 1.00 s, median 1.00 s" in lines
    assert "rates 4000 Hz (5)" in lines
    assert "formats WAV PCM_16 (5)" in lines
    assert "channels 1 (5)" in lines
    assert "damaged none" in lines
    assert any("may leak" in line for line in lines)
    assert (tmp_path / "out" / "corpus.png").read_bytes().startswith(b"\x89PNG")


def test_it_names_each_damaged_file_with_its_reason(run, folder, tmp_path):
    (folder / "rain" / "0.wav").write_bytes(b"")
    (folder / "wind" / "1.wav").write_bytes((folder / "wind" / "0.wav").read_bytes()[:1000])
    soundfile.write(folder / "rain" / "1.wav", np.zeros(10), RATE_HZ)
    code, out, _ = run("--damaged", str(tmp_path / "damaged.csv"))
    assert code == 0
    assert "damaged   3 of 5 clips, left out:" in out
    assert "  rain/0.wav: empty: 0 bytes\n" in out
    assert "  rain/1.wav: silent: every sample is 0\n" in out
    assert "  wind/1.wav: cut short: the header declares 4000 bytes of sound, 956 are there" in out
    table = pd.read_csv(tmp_path / "damaged.csv")
    assert table.columns.tolist() == ["path", "start_s", "reason"] and len(table) == 3


def test_strict_stops_at_the_first_damaged_file(run, folder, tmp_path):
    soundfile.write(folder / "rain" / "1.wav", np.zeros(10), RATE_HZ)
    code, out, err = run("--strict")
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert "1.wav: silent: every sample is 0. Repair or remove it" in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_strict_stops_at_what_is_listed_and_not_there(tmp_path, capsys):
    (tmp_path / "meta").mkdir()
    (tmp_path / "audio").mkdir()
    soundfile.write(tmp_path / "audio" / "a.wav", np.ones(9), RATE_HZ)
    (tmp_path / "meta" / "esc50.csv").write_text(
        "filename,fold,target,category,esc10,src_file,take\n"
        "a.wav,1,0,dog,True,1,A\nb.wav,1,0,dog,True,1,B\n"
    )
    assert main([str(tmp_path), "--strict"]) == 2
    assert "b.wav: not found." in capsys.readouterr().err


def test_quick_reads_headers_only(run, folder):
    soundfile.write(folder / "rain" / "1.wav", np.zeros(RATE_HZ), RATE_HZ)
    _, out, _ = run("--quick")
    assert "headers only" in out and "damaged   none" in out


def test_quick_draws_around_what_does_not_decode(run, folder):
    path = folder / "wind" / "0.flac"
    soundfile.write(path, np.random.default_rng(0).uniform(-1, 1, 9000), RATE_HZ)
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    code, _, err = run("--quick")
    assert code == 0 and err.startswith("picture: ") and err.count("\n") == 1


def test_odd_clips_are_counted(run, folder):
    sound = np.clip(np.random.default_rng(0).normal(0, 2, 4000), -1, 1)
    soundfile.write(folder / "rain" / "1.wav", sound, RATE_HZ)
    lines = run()[1].splitlines()
    place = lines.index("remark    1 clip: clipped")
    assert lines[place + 1].startswith("  rain/1.wav: ")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--layout", "esc50"), "esc50.csv does not exist"),
        (("--plot", "a.gif"), "--plot must end in .png, .pdf or .svg"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(run, options, complaint):
    code, out, err = run(*options)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert complaint in err


def test_a_folder_that_is_not_there_is_one_line(tmp_path, capsys):
    assert main([str(tmp_path / "nowhere")]) == 2
    assert capsys.readouterr().err.endswith(
        "does not exist. Give the folder that a corpus was unpacked into.\n"
    )


def test_the_command_offers_the_layouts_that_can_be_read():
    assert tuple(READERS) == LAYOUTS


def test_findings_stand_in_the_order_of_rows(folder):
    paths = [str(path) for path in sorted(folder.rglob("*.wav"))]
    index = pd.DataFrame(
        {"path": paths[::-1] * 2, "start_s": [0.0] * 5 + [9.0] * 5, "end_s": np.nan}
    )
    listing = read_headers(index)
    assert [row for row, _ in listing.findings.damaged] == [5, 6, 7, 8, 9]
    assert listing.seconds().tolist() == [0.5, 0.5, 1.0, 1.0, 1.0, 0, 0, 0, 0, 0]
    assert listing.lengths(8000).tolist() == [4000, 4000, 8000, 8000, 8000, 0, 0, 0, 0, 0]
    lengths = []
    check_sound(listing, sink=lambda row, sound, header: lengths.append((row, len(sound))))
    assert sorted(lengths) == [(0, 2000), (1, 2000), (2, 4000), (3, 4000), (4, 4000)]


def test_progress_passes_everything_on_and_is_silent_when_quick(capsys):
    assert list(track(range(5), 5, "counting")) == [0, 1, 2, 3, 4]
    assert capsys.readouterr() == ("", "")


def test_the_picture_draws_every_class_and_twelve_examples():
    names = [f"class {number}" for number in range(15)]
    power = np.linspace(-100, 0, 12).reshape(3, 4)
    figure = draw(
        "Made up",
        {name: 1.0 + number for number, name in enumerate(names)},
        dict.fromkeys(names, 1500),
        [2.0] * 15,
        dict.fromkeys(names, (power, 8000.0, 2.0)),
    )
    bars, lengths, *examples = figure.axes
    assert [bar.get_width() for bar in bars.patches] == [1.0 + number for number in range(15)]
    assert {text.get_text() for text in bars.texts} == {"1,500"}
    assert sum(bar.get_height() for bar in lengths.patches) == 15
    assert len(examples) == 12
    image = examples[0].images[0]
    assert image.get_extent() == [0, 2.0, 0, 8.0]  # seconds, kilohertz
    assert image.get_clim() == (-80, 0)


def test_examples_of_mixed_rates_reach_up_to_what_all_can_hold(folder):
    rate_hz = 4 * RATE_HZ
    time_s = np.arange(rate_hz) / rate_hz
    soundfile.write(folder / "wind" / "2.wav", 0.5 * np.sin(2 * np.pi * 1000 * time_s), rate_hz)
    corpus = read(folder)
    listing = read_headers(corpus.index)
    *_, examples = Summary.of(corpus, listing, check_sound(listing), checked=True).picture()
    assert {top_hz for _, top_hz, _ in examples.values()} == {RATE_HZ / 2}
    power_db, top_hz, duration_s = examples["wind"]
    loudest = power_db.mean(axis=1).argmax() / (len(power_db) - 1) * top_hz
    assert (loudest, duration_s) == (pytest.approx(1000, abs=16), 1.0)


def test_copies_are_named_and_stay_in_one_group(run, folder):
    sound, _ = soundfile.read(folder / "rain" / "0.wav")
    soundfile.write(folder / "wind" / "copy.wav", sound, RATE_HZ)
    soundfile.write(folder / "rain" / "copy.flac", sound, RATE_HZ)  # lossless: the same samples
    _, out, _ = run()
    assert "1 recording stands there more than once under two classes or more" in out
    assert "rain/0.wav, rain/copy.flac, wind/copy.wav" in out
    clips = load(read(folder).index, sample_rate_hz=RATE_HZ)
    groups = pd.Series(group_keys(clips.index), index=clips.index["path"].map(os.path.basename))
    assert groups.nunique() == 5 and len(groups) == 7
    assert len(set(groups[["copy.wav", "copy.flac"]])) == 1
    copies = json.loads(run("--json")[1])["copies"]
    assert copies == [
        {
            "files": ["rain/0.wav", "rain/copy.flac", "wind/copy.wav"],
            "classes": ["rain", "wind"],
            "folds": [],
        }
    ]


def test_copies_link_groups_that_are_known():
    index = pd.DataFrame(
        {"path": list("abcde"), "label": ["x"] * 5, "fold": [1, 1, 2, 2, 2], "group": list("ppqrs")}
    )
    copies = find_copies(index, [(0, "1"), (2, "1"), (1, "2"), (3, "2"), (4, "3")])
    assert [each.folds for each in copies] == [("1", "2"), ("1", "2")]
    assert list(join_groups(index, copies)["group"]) == ["p", "p", "p", "p", "s"]


def test_a_class_of_one_clip_and_classes_without_sound_are_named(run, folder):
    (folder / "wind" / "1.wav").unlink()
    for name in ("hail/a.m4a", "hail/b.AIFF", "rain/c.m4a", "rain/d.txt", "fog/.keep"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"")
    _, out, _ = run()
    assert "Only one clip of class wind: it cannot be trained on and tested on" in out
    assert "3 recordings are in a format that is not read, .m4a (2), .aiff (1)" in out
    assert "1 file is not named like recordings" in out
    assert "Class folders without a recording that is read: fog, hail." in out


def test_a_folder_of_formats_that_are_not_read_alone_says_so(tmp_path, capsys):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.m4a").write_bytes(b"")
    assert main([str(tmp_path)]) == 2
    assert "1 recording is in a format that is not read, .m4a (1)" in capsys.readouterr().err


def test_damaged_files_alone_are_a_mistake(run, folder):
    for path in folder.rglob("*.wav"):
        path.write_bytes(b"none")
    code, out, err = run()
    assert code == 2 and "damaged   5 of 5 clips" in out and "DataFrame" not in out
    assert err.startswith("error: ") and "none of its recordings can be used" in err


@pytest.mark.skipif(os.name != "posix", reason="file names are text elsewhere")
def test_a_name_that_is_no_utf8_is_drawn_and_listed(run, folder, tmp_path):
    os.rename(folder / "rain" / "0.wav", os.fsencode(folder / "rain") + b"/caf\xe9.wav")
    (folder / "wind" / "0.wav").write_bytes(b"")
    os.rename(folder / "wind" / "0.wav", os.fsencode(folder / "wind") + b"/\xe9.wav")
    code, out, _ = run("--damaged", str(tmp_path / "damaged.csv"))
    assert code == 0 and "  wind/\\xe9.wav: empty: 0 bytes" in out
    assert (tmp_path / "out" / "corpus.png").is_file()
    assert pd.read_csv(tmp_path / "damaged.csv")["path"][0].endswith("wind/\\xe9.wav")
    assert json.loads(run("--json")[1])["damaged"][0]["path"].endswith("\\xe9.wav")
