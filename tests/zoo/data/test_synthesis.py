"""Synthetic sound, measured: the samples have the properties of the physical models."""

import subprocess
import sys

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.signal import butter, find_peaks, hilbert, sosfiltfilt, stft, welch

from zoo.data import synthesis
from zoo.data.folds import make_folds
from zoo.data.synthesis import Response, Vehicle, breath, draw_patient, scene, typical
from zoo.data.synthesis.collection import breath_clips, scene_clips

RATE = 16_000
scenes = pytest.mark.parametrize("name", synthesis.SCENES)
kinds = pytest.mark.parametrize("name", synthesis.KINDS)
conditions = pytest.mark.parametrize("condition", synthesis.CONDITIONS)


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def band(samples: np.ndarray, low_hz: float, high_hz: float, rate: float = RATE) -> np.ndarray:
    return sosfiltfilt(butter(4, (low_hz, high_hz), "bandpass", fs=rate, output="sos"), samples)


def share_within(samples: np.ndarray, rate: float, events, window: int = 256) -> float:
    """Energy of the cells of a spectrogram that an event touches, over all energy."""
    hz, time_s, cells = stft(samples, rate, nperseg=window, noverlap=window // 2)
    inside = np.zeros(cells.shape, bool)
    for event in events:
        # a window smears by half its length, a Hann window by two bins
        rows = (hz >= event.low_hz - 2 * hz[1]) & (hz <= event.high_hz + 2 * hz[1])
        half = window / rate / 2
        columns = (time_s >= event.onset_s - half) & (time_s <= event.offset_s + half)
        inside |= rows[:, None] & columns
    energy = np.abs(cells) ** 2
    return energy[inside].sum() / energy.sum()


# Every clip


@scenes
def test_a_scene_is_the_same_for_the_same_seed(name):
    first, again = scene(name, seed=3), scene(name, seed=3)
    np.testing.assert_array_equal(first.samples, again.samples)
    assert first.events == again.events
    assert np.corrcoef(first.samples, scene(name, seed=4).samples)[0, 1] < 0.9


@scenes
def test_samples_are_floats_within_bounds_and_the_sum_of_their_parts(name):
    for seed in range(12):
        clip = scene(name, seed=seed, duration_s=2.0)
        assert clip.samples.dtype == np.float32
        assert clip.samples.shape == (2 * RATE,)
        assert np.isfinite(clip.samples).all()
        assert 1e-5 < np.abs(clip.samples).max() <= 0.99 + 1e-6
        np.testing.assert_allclose(sum(clip.parts.values()), clip.samples, atol=1e-6)
        assert clip.label == name
        for event in clip.events:
            assert 0 <= event.onset_s < event.offset_s <= 2.0 + 1e-9
            assert 0 <= event.low_hz < event.high_hz


@scenes
@pytest.mark.parametrize("rate", [8000, 22_050])
def test_the_shortest_clips_and_other_rates_are_whole(name, rate):
    for seed in range(4):
        clip = scene(name, seed=seed, duration_s=0.25, sample_rate_hz=rate)
        assert clip.samples.size == round(0.25 * rate)
        assert np.isfinite(clip.samples).all()
        assert clip.samples.any()
        assert all(0 <= e.onset_s < e.offset_s <= 0.25 + 1 / rate for e in clip.events)


@conditions
def test_breath_is_within_bounds_and_the_sum_of_its_parts(condition):
    for seed in range(6):
        clip = breath(draw_patient(seed, condition), seed=seed, duration_s=6.0)
        assert clip.samples.dtype == np.float32
        assert clip.samples.shape == (24_000,)
        assert np.isfinite(clip.samples).all()
        assert 1e-3 < np.abs(clip.samples).max() <= 0.99 + 1e-6
        np.testing.assert_allclose(sum(clip.parts.values()), clip.samples, atol=1e-6)
        expected = {"both": {"crackle", "wheeze"}, "normal": set()}.get(condition, {condition})
        labels = {event.label for event in clip.events}
        assert labels - {"inspiration", "expiration", "heart"} == expected


@kinds
def test_events_contain_the_energy_of_a_source(name):
    kind = synthesis.KINDS[name]
    for seed in range(4):
        rng = generator(seed)
        sound = kind.make(rng, 4 * RATE, RATE, **kind.draw(rng, 4.0))
        assert share_within(sound.samples, RATE, sound.events) > 0.9


@pytest.mark.parametrize("name", ["heart", "wheeze", "crackle", "rhonchus", "breath"])
def test_events_contain_the_energy_of_a_part_of_breath(name):
    condition = name if name in synthesis.CONDITIONS else "normal"
    wanted = ("inspiration", "expiration") if name == "breath" else (name,)
    for seed in range(4):
        clip = breath(typical(condition), seed=seed)
        events = [event for event in clip.events if event.label in wanted]
        assert share_within(clip.parts[name], 4000, events, window=128) > 0.9


def test_most_cells_of_a_spectrogram_lie_outside_the_events_of_a_wheeze():
    clip = breath(typical("wheeze"), seed=0)
    white = generator().normal(size=clip.samples.size)
    assert share_within(white, 4000, clip.labelled("wheeze"), window=128) < 0.2


def test_sound_is_made_without_tensorflow():
    code = "import sys, zoo.data.synthesis; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# Levels and mixtures


@pytest.mark.parametrize("noise", synthesis.NOISES)
@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 12.0])
def test_speech_in_noise_has_the_ratio_asked_for(noise, snr_db):
    clip = scene("speech_in_noise", seed=1, noise=noise, snr_db=snr_db)
    speech, behind = clip.parts["speech"].astype(float), clip.parts[noise].astype(float)
    measured_db = 10 * np.log10(np.mean(speech**2) / np.mean(behind**2))
    assert measured_db == pytest.approx(snr_db, abs=1e-3)
    # and in the mixture itself: what is left of it when the speech is fitted and taken away
    mixed = clip.samples - clip.parts["room"].astype(float)
    rest = mixed - mixed @ speech / (speech @ speech) * speech
    assert 10 * np.log10(np.mean(speech**2) / np.mean(rest**2)) == pytest.approx(snr_db, abs=0.3)


