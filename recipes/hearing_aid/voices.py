"""Real voices and music for the hearing aid, cut from what telephone exchanges play.

The Debian packages asterisk-core-sounds-{en,es,fr,it,ru}-wav (five voices) and
asterisk-moh-opsound-wav (music) hold them, CC BY-SA 3.0 and CC BY 3.0, at 8 kHz. Unpack them with
`dpkg -x PACKAGE.deb FOLDER`, then

    python -m recipes.hearing_aid.voices FOLDER --out voices-and-music
    python -m recipes.hearing_aid --data voices-and-music
"""

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.cli import command
from zoo.progress import say

if TYPE_CHECKING:
    import numpy as np

CLIP_S = 8
VOICE_CLIPS, MUSIC_CLIPS = 30, 20  # of a voice, of a track, at most
SPEAKERS = {"en_US_f_Allison": "Allison", "es_MX_f_Allison": "Allison"}
NO_SPEECH = ("silence", "beep", "monkey")  # in the names of what is not said
ORIGIN = (
    "Asterisk core sounds 1.6.1 (four voices in English, French, Italian, Russian and Spanish, "
    "8 kHz, prompts joined to clips of 8 s) and Asterisk music on hold from opsound 2.03 (8 kHz, "
    "cut to 8 s), CC BY-SA 3.0 and CC BY 3.0, from the Debian packages "
    "asterisk-core-sounds-*-wav and asterisk-moh-opsound-wav.\n"
)


def main(arguments: list[str] | None = None) -> int:
    """Write the folders speech and music, groups.csv and origin.txt."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.hearing_aid.voices", description=__doc__.split("\n\n")[0]
    )
    parser.add_argument("packages", type=Path, help="folder that the packages were unpacked into")
    parser.add_argument("--out", type=Path, default=Path("voices-and-music"), help="new folder")
    options = parser.parse_args(arguments)
    if options.out.exists():
        raise ValueError(f"{options.out} is there already. Move it away, or give another --out.")
    voices = sorted(path for path in options.packages.rglob("sounds/*_*") if path.is_dir())
    tracks = sorted(options.packages.rglob("moh/*.wav"))
    if not voices or not tracks:
        raise ValueError(
            f"{options.packages}: expected sounds/LANGUAGE_VOICE/*.wav and moh/*.wav in it. "
            "Unpack the Debian packages there that `--help` names."
        )

    import numpy as np
    import soundfile

    rng = np.random.default_rng(0)
    rows = []
    for kind, sources, clips_of in (
        ("speech", voices, lambda voice: joined(voice, rng)),
        ("music", tracks, cut),
    ):
        (options.out / kind).mkdir(parents=True)
        for source in sources:
            group, count = source.name.removesuffix(".wav"), 0
            for clip, rate in clips_of(source):
                name = f"{kind}/{group}-{count}.wav"
                soundfile.write(options.out / name, clip, rate)
                # one speaker in two languages is one group: en_US_f_Allison, es_MX_f_Allison
                rows.append((name, SPEAKERS.get(group, group)))
                count += 1
            say(f"{group}: {count} clips")
    with open(options.out / "groups.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("filename", "group"), *rows])
    (options.out / "origin.txt").write_text(ORIGIN, encoding="utf-8")
    return 0


def joined(voice: Path, rng: "np.random.Generator") -> "Iterator[tuple[np.ndarray, int]]":
    """Prompts of one voice in a drawn order, with pauses between them, clip by clip."""
    import numpy as np
    import soundfile

    files = sorted(voice.glob("*.wav"))
    rng.shuffle(files)
    parts: list[np.ndarray] = []
    made = 0
    for path in files:
        x, rate = soundfile.read(path, dtype="float32")
        short, quiet = len(x) < rate, np.abs(x).max(initial=0) < 0.02
        if x.ndim > 1 or short or quiet or any(word in path.name for word in NO_SPEECH):
            continue
        parts += [x, np.zeros(int(rng.uniform(0.2, 0.6) * rate), "float32")]
        if sum(map(len, parts)) >= CLIP_S * rate:
            yield np.concatenate(parts), rate
            parts, made = [], made + 1
            if made == VOICE_CLIPS:
                return


def cut(track: Path) -> "Iterator[tuple[np.ndarray, int]]":
    """Stretches of a track that are not silent."""
    import numpy as np
    import soundfile

    x, rate = soundfile.read(track, dtype="float32")
    stretches = x[: len(x) // (CLIP_S * rate) * CLIP_S * rate].reshape(-1, CLIP_S * rate)
    loud = [clip for clip in stretches if np.sqrt(np.mean(clip**2)) > 0.01]
    yield from ((clip, rate) for clip in loud[:MUSIC_CLIPS])


if __name__ == "__main__":
    command.run(main)
