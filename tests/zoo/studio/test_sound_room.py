"""The sound room in a browser: what it computes of a sound, and of a microphone, equals Python."""

import base64
import io
import json
import wave

import numpy as np
import pytest

import zoo.edge
from zoo import folders
from zoo.edge import capture
from zoo.edge.classifier import StreamClassifier
from zoo.edge.clips import classify_stream, open_clips
from zoo.edge.golden import read_golden
from zoo.manifest import read_manifest

READY = "document.querySelector('[data-room=sound][data-ready]')"
AID, SCENES = folders.find("hearing-aid"), folders.find("scenes-tiny")


def _sound(seconds, rate):
    """A quiet room, chords, then noise: (samples,) in [-1, 1]."""
    rng = np.random.default_rng(3)
    t = np.arange(round(seconds * rate)) / rate
    chord = sum(np.sin(2 * np.pi * hz * t) / (k + 1) for k, hz in enumerate((220, 277, 440, 1108)))
    part = np.floor(3 * t / seconds)
    noise = rng.standard_normal(len(t))
    return (
        5e-4 * noise + 0.1 * (part == 1) * chord * (0.4 + (2 * t) % 1) + 0.05 * (part == 2) * noise
    )


def _wav(x, rate):
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, rate, 0, "NONE", ""))
        out.writeframes(np.round(x * 32767).astype("<i2").tobytes())
    return file.getvalue()


@pytest.fixture(scope="module")
def page(browser, studio):
    page = browser.open(f"{studio}#sound")
    page.wait(READY)
    yield page
    assert page.errors == []


MODEL = """(async (name, values) => {
  const { StepModel, StreamClassifier } = await import("/sound/classifier.js");
  const { mixAndResample, openClips, windowOf, windowStarts } = await import("/sound/clips.js");
  const { readWav } = await import("/sound/wav.js");
  const model = await studio.openModel(name);
  const { manifest } = studio.model(name);
  const floats = (text) => new Float32Array(
    Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
  const file = (text) => readWav(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
  BODY
})"""
STEPS = """const step = new StepModel(model, manifest);
  return values.map((text) => {
    step.reset();
    const sound = floats(text);
    const found = [];
    for (let at = 0; at < sound.length; at += step.hop) {
      found.push(Array.from(step.step(sound.subarray(at, at + step.hop))));
    }
    return found;
  });"""
CLIPS = """const clips = (await openClips(studio, name)).model;
  return values.map((text) => Array.from(clips.classify(floats(text)).probabilities));"""
STREAM = """const { rateHz, channels } = file(values);
  const classifier = new StreamClassifier(new StepModel(model, manifest), rateHz);
  const hops = [];
  for (let at = 0; at < channels[0].length; at += 1000) {
    hops.push(...classifier.process(channels.map((each) => each.subarray(at, at + 1000))));
  }
  return [...hops, ...classifier.finish()].map((hop) =>
    [hop.program.name, hop.levelDbfs, Array.from(hop.probabilities)]);"""
WINDOWS = """const { rateHz, channels } = file(values);
  const clips = (await openClips(studio, name)).model;
  const sound = mixAndResample(channels, rateHz, clips.rateHz);
  return windowStarts(sound.length, clips.samples).map((start) => {
    const { name, probabilities } = clips.classify(windowOf(sound, start, clips.samples));
    return [name, Array.from(probabilities)];
  });"""


def _run(page, body, name, values):
    script = MODEL.replace("BODY", body)
    return page.evaluate(f"{script}({json.dumps(name)}, {json.dumps(values)})")


def _texts(rows):
    return [base64.b64encode(row.astype("<f4").tobytes()).decode() for row in rows]