def test_only_the_noise_moves_with_the_ratio():
    loud, soft = (scene("speech_in_noise", seed=2, noise="wind", snr_db=x) for x in (20.0, 26.0))
    ratio = loud.parts["wind"] / soft.parts["wind"]
    np.testing.assert_allclose(ratio, 10 ** (6 / 20), rtol=1e-3)
    np.testing.assert_array_equal(loud.parts["speech"], soft.parts["speech"])


def test_a_quiet_room_is_quieter_than_everything_else():
    def level(name, seed):
        return 20 * np.log10(np.std(scene(name, seed=seed, duration_s=2.0).samples))

    quiet = max(level("quiet_room", seed) for seed in range(8))
    others = [name for name in synthesis.SCENES if name != "quiet_room"]
    assert quiet < min(level(name, seed) for name in others for seed in range(4))
    assert -70 < quiet < -56 + 0.1  # 30 to 44 dB SPL where 100 is full scale


# Weather


def test_rain_is_a_poisson_process():
    rate, seconds = 8.0, 250
    sound = synthesis.rain(
        generator(5), seconds * RATE, RATE, drops_per_s=rate, pitch_hz=3000.0, far_db=-np.inf
    )
    envelope = np.abs(sound.samples)
    # a drop starts where 5 ms of near silence end
    loud = np.flatnonzero(envelope > 0.02)
    starts = loud[np.diff(loud, prepend=-RATE) > 0.005 * RATE] / RATE
    expected = rate * seconds * np.exp(-rate * 0.008)  # some start while another still rings
    assert abs(starts.size - expected) < 4 * np.sqrt(expected)
    counts = np.histogram(starts, np.arange(seconds + 1))[0]
    assert counts.var() / counts.mean() == pytest.approx(1.0, abs=0.35)
    assert starts.size == pytest.approx(
        len([e for e in sound.events if e.label == "drop"]), rel=0.12
    )
    gaps = np.diff(starts)
    assert np.mean(gaps > 1 / rate) == pytest.approx(np.exp(-1), abs=0.05)


