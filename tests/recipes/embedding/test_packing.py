"""Sound banks from packages: which files are taken, under which licence, and once."""

import numpy as np
import soundfile

from recipes.embedding import packing
from recipes.embedding.package_sounds import Source


def test_sounds_of_packages_are_taken_once_and_named_by_their_stem(tmp_path, monkeypatch):
    folder = tmp_path / "some-data" / "usr" / "data.unzipped"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in ("idle_01", "idle_02", "copy", "other"):
        x = rng.uniform(-0.5, 0.5, 8000)
        soundfile.write(folder / f"{name}.wav", x, 8000)
    (folder / "idle_02.wav").write_bytes((folder / "idle_01.wav").read_bytes())
    monkeypatch.setattr(packing, "OPENSFX", {})
    monkeypatch.setattr(
        packing, "HEARING_MACHINES", (("some-data", "engine", "CC0-1.0", "idle_0? copy"),)
    )
    found = list(packing._hearing_machines(tmp_path))
    assert [row["label"] for _, row in found] == ["copy", "idle"]
    assert {row["group"] for _, row in found} == {"some-data-copy", "some-data-idle"}
    assert {(row["kind"], row["licence"]) for _, row in found} == {("engine", "CC0-1.0")}
    assert [len(clip) for clip, _ in found] == [16_000, 16_000]  # 1 s, at 16 kHz


def test_more_music_is_a_piece_a_folder_and_more_voices_a_speaker_of_bounded_length(
    tmp_path, monkeypatch
):
    rng = np.random.default_rng(1)
    for folder, name, seconds in (
        *(("songs/one", "song", 8), ("songs/two", "song", 8)),
        *(("talk/wav", str(k), 1) for k in range(3)),
    ):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        x = rng.uniform(-0.5, 0.5, 8000 * seconds)
        soundfile.write(tmp_path / folder / f"{name}.wav", x, 8000)
    voice = Source("talk", "wav/*.wav", "voice", "CC0-1.0", lambda path: ("ru", "one speaker"))
    monkeypatch.setattr(packing, "HEARING_MORE", ())
    monkeypatch.setattr(packing, "MORE_VOICES", (voice,))
    monkeypatch.setattr(packing, "MORE_MUSIC", (("songs", "**/song.wav", "CC0-1.0"),))
    monkeypatch.setattr(packing, "MAX_GROUP_S", 2.5)
    rows = [row for _, row in packing._hearing_more(tmp_path)]
    assert [row["group"] for row in rows] == ["one speaker", "one speaker", "one", "two"]


def test_more_slices_come_after_the_first_ones_and_from_trained_recordings_alone(
    tmp_path, monkeypatch
):
    (tmp_path / "metadata").mkdir()
    (tmp_path / "audio" / "fold1").mkdir(parents=True)
    trained = next(str(k) for k in range(50) if packing.part_of(str(k)) == "train")
    held_out = next(str(k) for k in range(50) if packing.part_of(str(k)) != "train")
    lines = ["slice_file_name,fold,fsID,class"]
    for group in (trained, held_out):
        for number in range(4):
            name = f"{group}-{number}.wav"
            lines.append(f"{name},1,{group},engine_idling")
            soundfile.write(tmp_path / "audio" / "fold1" / name, np.full(1600, 0.1), 16_000)
    (tmp_path / "metadata" / "UrbanSound8K.csv").write_text("\n".join(lines))
    monkeypatch.setattr(packing, "MAX_SLICES", 1)
    monkeypatch.setattr(packing, "MAX_MORE_SLICES", 2)
    assert [row["group"] for _, row in packing._more_slices(tmp_path)] == [trained] * 2
    assert len(list(packing._urbansound(tmp_path))) == 2


def test_banks_that_are_there_stay_and_are_not_decoded_again(tmp_path, monkeypatch, capsys):
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta" / "esc50.csv").write_text("filename,fold,category,src_file\na.wav,4,dog,1\n")
    monkeypatch.setattr(packing, "read_sound", lambda path: np.full(16_000, 0.1, np.float32))
    packing.write_banks(tmp_path / "out", tmp_path, None, None, None)
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["esc10_fold4"]

    def fail(path):
        raise AssertionError(path)

    monkeypatch.setattr(packing, "read_sound", fail)
    packing.write_banks(tmp_path / "out", tmp_path, None, None, None)
    assert "esc10_fold4: is there already and stays" in capsys.readouterr().err


def test_prompts_without_speech_are_no_voice_and_spoken_names_of_animals_are(tmp_path):
    prompts = tmp_path / "asterisk-core-sounds-fr-wav" / "sounds"
    stamps = tmp_path / "tuxpaint-stamps-default" / "animals"
    rng = np.random.default_rng(2)
    for folder, names in ((prompts, ("hello", "beep", "tt-monkeys")), (stamps, ("monkey_desc",))):
        folder.mkdir(parents=True)
        for name in names:
            suffix = "wav" if folder is prompts else "ogg"
            soundfile.write(folder / f"{name}.{suffix}", rng.uniform(-0.5, 0.5, 8000), 8000)
    rows = [row for _, row in packing._voices(tmp_path)]
    assert [row["group"] for row in rows] == ["tuxpaint-en", "asterisk-fr"]