@pytest.mark.parametrize("folder", [AID, SCENES])
def test_golden_outputs(page, folder):
    """250 hops and two clips, at the model's own rate."""
    golden = read_golden(folder, read_manifest(folder))
    body = STEPS if folder == AID else CLIPS
    found = _run(page, body, folder.name, _texts(golden["waveform"][:2]))
    np.testing.assert_allclose(found, golden["probabilities"][:2], atol=1e-4)


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_ten_seconds_at_another_rate(page, tmp_path, rate):
    """All 625 hops and both windows, from the same file."""
    content = _wav(_sound(10, rate), rate)
    file = tmp_path / "sound.wav"
    file.write_bytes(content)
    text = base64.b64encode(content).decode()
    source = capture.from_file(file)
    classifier = StreamClassifier(zoo.edge.open(AID), rate)
    hops = [hop for block in source.blocks for hop in classifier.process(block)]
    hops += classifier.finish()
    found = _run(page, STREAM, AID.name, text)
    assert len(found) == len(hops) == 625
    assert [name for name, *_ in found] == [hop.program.name for hop in hops]
    assert len({hop.program.name for hop in hops}) >= 3
    levels = [level for _, level, _ in found]
    np.testing.assert_allclose(levels, [hop.level_dbfs for hop in hops], atol=1e-3)
    here = [probabilities for *_, probabilities in found]
    np.testing.assert_allclose(here, [hop.probabilities for hop in hops], atol=1e-4)

    model = open_clips(SCENES)
    labels = [each.label for each in classify_stream(model, rate, capture.from_file(file).blocks)]
    found = _run(page, WINDOWS, SCENES.name, text)
    assert [name for name, _ in found] == [label.name for label in labels]
    highest = [max(probabilities) for _, probabilities in found]
    np.testing.assert_allclose(highest, [label.probability for label in labels], atol=1e-4)


def test_file_in_the_room(page, tmp_path):
    """A file by the input; programs, sliders, labels and the explanation of a window."""
    file = tmp_path / "sound.wav"
    file.write_bytes(_wav(_sound(9, 22_050), 22_050))
    root = page.call("DOM.getDocument")["root"]["nodeId"]
    node = page.call("DOM.querySelector", nodeId=root, selector="#sound-file")["nodeId"]
    page.call("DOM.setFileInputFiles", files=[str(file)], nodeId=node)
    page.wait("studio.room.element.dataset.done")
    name = page.evaluate("studio.room.aid")
    source = capture.from_file(file)
    classifier = StreamClassifier(zoo.edge.open(folders.find(name)), 22_050)
    hops = [hop for block in source.blocks for hop in classifier.process(block)]
    expected = [hop.program.name for hop in hops + classifier.finish()]
    assert page.evaluate("studio.room.programs") == expected
    page.evaluate("studio.room.seek(7)")
    page.wait("document.querySelector('.now').textContent.includes('7.0 s')")
    slider = "[...document.querySelectorAll('label')].find((each) => each.textContent.startsWith"
    page.evaluate(
        f"{{ const input = {slider}('A program begins')).querySelector('input'); input.value = 1;"
        "input.dispatchEvent(new Event('input')); }"
    )
    assert set(page.evaluate("studio.room.programs")) < {None, *expected}
    page.evaluate("studio.room.resetSettings()")
    assert page.evaluate("studio.room.programs") == expected
    page.evaluate("studio.room.explainScene()")
    text = page.evaluate("document.querySelector('[aria-label=Explanation] p').textContent")
    assert " s: " in text


def test_microphone_finds_the_program_of_python(studio, litert_js, tmp_path):
    """Chromium's fake microphone plays a file; the room decides as zoo.edge does on the file.

    Once from the server, and once as one file, where the worklet comes from a data: address.
    """
    from tests.browser import Browser
    from zoo.studio import write_page

    rate = 48_000
    file, single = tmp_path / "microphone.wav", tmp_path / "studio.html"
    sound = 0.06 * np.random.default_rng(0).standard_normal(6 * rate)
    file.write_bytes(_wav(sound, rate))
    write_page(single, litert_js)
    classifier = StreamClassifier(zoo.edge.open(folders.find("hearing-aid-recorded")), rate)
    hops = [hop for block in capture.from_file(file).blocks for hop in classifier.process(block)]
    expected = hops[-1].program.name
    assert expected is not None
    assert {hop.program.name for hop in hops} == {None, expected}  # whenever it is asked
    browser = Browser(
        *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
        *(f"--use-file-for-fake-audio-capture={file}",),
        "--autoplay-policy=no-user-gesture-required",
    )
    try:
        for address in (studio, single.as_uri()):
            page = browser.open(f"{address}#sound")
            page.wait(READY)
            page.evaluate("studio.room.toggleMicrophone()")
            page.wait("studio.room.programs.at(-1) && studio.room.session.durationS > 1.5")
            page.evaluate("studio.room.toggleMicrophone()")
            assert page.evaluate("studio.room.programs.at(-1)") == expected
            levels = page.evaluate("studio.room.session.hops.map((hop) => hop.levelDbfs)")
            levels = [level for level in levels if level is not None]  # of silence, at the start
            median = np.median([hop.level_dbfs for hop in hops])
            assert np.median(levels) == pytest.approx(median, abs=0.5)  # no gain control
            assert page.errors == []
    finally:
        browser.close()