def test_a_drop_rings_where_its_event_says():
    sound = synthesis.rain(generator(1), 4 * RATE, RATE, drops_per_s=5.0, far_db=-np.inf)
    drops = [event for event in sound.events if event.label == "drop"]
    alone = [
        here
        for before, here, after in zip(drops, drops[1:], drops[2:], strict=False)
        if here.onset_s - before.onset_s > 0.03 < after.onset_s - here.onset_s
    ]
    assert len(alone) > 5
    for event in alone:
        first = int(event.onset_s * RATE)
        power = np.abs(np.fft.rfft(sound.samples[first : first + 400], 8 * RATE)) ** 2
        middle = (event.low_hz + event.high_hz) / 2
        assert power.argmax() / 8 == pytest.approx(middle, rel=0.03)


@pytest.mark.parametrize("exponent", [1.4, 5 / 3, 2.5])
def test_wind_falls_with_its_exponent(exponent):
    sound = synthesis.wind(generator(2), 40 * RATE, RATE, exponent=exponent, corner_hz=20.0)
    hz, power = welch(sound.samples, RATE, nperseg=4096)
    fit = (hz > 200) & (hz < 6000)
    slope = np.polyfit(np.log(hz[fit]), np.log(power[fit]), 1)[0]
    assert slope == pytest.approx(-exponent, abs=0.08)


def test_wind_is_stronger_in_a_gust():
    sound = synthesis.wind(generator(3), 30 * RATE, RATE, turbulence=0.4)
    inside = np.zeros(sound.samples.size, bool)
    for event in sound.events:
        if event.label == "gust":
            inside[int(event.onset_s * RATE) : int(event.offset_s * RATE)] = True
    # u^2 with u above 1.4, against u about 1: the power goes with its fourth power
    ratio = np.mean(sound.samples[inside] ** 2) / np.mean(sound.samples[~inside] ** 2)
    assert 0.05 < inside.mean() < 0.3
    assert ratio > 1.4**4


