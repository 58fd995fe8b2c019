"""Simulated data stay those that the shipped models were trained and measured on.

Cards and leaderboard name a seed; the same seed has to give the same sound and the same paths in
later versions. What is compared are levels in bands and quarters of a clip, its events, and moments
of paths, as `same_data.json` holds them. Who changes a generator on purpose writes the file anew,
`python -m tests.zoo.data.test_same_data`, and trains the models that were made with it again.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from zoo.data import broad, probes
from zoo.data.changed_loading import changed_loading
from zoo.data.loading import multirate, relaxation, sine, triangle, varied, walk
from zoo.data.synthesis import (
    CONDITIONS,
    KINDS,
    NOISES,
    SCENES,
    Clip,
    breath,
    draw_patient,
    draw_site,
    draw_voice,
    scene,
)
from zoo.data.synthesis.events import CHANGE_KINDS, EVENT_KINDS, change_clip, event_clip
from zoo.data.synthesis.soundscapes import soundscape

FILE = Path(__file__).with_name("same_data.json")
BANDS, QUARTERS = 10, 4
FLOOR_DB = -140.0


def sound(clip):
    """Levels [dB] of a clip and of its parts, and its events."""
    levels = {"sound": levels_db(clip.samples, clip.sample_rate_hz)}
    for name, part in clip.parts.items():
        levels[name] = levels_db(part, clip.sample_rate_hz)
    events = [[e.onset_s, e.offset_s, e.low_hz, e.high_hz] for e in clip.events]
    spread = np.array(events or [[0.0] * 4])
    sums = [len(events), *spread.sum(axis=0), *np.square(spread).sum(axis=0)]
    return {"events": [float(f"{value:.6g}") for value in sums], **levels}


def levels_db(samples, rate_hz):
    """(quarters × bands) mean power, each octave a band, the lowest one below 20 Hz."""
    edges = np.r_[0.0, rate_hz / 2 * 2.0 ** -np.arange(BANDS - 1)[::-1]]
    rows = []
    for quarter in np.array_split(np.asarray(samples, np.float64), QUARTERS):
        power = np.square(np.abs(np.fft.rfft(quarter))) / len(quarter) ** 2
        band = np.digitize(np.fft.rfftfreq(len(quarter), 1 / rate_hz), edges[1:-1])
        rows.append(np.bincount(band, power, BANDS - 1))
    return [round(float(v), 2) for v in 10 * np.log10(np.ravel(rows) + 10 ** (FLOOR_DB / 10))]


def paths(x):
    """Moments of each quantity over paths and steps, and of its slope."""
    flat = np.asarray(x, np.float64).reshape(-1, np.shape(x)[-1])
    ramp = np.linspace(0.0, 1.0, len(flat))[:, None]
    rows = flat.mean(0), flat.std(0), flat.min(0), flat.max(0), (flat * ramp).mean(0)
    return {"moments": [float(f"{value:.5g}") for value in np.ravel(rows)]}


def drawn(draw):
    """Paths of a generator of loadings, from one seed."""
    return lambda: paths(draw(np.random.default_rng(5), 6).x)


ONE_SIDED = probes.TrainedRange(steps=40, amplitude=1.5, strain=(-1.5, 0.0))
CASES = {
    **{f"scene {name}": (lambda name=name: sound(made_scene(name))) for name in SCENES},
    **{f"source {name}": (lambda name=name: source(name)) for name in KINDS},
    **{f"source {n} at 8 kHz": (lambda n=n: source(n, 8000, drawn=True)) for n in KINDS},
    "voice": lambda: {"moments": [float(f"{v:.6g}") for v in draw_voice(np.random.default_rng(3))]},
    **{
        f"noise {name}": (lambda name=name: sound(made_scene("speech_in_noise", noise=name)))
        for name in NOISES
    },
    **{
        f"breath {name}": (lambda name=name: sound(breath(draw_patient(3, name), seed=1)))
        for name in CONDITIONS
    },
    **{f"event {kind}": (lambda kind=kind: sound(event_clip(kind, 2))) for kind in EVENT_KINDS},
    **{f"change {kind}": (lambda kind=kind: sound(change_clip(kind, 2))) for kind in CHANGE_KINDS},
    **{f"soundscape {n}": (lambda n=n: sound(soundscape(n, duration_s=6.0))) for n in (1, 2)},
    **{
        draw.__name__: drawn(draw) for draw in (walk, varied, triangle, sine, relaxation, multirate)
    },
    **{f.__name__: drawn(f) for f in (broad.broad, broad.staircase, broad.long_hold)},
    "probe walks": lambda: paths(probes.walks(probes.TrainedRange(), paths=4, seed=3)),
    **{
        f"ramps and holds {k}": (lambda k=k, r=r: paths(probes.ramps_and_holds(r, times=2)[k]))
        for k, r in ((0, probes.TrainedRange()), (1, ONE_SIDED))
    },
    **{
        f"triangles {n}": (lambda r=r: paths(probes.triangles(r)[0]))
        for n, r in enumerate((probes.TrainedRange(), ONE_SIDED))
    },
}


def source(name, rate_hz=16_000, drawn=False):
    """A source alone, with its defaults or as it is drawn."""
    kind, rng = KINDS[name], np.random.default_rng(7)
    settings = kind.draw(rng, 1.5) if drawn else {}
    made = kind.make(rng, int(1.5 * rate_hz), rate_hz, **settings)
    return sound(Clip(made.samples, rate_hz, name, tuple(made.events), {}, name))


def made_scene(name, **more):
    return scene(name, seed=4, site=draw_site(2), duration_s=2.0, sample_rate_hz=16_000, **more)


def changed():
    """Moments of loading and stress of every split of `changed_loading`."""
    splits = changed_loading(paths=2)
    return {
        name: [value for part in (split.x, split.y) for value in paths(part)["moments"]]
        for name, split in splits.items()
    }


def beyond():
    """Values and bounds of each sweep, and moments of its paths."""
    sweeps = probes.beyond(ONE_SIDED, paths=2, seed=1)
    return {
        name: [
            *map(float, (*sweep.paths, *sweep.trained, *sweep.checked)),
            *(value for x in sweep.paths.values() for value in paths(x)["moments"]),
        ]
        for name, sweep in sweeps.items()
    }


CASES |= {"beyond": beyond, "changed": changed}


@pytest.mark.parametrize("name", CASES)
def test_a_seed_gives_what_it_gave(name):
    expected, found = json.loads(FILE.read_text())[name], CASES[name]()
    assert found.keys() == expected.keys()
    for part, values in expected.items():
        is_level = part not in ("events", "moments") and name not in ("beyond", "changed")
        tolerance = {"atol": 0.03} if is_level else {"rtol": 2e-4, "atol": 1e-6}
        np.testing.assert_allclose(found[part], values, **tolerance, err_msg=part)


if __name__ == "__main__":
    content = {name: make() for name, make in CASES.items()}
    FILE.write_text(json.dumps(content, separators=(",", ":")).replace('},"', '},\n"') + "\n")
    sys.exit(0)
