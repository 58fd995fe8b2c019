"""Synthetic sound from physical models, with ground truth of events in time and frequency.

    clip = scene("speech_in_noise", seed=0, noise="babble", snr_db=5.0)
    clip.samples, clip.label, clip.events

    clip = breath(draw_patient(7, "wheeze"), seed=0)

`zoo.data.synthesis.collection` makes corpora for training, in groups to split by: sites with
their microphones, patients with their stethoscopes.
"""

from zoo.data.synthesis.breath import breath, crackle_wave
from zoo.data.synthesis.machines import Vehicle, machinery, quiet_room, retarded, traffic
from zoo.data.synthesis.music import music
from zoo.data.synthesis.outdoors import rain, sea, wind
from zoo.data.synthesis.patients import CONDITIONS, Patient, draw_patient, typical
from zoo.data.synthesis.response import Response
from zoo.data.synthesis.scenes import KINDS, NOISES, SCENES, Site, at_snr, draw_site, scene
from zoo.data.synthesis.truth import Clip, Event, Sound
from zoo.data.synthesis.voices import Voice, babble, draw_voice, speech

__all__ = [
    "CONDITIONS",
    "KINDS",
    "NOISES",
    "SCENES",
    "Clip",
    "Event",
    "Patient",
    "Response",
    "Site",
    "Sound",
    "Vehicle",
    "Voice",
    "at_snr",
    "babble",
    "breath",
    "crackle_wave",
    "draw_patient",
    "draw_site",
    "draw_voice",
    "machinery",
    "music",
    "quiet_room",
    "rain",
    "retarded",
    "scene",
    "sea",
    "speech",
    "traffic",
    "typical",
    "wind",
]
