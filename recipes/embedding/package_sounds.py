"""Which sounds of which Debian packages go into the banks, with their licences."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

EFFECT_S, UTTERANCE_S = 12.0, 8.0  # of a file at most


class Source(NamedTuple):
    """Sound files of a package.

    Attributes:
        package: folder of its name.
        pattern: of its files, below that folder.
        kind: of the sound in the bank.
        licence: SPDX.
        label: path -> label and group.
        seconds: of a file at most.
    """

    package: str
    pattern: str
    kind: str
    licence: str
    label: Callable[[Path], tuple[str, str]]
    seconds: float = EFFECT_S


def by_stem(path: Path) -> tuple[str, str]:
    """Label and group of a file: its name without the number of a take, and its name."""
    return re.sub(r"[-_.\d]+$", "", path.stem) or path.stem, path.stem


def _by_language(path: Path) -> tuple[str, str]:
    return path.parts[-3], f"klettres-{path.parts[-3]}"


def _by_folder(path: Path) -> tuple[str, str]:
    return path.parent.name, f"hedgewars-{path.parent.name}"


def _one_russian(path: Path) -> tuple[str, str]:
    return "ru", "festvox-ru"


def _by_description(path: Path) -> tuple[str, str]:
    match = re.search(r"_desc_?([A-Za-z_]*)$", path.stem)
    language = (match and match.group(1)) or "en"
    return language, f"tuxpaint-{language}"


VOICES = (
    Source(
        "klettres-data", "usr/share/klettres/*/*/*.ogg", "voice", "GPL-2.0-or-later", _by_language
    ),
    Source(
        "tuxpaint-stamps-default",
        "**/*_desc*.ogg",
        "voice",
        "GPL-2.0-or-later",
        _by_description,
        UTTERANCE_S,
    ),
)
EFFECTS = (
    Source("tuxpaint-stamps-default", "**/*.[ow][ga][gv]", "effect", "GPL-2.0-or-later", by_stem),
    Source("wesnoth-1.16-data", "**/*.ogg", "effect", "GPL-2.0-or-later", by_stem),
    Source("unknown-horizons", "**/audio/sounds/**/*.ogg", "effect", "CC-BY-SA-3.0", by_stem),
    Source("minetest-data", "**/*.ogg", "effect", "CC-BY-SA-3.0", by_stem),
)
MUSIC = (
    ("hyperrogue-music", "**/*.ogg", "CC-BY-SA-3.0"),
    ("hyperrogue-music", "**/*.mp3", "CC-BY-SA-3.0"),
    ("singularity-music", "**/*.ogg", "CC-BY-SA-3.0"),
    ("unknown-horizons", "**/audio/music/**/*.ogg", "CC-BY-SA-3.0"),
    ("asterisk-moh-opsound-wav", "**/*.wav", "CC-BY-SA-2.5"),
)

# Vehicles and machines for the hearing aid: package, names of files, kind, licence. Numbers at the
# end of a name are takes of one sound, see `by_stem`.
HEARING_PACKAGES = (
    ("searchandrescue-data", "*engine_*side*", "engine", "GPL-1.0-or-later"),
    *(
        ("torcs-data", name, "engine", "GPL-2.0-or-later")
        for name in (
            *("porsche_engine", "viper2", "944", "viper_long", "ford2c", "lamborghinidiablo"),
            *("ford1b", "evo7_engine", "cleanviper", "impreza2002_engine", "ferrarif355"),
            *("206_engine", "corolla1400hi2", "engine-1"),
        )
    ),
    *(
        ("simutrans-pak64", name, "engine", "Artistic-1.0")
        for name in ("truck", "diesel", "bus", "comet-jet", "planelow", "steam")
    ),
    *(
        ("lincity-ng-data", name, "engine", "GPL-2.0-or-later")
        for name in ("RailTrain*", "Trafic*", "ParklandPlane*")
    ),
    ("gl-117-data", "plane1", "engine", "GPL-2.0-only"),
    *(("lincity-ng-data", name, "machine", "GPL-2.0-or-later") for name in ("Industry*", "Mill*")),
    ("simutrans-pak64", "jackhammer", "machine", "Artistic-1.0"),
    ("simutrans-pak64", "buzzsaw", "machine", "Artistic-1.0"),
)
# More of them, for training alone: package, kind, licence, names of files. Chosen by name, length,
# spectrum and what the teacher says of them, without tones, synthetic sounds and those of a machine
# that an engine drives.
HEARING_MACHINES = (
    (
        "flightgear-data-base",
        "engine",
        "GPL-2.0-or-later",
        "engine-idle engine R-1535Slow exhaust_loop exhaust_start p51d_rpm1 p51d_starter prop "
        "rotor rotor-2blade wasp turbojet_fan blade_vortex jet rumble turboprop1 starter_start "
        "wind1",
    ),
    (
        "flightgear-data-base",
        "machine",
        "GPL-2.0-or-later",
        "flaps-motor rain rain-windshield water-fast tires-rolling-gravel",
    ),
    (
        "torcs-data",
        "engine",
        "GPL-2.0-or-later",
        "935 gt40 lotus nsx clkdtmb2 alpha-romeo backfire_loop road-ride",
    ),
    ("stormbaancoureur-data", "engine", "GPL-3.0-only", "camaro_s16_le"),
    ("trigger-rally-data", "engine", "CC0-1.0", "wind"),
    ("trigger-rally-data", "machine", "CC0-1.0", "gravel"),
    (
        "supertuxkart-data",
        "engine",
        "GPL-3.0-or-later",
        "airplane_jetEngine steamLocomotive car_accel engine_large engine_small",
    ),
    (
        "supertuxkart-data",
        "machine",
        "GPL-3.0-or-later",
        "machine_sound rain river_loop waterfall_loop_2",
    ),
    (
        "warzone2100-data",
        "engine",
        "GPL-2.0-or-later",
        "tread tflight thover tland tstart vtol-move hovmove",
    ),
    ("warzone2100-data", "machine", "GPL-2.0-or-later", "oilpump steam bldloop"),
    ("micropolis-data", "engine", "GPL-3.0-or-later", "ignition heavytraffic"),
    (
        "searchandrescue-data",
        "engine",
        "GPL-1.0-or-later",
        "engine_start jet_engine_start jet_engine_start2 helicopter_engine_start",
    ),
    ("0ad-data", "engine", "CC-BY-SA-3.0", "windstorm_11 windgust_11 snowstorm_11"),
    (
        "0ad-data",
        "machine",
        "CC-BY-SA-3.0",
        "rain_11 rain_12 river_fast_21 river_med_21 river_slow_21 waterfall_31 wave_21 "
        "wavecrash_21 waverocky_21 c_1? sz1?",
    ),
    (
        "widelands-data",
        "machine",
        "GPL-2.0-or-later",
        "sawmill_0? benchsaw_0? sawing_0? mill_turning_0? weaving furnace stonegrind fizzle inn_01 "
        "hammering_0? stonemason crickets1_00 crickets2_00",
    ),
    (
        "lincity-ng-data",
        "machine",
        "GPL-2.0-or-later",
        "PowerCoal* Substation? WindMill* Water? FireWasteland1 Blacksmith? PowerSolar?",
    ),
    ("megaglest-data", "machine", "CC-BY-SA-3.0", "rain"),
    ("megaglest-data", "engine", "CC-BY-SA-3.0", "wind airship_fly"),
    ("simutrans-pak64", "machine", "Artistic-1.0", "tree-cutting Water"),
    ("simutrans-pak64", "engine", "Artistic-1.0", "arctic"),
    ("ufoai-sound", "engine", "CC-BY-SA-3.0", "diesel-idle diesel-move arcticwind wind_turbine"),
    (
        "ufoai-sound",
        "machine",
        "CC-BY-SA-3.0",
        "water01 water02 water03 waterfontain fire fire0? smallfire",
    ),
    ("ufoai-sound", "machine", "GPL-2.0-only", "water firesoft"),
    ("ufoai-sound", "machine", "GPL-2.0-or-later", "steam machine1"),
    ("ufoai-sound", "machine", "CC-BY-3.0", "minepump03"),
    ("scratch", "engine", "CC-BY-SA-3.0", "CarPassing MotorcyclePassing"),
    ("scratch", "machine", "CC-BY-SA-3.0", "SewingMachine WaterRunning Typing"),
)
# The same of further packages; `crowd` is heard behind speech. Left out: what is shorter than 1 s,
# hardly louder than silence, a tone, in one of the other packages too, named otherwise than the
# teacher hears it, or of a recording at freesound.org that UrbanSound8K may hold.
HEARING_MORE = (
    ("berusky2-data", "engine", "GPL-2.0-or-later", "Auto1 Auto2 Auto3 Auto4 parnik3"),
    ("berusky2-data", "machine", "GPL-2.0-or-later", "Voda1"),
    ("boswars-data", "engine", "GPL-2.0-or-later", "sfx_vfac.select"),
    ("btanks-data", "engine", "GPL-2.0-only", "engine-start helicopter train"),
    ("scorched3d-data", "engine", "GPL-2.0-or-later", "helicopter tankmove jet"),
    ("scorched3d-data", "machine", "GPL-2.0-or-later", "nuclearloop rain"),
    ("scorched3d-data", "crowd", "GPL-2.0-or-later", "cheeringloop"),
    ("qtmultimedia5-examples", "engine", "LGPL-3.0-only OR GPL-2.0-only", "engine-loop"),
    ("psychtoolbox-3-common", "engine", "LGPL-2.0-or-later", "motor_a8 motor_b8"),
    ("trophy-data", "engine", "GPL-2.0-only", "engine"),
    ("dustracing2d-data", "engine", "GPL-3.0-or-later", "carEngine"),
    ("dustracing2d-data", "crowd", "GPL-3.0-or-later", "cheering"),
    ("gigalomania-data", "engine", "CC0-1.0", "jetplane"),
    ("dopewars-data", "engine", "GPL-2.0-or-later", "train"),
    ("libreoffice-common", "engine", "MPL-2.0", "train"),
    ("libreoffice-common", "machine", "MPL-2.0", "applause"),
    ("netpanzer-data", "engine", "GPL-2.0-or-later", "hevidle tankidle"),
    ("moon-lander-data", "engine", "BSD-2-Clause", "jet_lp"),
    ("wordwarvi-sound", "engine", "CC-BY-SA-3.0", "jetwash"),
    ("cube2-data", "machine", "CC-BY-SA-4.0", "chainsaw/idle chainsaw/attack"),
    ("triplea", "engine", "GPL-2.0-or-later", "territory_capture_blitz_01_motor_engine_noise"),
    (
        "triplea",
        "machine",
        "GPL-2.0-or-later",
        "placed_infrastructure_01_sawing_wood technology_failure_01_whirling_noise",
    ),
    ("hedgewars-data", "engine", "GFDL-1.3-only", "rcplane"),
    ("planetblupi-common", "engine", "GPL-3.0-or-later", "en/sound034 en/sound044"),
    ("planetblupi-common", "machine", "GPL-3.0-or-later", "en/sound039"),
    ("redeclipse-data", "engine", "CC-BY-SA-3.0", "ambience/wastewind ambience/wind"),
    ("redeclipse-data", "engine", "CC-BY-3.0", "morph/wind1 morph/stormwind"),
    (
        "redeclipse-data",
        "machine",
        "CC-BY-3.0",
        "morph/machine10 morph/machine12 morph/rain morph/stormrain",
    ),
    (
        "redeclipse-data",
        "machine",
        "CC-BY-SA-3.0",
        "ambience/water ambience/creek ambience/waterfall* ambience/vapour ambience/pneumatic",
    ),
    ("flare-game", "engine", "CC-BY-SA-3.0", "wind_loop cave_wind_loop"),
    ("flare-game", "machine", "CC-BY-SA-3.0", "river_loop environment/rain open_fire"),
    ("lugaru-data", "engine", "CC-BY-SA-3.0", "Wind"),
    ("lugaru-data", "machine", "CC-BY-SA-3.0", "Fire"),
    ("supertux-data", "machine", "GPL-3.0-or-later", "sounds/rain waterfall"),
    ("ardentryst", "machine", "CC-BY-SA-3.0", "Rain_Loop fire_loop"),
    ("wesnoth-1.16-data", "machine", "GPL-2.0-or-later", "campfire"),
    ("circuslinux-data", "machine", "GPL-2.0-or-later", "applause"),
    ("circuslinux-data", "crowd", "GPL-2.0-or-later", "cheering"),
    ("tuxfootball", "crowd", "GPL-2.0-or-later", "crowdboo crowdcheer crowdooh"),
    ("etw-data", "crowd", "GPL-2.0-or-later", "crowd02 crowd03 crowd04 crowd06 crowd08"),
    ("lmms-common", "crowd", "GPL-2.0-or-later", "raving_crowd01"),
)
MORE_VOICES = (
    Source("festvox-ru", "**/wav/*.wav", "voice", "BSD-3-Clause", _one_russian, UTTERANCE_S),
    *(
        Source("hedgewars-data", f"**/voices/{name}/*.ogg", "voice", "GFDL-1.3-only", _by_folder)
        for name in (
            *("British", "Classic", "Default", "Default_es", "Default_pl", "Default_ru"),
            *("Default_uk", "HillBilly", "Mobster", "Pirate", "Russian", "Russian_pl", "Surfer"),
        )
    ),
)
MORE_MUSIC = (
    ("fretsonfire-songs-sectoid", "**/song.ogg", "MIT"),
    ("fretsonfire-songs-muldjord", "**/song.ogg", "CC-BY-SA-3.0"),
)
# Sounds of OpenTTD's catalogue by their number: trains, aircraft, buses, lorries, wind; machines
OPENSFX = {"engine": (2, 3, 6, 7, 13, 22, 23, 24, 25, 26, 52, 59, 61)}
OPENSFX |= {"machine": (9, 11, 31, 38, 44, 51, 56)}
HEARING_MUSIC = (
    ("wesnoth-1.16-music", "**/*.ogg", "GPL-2.0-or-later"),
    ("asc-music", "**/*.ogg", "GPL-2.0-or-later"),
    ("fillets-ng-data", "**/music/*.ogg", "GPL-2.0-only"),
)
# Two fish speak Czech and Dutch, one voice each: "-m-" and "-v-" in the names of their lines.
DIALOGUES = (("fillets-ng-data-cs", "cs"), ("fillets-ng-data-nl", "nl"))
