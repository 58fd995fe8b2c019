"""Clips of recorded speech and music from the sounds of a telephone exchange.

The Debian packages asterisk-core-sounds-{en,es,fr,it,ru}-wav (four voices) and
asterisk-moh-opsound-wav (music) contain them, CC BY-SA 3.0 and CC BY 3.0, at 8 kHz. Unpack them
with `dpkg -x PACKAGE.deb FOLDER`, then

    python -m recipes.hearing_aid.voices FOLDER --out voices-and-music
    python -m recipes.hearing_aid --data voices-and-music
"""

import argparse
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile

from zoo.cli import command
from zoo.files import replacing_folder, write_bytes, write_text
from zoo.progress import say

CLIP_S = 8
MAX_VOICE_CLIPS, MAX_MUSIC_CLIPS = 30, 20  # of a voice, of a track
SPEAKERS = {"en_US_f_Allison": "Allison", "es_MX_f_Allison": "Allison"}
NO_SPEECH = ("silence", "beep", "monkey")  # in the names of files without speech
ORIGIN = (
    "Asterisk core sounds 1.6.1 (four voices in English, French, Italian, Russian and Spanish, "
    "8 kHz, prompts joined to clips of 8 s) and Asterisk music on hold from opsound 2.03 (8 kHz, "
    "cut to 8 s), CC BY-SA 3.0 and CC BY 3.0, from the Debian packages "
    "asterisk-core-sounds-*-wav and asterisk-moh-opsound-wav.\n"
)


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.hearing_aid.voices",
        description="Write clips of speech and music from the Debian packages "
        "asterisk-core-sounds-{en,es,fr,it,ru}-wav and asterisk-moh-opsound-wav, unpacked with "
        "`dpkg -x PACKAGE.deb FOLDER`.",
    )
    parser.add_argument("packages", type=Path, help="folder that the packages were unpacked into")
    parser.add_argument("--out", type=Path, default=Path("voices-and-music"), help="new folder")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code.

    Raises:
        ValueError: a folder without the packages, or an output folder that exists.
    """
    options = parser().parse_args(arguments)
    write_clips(options.packages, options.out)
    return 0


def write_clips(packages: Path, out: Path) -> None:
    """Write the folders speech and music, groups.csv and origin.txt, all of them or none.

    Args:
        packages: folder that the packages were unpacked into.
        out: new folder.

    Raises:
        ValueError: a folder without the packages, or an output folder that exists.
    """
    if out.exists():
        raise ValueError(f"{out} exists already. Move it away, or give another --out.")
    voices = sorted(path for path in packages.rglob("sounds/*_*") if path.is_dir())
    tracks = sorted(packages.rglob("moh/*.wav"))
    if not voices or not tracks:
        raise ValueError(
            f"{packages}: expected sounds/LANGUAGE_VOICE/*.wav and moh/*.wav in it. "
            "Unpack the Debian packages there that `--help` names."
        )
    with replacing_folder(out) as work:
        _fill(work / "new", {"speech": voices, "music": tracks})


def _fill(out: Path, kinds: Mapping[str, Sequence[Path]]) -> None:
    rng = np.random.default_rng(0)
    rows = []
    for kind, sources in kinds.items():
        (out / kind).mkdir()
        for source in sources:
            group, count = source.name.removesuffix(".wav"), 0
            clips = join_prompts(source, rng) if kind == "speech" else cut_track(source)
            for clip, rate_hz in clips:
                name = f"{kind}/{group}-{count}.wav"
                content = io.BytesIO()
                soundfile.write(content, clip, rate_hz, format="WAV")
                write_bytes(out / name, content.getvalue())
                # one speaker in two languages is one group: en_US_f_Allison, es_MX_f_Allison
                rows.append((name, SPEAKERS.get(group, group)))
                count += 1
            say(f"{group}: {count} clips")
    table = io.StringIO()
    csv.writer(table).writerows([("filename", "group"), *rows])
    write_text(out / "groups.csv", table.getvalue())
    write_text(out / "origin.txt", ORIGIN)


def join_prompts(voice: Path, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, int]]:
    """Clips of one voice: prompts in random order, with pauses between them.

    Args:
        voice: folder of prompts.
        rng: random stream of the order and of the pauses.

    Yields:
        Clip (samples,) and its sample rate [Hz].
    """
    files = sorted(voice.glob("*.wav"))
    order = np.arange(len(files))
    rng.shuffle(order)
    parts: list[np.ndarray] = []
    clips = 0
    for path in (files[number] for number in order):
        x, rate_hz = soundfile.read(path, dtype="float32")
        is_short, is_silent = len(x) < rate_hz, np.abs(x).max(initial=0) < 0.02
        if x.ndim > 1 or is_short or is_silent or any(word in path.name for word in NO_SPEECH):
            continue
        parts += [x, np.zeros(int(rng.uniform(0.2, 0.6) * rate_hz), "float32")]
        if sum(map(len, parts)) >= CLIP_S * rate_hz:
            yield np.concatenate(parts), rate_hz
            parts, clips = [], clips + 1
            if clips == MAX_VOICE_CLIPS:
                return


def cut_track(track: Path) -> Iterator[tuple[np.ndarray, int]]:
    """Clips of a track that are not silent, with their sample rate [Hz]."""
    x, rate_hz = soundfile.read(track, dtype="float32")
    length = CLIP_S * rate_hz
    clips = x[: len(x) // length * length].reshape(-1, length)
    loud = [clip for clip in clips if np.sqrt(np.mean(clip**2)) > 0.01]
    yield from ((clip, rate_hz) for clip in loud[:MAX_MUSIC_CLIPS])


if __name__ == "__main__":
    command.run(main)
