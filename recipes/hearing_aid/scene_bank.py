"""Recordings of a sound bank as sources of the hearing aid's scenes, split by recording."""

from collections.abc import Iterator, Sequence

import numpy as np

from zoo.data.bank import RATE_HZ, Bank, active_level, part_of, trim_silence

# (kind, label) in the bank -> source of scenes; a kind alone stands for all its labels.
NOISE = (
    ("urban", "air_conditioner"),
    ("urban", "drilling"),
    ("urban", "jackhammer"),
    ("urban", "siren"),
    ("esc10", "rain"),
    ("esc10", "sea_waves"),
    ("esc10", "crackling_fire"),
    ("esc10", "chainsaw"),
    ("esc50", "rain"),
    ("esc50", "sea_waves"),
    ("esc50", "vacuum_cleaner"),
    ("esc50", "washing_machine"),
    ("esc50", "keyboard_typing"),
    ("esc50", "thunderstorm"),
    ("esc50", "crackling_fire"),
    ("esc50", "pouring_water"),
    ("esc50", "hand_saw"),
    ("esc50", "clapping"),
    ("esc50", "crickets"),
)
ENGINES = (
    ("urban", "engine_idling"),
    ("esc10", "helicopter"),
    ("esc50", "engine"),
    ("esc50", "train"),
    ("esc50", "helicopter"),
    ("esc50", "airplane"),
    ("esc50", "wind"),
)
MUSIC = (("urban", "street_music"), ("music", "music"))
CROWD = (("urban", "children_playing"),)
SOURCES = ("speech", "noise", "engine", "music", "babble")
TRACK_S, PAUSE_S, TALKERS = 12.0, (0.08, 0.7), (3, 8)
TRACKS_OF_GROUP, BABBLE_TRACKS = 10, 60


def speech_tracks(
    bank: Bank, rows: np.ndarray, rng: np.random.Generator, tracks: int
) -> Iterator[np.ndarray]:
    """Utterances of one speaker joined with pauses, all at the same level of active speech.

    Args:
        bank: trimmed.
        rows: utterances of the speaker.
        rng: random stream.
        tracks: number of them.
    """
    for _ in range(tracks):
        parts, length = [], 0
        while length < TRACK_S * RATE_HZ:
            x = bank.clip(int(rng.choice(rows)))
            level = active_level(x) if len(x) > RATE_HZ // 20 else 0.0
            if level > 0:
                # short syllables stand close together, as in words
                pause = rng.uniform(*PAUSE_S) * min(1.0, 0.3 + len(x) / RATE_HZ)
                parts += [0.1 / level * x, np.zeros(round(pause * RATE_HZ), np.float32)]
                length += len(parts[-1]) + len(parts[-2])
            else:
                length += RATE_HZ // 10
        if parts:
            yield np.concatenate(parts).astype(np.float32)


def scene_sources(bank: Bank, parts: Sequence[str], seed: int = 0) -> dict[str, list[np.ndarray]]:
    """Clips (samples,) of each source, all at a root mean square of 0.1.

    Args:
        bank: voices, noises, music.
        parts: of `part_of` to take recordings from.
        seed: of the tracks.

    Returns:
        Source of `SOURCES` -> clips; speech at that level where it is active.
    """
    rng = np.random.default_rng(seed)
    bank = trim_silence(bank)
    table = bank.table
    part = np.array([part_of(str(each)) in parts for each in table["group"]])
    pools: dict[str, list[np.ndarray]] = {name: [] for name in SOURCES}
    names = [("noise", NOISE), ("engine", ENGINES), ("music", MUSIC), ("babble", CROWD)]
    keys = list(zip(table["kind"], table["label"], strict=True))
    for name, wanted in names:
        for row in np.flatnonzero(part & np.array([key in wanted for key in keys])):
            clip = bank.clip(int(row))
            level = float(np.sqrt(np.mean(np.square(clip))))
            if level > 1e-4 and len(clip) > RATE_HZ // 2:
                pools[name].append((0.1 / level * clip).astype(np.float32))
    is_voice = table["kind"].isin(["voice", "voice8k"]).to_numpy() & part
    for group in sorted(set(table["group"][is_voice])):
        rows = np.flatnonzero(is_voice & (table["group"] == group).to_numpy())
        pools["speech"] += speech_tracks(bank, rows, rng, TRACKS_OF_GROUP)
    if pools["speech"]:
        for _ in range(BABBLE_TRACKS):
            chosen = rng.integers(len(pools["speech"]), size=rng.integers(*TALKERS))
            size = round(TRACK_S * RATE_HZ)
            talk = sum(np.roll(pools["speech"][k][:size], rng.integers(size)) for k in chosen)
            pools["babble"].append((0.1 / np.sqrt(np.mean(np.square(talk))) * talk).astype("f4"))
    return pools


def pools_bank(pools: dict[str, list[np.ndarray]]) -> Bank:
    """Sources as a bank whose kinds are their names; halved, so that peaks fit."""
    clips, rows = [], []
    for name, members in pools.items():
        for clip in members:
            clips.append(0.5 * clip)
            rows.append({"kind": name, "label": name, "fold": 0, "group": "", "source": ""})
    return Bank.of_clips(clips, rows)