def test_foam_hisses_after_the_wave_has_roared():
    sound = synthesis.sea(generator(0), 40 * RATE, RATE, period_s=8.0)
    smooth = butter(2, 0.5, fs=RATE, output="sos")
    roar, hiss = (
        sosfiltfilt(smooth, np.abs(band(sound.samples, *edges)))
        for edges in ((50, 300), (1500, 5000))
    )
    peaks, _ = find_peaks(roar, prominence=0.3 * roar.max(), distance=3 * RATE)
    assert np.mean(np.diff(peaks)) / RATE == pytest.approx(8.0, abs=1.5)
    lag = np.arange(0, 4 * RATE, RATE // 20)
    match = [np.corrcoef(roar[: roar.size - k], hiss[k:])[0, 1] for k in lag]
    assert 0.4 < lag[np.argmax(match)] / RATE < 2.0


# Machines


def passing(speed, distance=6.0, firing=200.0, seconds=6.0):
    vehicle = Vehicle(3.0, speed, distance, firing, tyres_db=-np.inf)
    samples = int(seconds * RATE)
    return synthesis.traffic(generator(), samples, RATE, vehicles=[vehicle], far_db=-np.inf)


@pytest.mark.parametrize("speed", [10.0, 30.0, 60.0])
def test_pitch_of_a_passing_vehicle_follows_doppler(speed):
    tone = band(passing(speed).samples, 130, 265)  # the fundamental alone
    hz = np.diff(np.unwrap(np.angle(hilbert(tone)))) * RATE / (2 * np.pi)
    for time_s in (0.5, 2.0, 3.5, 5.5):
        # by brute force: when it was emitted, and how fast the distance shrank then
        emission = brentq(
            lambda s, t=time_s - 3.0: s + np.hypot(6.0, speed * s) / 343.0 - t, -30, 30
        )
        closing = -(speed**2) * emission / np.hypot(6.0, speed * emission)
        expected = 200.0 / (1 - closing / 343.0)
        at = int(time_s * RATE)
        assert np.mean(hz[at - 200 : at + 200]) == pytest.approx(expected, rel=2e-3)


def test_an_engine_without_tyres_reaches_a_fifth_beyond_its_eight_harmonics():
    (event,) = passing(10.0).events
    assert (event.low_hz, event.high_hz) == pytest.approx((0.8 * 200.0, 1.2 * 8 * 200.0))


def test_far_ends_of_a_passing_have_the_textbook_ratio():
    emission, _ = synthesis.retarded(np.array([-1e4, -1e4 + 1, 1e4, 1e4 + 1]), 30.0, 6.0)
    before, after = emission[1] - emission[0], emission[3] - emission[2]
    assert before / after == pytest.approx((343 + 30) / (343 - 30), rel=1e-6)


def test_a_slow_vehicle_is_as_loud_as_its_distance_says():
    time_s = np.linspace(-20, 20, 11)
    _, gain = synthesis.retarded(time_s, 1e-3, 5.0)
    np.testing.assert_allclose(gain, 1 / 5.0, rtol=1e-4)


def test_gears_have_lines_and_sidebands_where_they_belong():
    sound = synthesis.machinery(
        generator(), 4 * RATE, RATE,
        mesh_hz=400.0, shaft_hz=25.0, lines=3, modulation=0.6, noise_db=-np.inf,
    )  # fmt: skip
    amplitude = 2 * np.abs(np.fft.rfft(sound.samples)) / sound.samples.size
    expected = np.zeros(amplitude.size)
    for k in (1, 2, 3):
        expected[4 * 400 * k] = 1 / k
        expected[4 * (400 * k - 25)] = expected[4 * (400 * k + 25)] = 0.6 / 2 / k
    np.testing.assert_allclose(amplitude, expected, atol=1e-9)


def test_noise_of_gears_has_the_ratio_asked_for():
    settings = {"mesh_hz": 400.0, "shaft_hz": 25.0, "modulation": 0.6}
    whole, lines = (
        synthesis.machinery(generator(1), 8 * RATE, RATE, noise_db=noise_db, **settings).samples
        for noise_db in (3.0, -np.inf)
    )
    assert np.mean((whole - lines) ** 2) / np.mean(lines**2) == pytest.approx(10**0.3, rel=0.03)


# Voices and music


def test_a_voice_has_the_pitch_it_was_given():
    for pitch in (100.0, 220.0):
        voice = synthesis.Voice(pitch_hz=pitch, fricatives=0.0)
        sound = synthesis.speech(generator(4), 5 * RATE, RATE, voice=voice)
        pitches = []
        for event in sound.events:
            piece = sound.samples[int(event.onset_s * RATE) : int(event.offset_s * RATE)]
            likeness = np.correlate(piece, piece, "full")[piece.size - 1 :]
            lags = slice(int(RATE / (1.5 * pitch)), int(RATE / (0.67 * pitch)))
            pitches.append(RATE / (lags.start + likeness[lags].argmax()))
        assert np.median(pitches) == pytest.approx(pitch, rel=0.08)
        assert np.std(pitches) > 0.02 * pitch  # it has a melody


def test_a_shorter_tract_has_higher_formants():
    octaves = np.arange(np.log2(350), np.log2(4000), 1 / 48)

    def spectrum(tract):
        voice = synthesis.Voice(tract=tract, fricatives=0.0)
        sound = synthesis.speech(generator(6), 8 * RATE, RATE, voice=voice)
        hz, power = welch(sound.samples, RATE, nperseg=128)
        return np.interp(octaves, np.log2(np.maximum(hz, 1)), np.log(power))

    low, high = spectrum(1.0), spectrum(1.3)
    shifts = np.arange(1, 40)
    match = [np.corrcoef(low[:-k], high[k:])[0, 1] for k in shifts]
    assert 2 ** (shifts[np.argmax(match)] / 48) == pytest.approx(1.3, rel=0.07)


def test_babble_has_fewer_gaps_than_a_single_voice():
    def gaps(samples):
        level = np.sqrt(np.mean(samples.reshape(-1, 400) ** 2, axis=1))
        return np.mean(level < 0.15 * np.sqrt(np.mean(samples**2)))

    one = np.mean([gaps(synthesis.speech(generator(k), 4 * RATE, RATE).samples) for k in range(4)])
    many = np.mean([gaps(synthesis.babble(generator(k), 4 * RATE, RATE).samples) for k in range(4)])
    assert many < 0.05 < 0.2 < one


def test_syllables_come_a_few_times_a_second():
    voice = synthesis.Voice(syllables_per_s=5.0, fricatives=0.0)
    sound = synthesis.speech(generator(1), 30 * RATE, RATE, voice=voice)
    level = np.abs(sound.samples).reshape(-1, 160).mean(axis=1)  # 100 a second
    hz, power = welch(level - level.mean(), 100, nperseg=500)
    assert 2.5 < hz[(hz > 1.5) & (hz < 20)][power[(hz > 1.5) & (hz < 20)].argmax()] < 7


def test_notes_lie_on_the_tempered_scale():
    sound = synthesis.music(generator(3), 8 * RATE, RATE, brightness=0.0, decay_s=5.0)
    for event in sound.events:
        if event.offset_s - event.onset_s < 0.4 or event.low_hz < 400:
            continue  # the melody, long enough to be distinguished from the chord below
        piece = sound.samples[int(event.onset_s * RATE) : int(event.offset_s * RATE)]
        spectrum = np.abs(np.fft.rfft(piece * np.hanning(piece.size), 1 << 18))
        hz = np.arange(spectrum.size) * RATE / (1 << 18)
        near = (hz > event.low_hz) & (hz < event.high_hz)
        number = 12 * np.log2(hz[near][spectrum[near].argmax()] / 440)
        assert number == pytest.approx(round(number), abs=0.12)


# Breath


def test_wheezes_are_long_musical_and_between_100_and_1000_hz():
    for seed in range(10):
        clip = breath(draw_patient(seed, "wheeze"), seed=seed)
        wheeze = clip.parts["wheeze"].astype(float)
        power = np.abs(np.fft.rfft(wheeze)) ** 2
        hz = np.fft.rfftfreq(wheeze.size, 1 / 4000)
        assert power[(hz > 100) & (hz < 1000)].sum() > 0.99 * power.sum()
        envelope = np.abs(hilbert(wheeze))
        for event in clip.labelled("wheeze"):
            piece = slice(int(event.onset_s * 4000), int(event.offset_s * 4000))
            loud = envelope[piece] > 0.1 * envelope[piece].max()
            assert loud.sum() / 4000 > 0.1
            _, density = welch(wheeze[piece], 4000, nperseg=min(512, wheeze[piece].size))
            flatness = np.exp(np.mean(np.log(density + 1e-12))) / np.mean(density)
            assert flatness < 0.1  # 1 for white noise


def test_wheezes_have_one_to_three_harmonics():
    patient = typical("wheeze")
    counts = set()
    for seed in range(8):
        clip = breath(patient, seed=seed)
        for event in clip.labelled("wheeze"):
            piece = clip.parts["wheeze"][int(event.onset_s * 4000) : int(event.offset_s * 4000)]
            hz, power = welch(piece, 4000, nperseg=min(1024, piece.size), nfft=4096)
            peaks, _ = find_peaks(power, height=2e-3 * power.max(), distance=200)
            ratios = hz[peaks] / hz[peaks[0]]
            np.testing.assert_allclose(ratios, np.arange(1, peaks.size + 1), atol=0.15)
            counts.add(peaks.size)
    assert counts <= {1, 2, 3}
    assert len(counts) > 1


def test_wheezes_are_mostly_in_expiration():
    inside = []
    for seed in range(10):
        clip = breath(draw_patient(seed, "wheeze"), seed=seed)
        out = clip.labelled("expiration")
        for event in clip.labelled("wheeze"):
            middle = (event.onset_s + event.offset_s) / 2
            inside.append(any(phase.onset_s < middle < phase.offset_s for phase in out))
    assert 0.6 < np.mean(inside) < 1


def test_wheezes_glide():
    clip = breath(typical("wheeze"), seed=1)
    glides = []
    for event in clip.labelled("wheeze"):
        piece = clip.parts["wheeze"][int(event.onset_s * 4000) : int(event.offset_s * 4000)]
        tone = band(piece, 250, 560, rate=4000)
        hz = np.diff(np.unwrap(np.angle(hilbert(tone)))) * 4000 / (2 * np.pi)
        edge = hz.size // 8
        glides.append(np.median(hz[-3 * edge : -edge]) - np.median(hz[edge : 3 * edge]))
    assert max(np.abs(glides)) > 10


def test_rhonchi_are_long_and_low():
    for seed in range(10):
        clip = breath(draw_patient(seed, "rhonchus"), seed=seed)
        power = np.abs(np.fft.rfft(clip.parts["rhonchus"].astype(float))) ** 2
        hz = np.fft.rfftfreq(clip.samples.size, 1 / 4000)
        assert power[hz < 300].sum() > 0.99 * power.sum()
        assert all(event.offset_s - event.onset_s > 0.1 for event in clip.labelled("rhonchus"))


@pytest.mark.parametrize("lasts_s", [0.005, 0.008, 0.015])
def test_a_crackle_has_two_cycles_of_the_widths_asked_for(lasts_s):
    rate = 192_000
    wave = synthesis.crackle_wave(rate, lasts_s, sharpness=0.13)
    crossings = np.flatnonzero(np.diff(np.sign(wave)) != 0) / rate
    crossings = crossings[crossings < 0.995 * lasts_s]
    # the first deflection, then three more half cycles, each wider than the one before
    assert crossings[0] == pytest.approx(0.13 * lasts_s, rel=0.02)
    assert crossings.size == 3
    assert (np.diff([0, *crossings, lasts_s], 2) > 0).all()
    assert wave.size / rate == pytest.approx(lasts_s, abs=1 / rate)
    halves = np.split(wave, (crossings * rate).astype(int) + 1)
    sizes = np.array([np.abs(half).max() for half in halves])
    assert sizes[1] == sizes.max()  # explosive, then dying away
    assert (np.diff(sizes[1:]) < 0).all()


def test_crackles_are_short():
    for seed in range(8):
        clip = breath(draw_patient(seed, "crackle"), seed=seed)
        crackles = clip.labelled("crackle")
        assert len(crackles) >= 2
        assert all(event.offset_s - event.onset_s < 0.02 for event in crackles)


def test_breath_comes_at_the_rate_of_the_patient():
    clip = breath(typical(), seed=0, duration_s=120.0)
    level = np.abs(clip.samples).reshape(-1, 400).mean(axis=1)  # 10 a second
    hz, power = welch(level - level.mean(), 10, nperseg=600)
    slow = hz < 0.4  # above, each breath counts twice: in and out
    assert 60 * hz[slow][power[slow].argmax()] == pytest.approx(15.0, abs=1.01)
    rates = [draw_patient(seed).breaths_per_min for seed in range(50)]
    assert 12 <= min(rates) < 13.5
    assert 18.5 < max(rates) <= 20


@pytest.mark.parametrize("corner_hz", [250.0, 500.0, 900.0])
def test_noise_of_breath_is_flat_and_then_falls(corner_hz):
    from dataclasses import replace

    clip = breath(replace(typical(), corner_hz=corner_hz), seed=0, duration_s=60.0)
    hz, power = welch(clip.parts["breath"], 4000, nperseg=1024)
    decibels = 10 * np.log10(power)

    def at(f):
        return decibels[np.abs(hz - f) < 25].mean()

    assert at(corner_hz) == pytest.approx(at(150) - 3, abs=1.5)  # half the power at the corner
    assert at(2 * corner_hz) < at(150) - 12


def test_a_patient_keeps_a_stethoscope_and_has_no_one_elses():
    one, same, other = draw_patient(1, "normal"), draw_patient(1, "wheeze"), draw_patient(2)
    assert one.stethoscope == same.stethoscope != other.stethoscope
    hz = np.array([100.0, 300.0, 800.0])
    assert np.abs(one.stethoscope.decibels(hz) - other.stethoscope.decibels(hz)).max() > 1


# Instruments


def test_a_response_colours_as_it_says_and_delays_nothing():
    response = Response(60.0, 5000.0, (0.0, 3.0, -2.0, 4.0))
    click = np.zeros(RATE)
    click[100] = 1
    filtered = response(click, RATE)
    assert not filtered[:99].any() or np.abs(filtered[:99]).max() < 1e-6
    assert np.sum(filtered[100:180] ** 2) > 0.9 * np.sum(filtered**2)
    hz = np.array([50.0, 100.0, 500.0, 1000.0, 3000.0, 6000.0])
    gain_db = 20 * np.log10(np.abs(np.fft.rfft(filtered)))[hz.astype(int)]
    ripple = np.interp(np.log(hz), np.log(np.geomspace(60, 5000, 4)), (0.0, 3.0, -2.0, 4.0))
    corners = 10 * np.log10((1 + (60 / hz) ** 4) * (1 + (hz / 5000) ** 4))
    np.testing.assert_allclose(gain_db, ripple - corners, atol=0.3)


# Corpora


def test_simple_spectra_do_not_tell_all_scenes_apart():
    clips = scene_clips(sites=16, seed=0, duration_s=2.0)
    edges = np.geomspace(60, 8000, 9)
    features = []
    for clip in clips.source.data.reshape(len(clips), -1):
        hz, power = welch(clip, RATE, nperseg=512)
        total = np.histogram(hz, edges, weights=power)[0]
        features.append(np.log(total / total.sum() + 1e-9))
    x, label = np.array(features), clips.labels
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    train = np.isin(clips.index["group"], clips.index["group"].unique()[:10])
    distance = ((x[~train, None] - x[None, train]) ** 2).sum(axis=-1)
    nearest = label[train][distance.argmin(axis=1)]
    right = np.mean(nearest == label[~train])
    assert 0.35 < right < 0.9  # chance is 0.1


def test_a_corpus_splits_by_site_and_batches_its_own_clips():
    clips = scene_clips(sites=4, seed=7, scenes=("rain", "speech"), duration_s=0.5)
    assert clips.classes == ("rain", "speech")
    fold = make_folds(clips.index, count=2)[0]
    train, test = clips[fold.train], clips[fold.test]
    assert len(train) == len(test) == 4
    assert not set(train.index["group"]) & set(test.index["group"])
    waveforms, labels = next(iter(test.all_batches(4)))
    for number in range(4):
        truth = test.truth(number)
        np.testing.assert_array_equal(waveforms[number], truth.samples)
        assert test.classes[labels[number]] == truth.label
        assert truth.group == test.index["group"].iloc[number]


def test_a_corpus_is_the_same_kept_or_made_anew():
    settings = {"patients": 3, "seed": 1, "clips_per_patient": 2, "duration_s": 3.0}
    kept, anew = (breath_clips(keep=keep, **settings) for keep in (True, False))
    for step in (0, 3):
        batches = [next(iter(c.dataset(4, seed=5, start_step=step))) for c in (kept, anew)]
        np.testing.assert_array_equal(batches[0][0], batches[1][0])
    assert list(kept.index["label"]) == ["normal"] * 2 + ["crackle"] * 2 + ["wheeze"] * 2
    other = breath_clips(**{**settings, "seed": 2})
    assert not set(kept.index["group"]) & set(other.index["group"])


# Mistakes


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: scene("forest", seed=0), "`name` must be one of babble"),
        (lambda: scene("rain", seed=-1), "`seed` must be 0 or more"),
        (lambda: scene("rain", seed=0, snr_db=3.0), "are for 'speech_in_noise'"),
        (lambda: scene("speech_in_noise", seed=0, noise="snow"), "`noise` must be one of"),
        (lambda: scene("rain", seed=0, duration_s=0.0), "`duration_s` must lie between"),
        (lambda: scene("rain", seed=0, sample_rate_hz=4000), "`sample_rate_hz` must lie between"),
        (lambda: scene("traffic", seed=0, vehicles=[Vehicle(1.0, 400.0)]), "below that of sound"),
        (lambda: draw_patient(0, "cough"), "`condition` must be one of normal"),
        (lambda: breath(typical(), seed=0, duration_s=1.0), "`duration_s` must lie between 2"),
        (lambda: scene_clips(sites=0, seed=0), "no clips"),
        (lambda: breath_clips(patients=2, seed=0, conditions=()), "no clips"),
    ],
)
def test_mistakes_are_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_stethoscopes_are_shared_and_meet_every_condition():
    clips = breath_clips(
        patients=12,
        seed=1,
        clips_per_patient=1,
        conditions=("normal", "wheeze"),
        stethoscopes=3,
        duration_s=2.0,
        keep=False,
    )
    met = clips.index.groupby("device", observed=True)["label"].value_counts()
    assert len(met) == 6 and (met == 2).all()
    assert clips.index["group"].nunique() == 12
