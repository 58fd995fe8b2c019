"""Classes of the hearing aid, and how recordings of other collections are assigned to them."""

# Wind and vehicles share a low-frequency spectrum, and a hearing aid treats both alike: it
# attenuates the low bands.
CLASSES = ("quiet", "speech", "speech_in_noise", "noise", "music", "wind_or_vehicle")
NOISES = ("machinery", "rain", "sea")
SPEECH_NOISES = ("babble", *NOISES, "traffic")  # babble alone is neither noise nor speech
SNR_DB = (-3.0, 9.0)  # of speech in noise; above, it counts as speech, below, as noise
BOUNDARY_SNR_DB = 12.0  # of `hearing-aid-recorded`: above, speech; below, speech in noise

# Label of a recording -> class; recordings with other labels are left out.
LABELS = {
    "chainsaw": "noise",
    "crackling_fire": "noise",
    "rain": "noise",
    "sea_waves": "noise",
    **dict.fromkeys(("engine", "helicopter", "train", "vehicle", "wind"), "wind_or_vehicle"),
} | {name: name for name in CLASSES}

# Recordings come at any level: each is set to one drawn from the range of this synthetic kind.
LEVEL_KIND = {"noise": "machinery", "wind_or_vehicle": "traffic", "quiet": "quiet_room"}
