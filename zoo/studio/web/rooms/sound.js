// The sound room: microphone or file, hop by hop through a hearing aid's classifier, and in windows
// of five seconds through a classifier of scenes.

import { make, number, slider } from "../dom.js";
import { saveFile } from "../files.js";
import { decideAgain, StepModel } from "../sound/classifier.js";
import { mixAndResample, openClips, windowOf, windowStarts } from "../sound/clips.js";
import { decisionSettings } from "../sound/decision.js";
import { explain, sentence } from "../sound/explain.js";
import { LabelRule } from "../sound/labels.js";
import { Session } from "../sound/session.js";
import { openMicrophone, play, readSound } from "../sound/sources.js";
import { EvidenceMap, spoken, Timeline } from "../sound/timeline.js";
import { audacityLabels, writeWav } from "../sound/wav.js";

const AIDS = ["hearing-aid-recorded", "hearing-aid"];
const SCENES = "scenes-tiny";
const MAX_S = 300; // of the microphone: two minutes are 23 MB
const WINDOW_S = 10; // shown at a time
const SCENE_HOP_S = 1; // between windows of scenes
const BLOCK = 8192; // samples of a file at a time
const STILL_MS = 1000; // between two pictures where motion is unwanted
const AT_ONCE_MS = 25; // of computing, before the page may react

/** Open the room. */
export async function open(element, context) {
  const room = new SoundRoom(element, context);
  context.room = room; // for the console, and for tests
  await room.start();
  return () => room.close();
}

class SoundRoom {
  constructor(element, context) {
    Object.assign(this, { element, context });
    this.session = null;
    this.programs = []; // of each hop, with the settings of the sliders
    this.scenes = []; // { startS, endS, name, probabilities, condition }
    this.cursorS = null;
    this.isFollowing = true; // the view moves with the end of the recording
    this.work = 0; // number of the sound that is taken in: an older one stops
    this.player = null;
    this.microphone = null;
    this.isStill = matchMedia("(prefers-reduced-motion: reduce)");
  }

  async start() {
    this.aid = AIDS.find((name) => this.context.model(name));
    await this.openAid();
    this.sceneManifest = this.context.model(SCENES).manifest;
    this.sceneRule = new LabelRule(this.sceneManifest);
    this.build();
    this.resetSettings();
    this.sceneModel = openClips(this.context, SCENES);
    this.sceneModel.catch((error) => this.say(error.message));
  }

  async openAid() {
    const model = await this.context.openModel(this.aid);
    this.manifest = this.context.model(this.aid).manifest;
    this.step = new StepModel(model, this.manifest);
    this.rule = new LabelRule(this.manifest);
  }

  close() {
    this.work += 1;
    this.isClosed = true;
    this.stopMicrophone();
    this.player?.stop();
    cancelAnimationFrame(this.frame);
    this.timeline.close();
    this.evidence?.close();
  }

  // --- what the page shows

  build() {
    this.record = make("button", { type: "button", class: "main", "aria-pressed": "false",
      onclick: () => this.toggleMicrophone() }, "Microphone");
    const input = make("input", { type: "file", accept: "audio/*,.wav,.flac,.ogg,.mp3",
      class: "hidden", id: "sound-file", onchange: () => {
        if (input.files.length) this.takeFile(input.files[0]);
        input.value = "";
      } });
    const aids = make("select", { id: "aid", onchange: () => this.changeAid(aids.value) },
      ...AIDS.filter((name) => this.context.model(name)).map((name) =>
        make("option", { value: name }, name)));
    this.status = make("p", { role: "status" },
      "No sound yet. Nothing that is heard here leaves this page.");
    this.now = make("p", { class: "now" });
    const drop = make("div", { class: "drop" },
      make("div", { class: "row" }, this.record,
        input, make("label", { class: "file", for: "sound-file" }, "Open a file"),
        make("button", { type: "button", onclick: () => this.takeExample() }, "Example"),
        make("label", {}, "Classifier ", aids)),
      make("p", { class: "quiet small" }, "Or drop a file here: WAV of any sample rate as it is, "
        + "and what else the browser decodes."));
    this.followDrops(drop);
    this.element.append(make("h1", {}, "Sound"),
      make("p", {}, "A hearing aid's classifier takes 16 ms of sound at a time and decides which "
        + "program to run; a second network names the scene of the last five seconds, or says "
        + "that it does not know it."),
      drop, this.status, this.now);
    this.picture = make("div", { class: "panel" });
    this.element.append(this.picture);
    this.timeline = new Timeline(this.picture, { classes: this.rule.classes,
      onseek: (timeS) => this.seek(timeS) });
    this.buildTransport();
    this.sliders = make("section", { class: "panel", "aria-label": "Decision" });
    this.scenePanel = make("section", { class: "panel", "aria-label": "Scene" });
    this.buildScenes();
    this.element.append(make("div", { class: "grid" }, this.sliders, this.scenePanel));
    this.explained = make("section", { class: "panel", "aria-label": "Explanation", hidden: true });
    this.element.append(this.explained);
    this.draw();
  }

  buildTransport() {
    const { element, input } = slider("Time", { min: 0, max: 1, step: 0.016, value: 0,
      format: (value) => `${value.toFixed(2)} s`, onchange: (value) => this.seek(value) });
    this.scrub = input;
    this.scrubText = element.querySelector("output");
    this.playButton = make("button", { type: "button", onclick: () => this.togglePlay() }, "Play");
    const wav = make("button", { type: "button", onclick: () => this.saveWav() }, "Save WAV");
    const labels = make("button", { type: "button", onclick: () => this.saveLabels() },
      "Save labels for Audacity");
    this.transport = [input, this.playButton, wav, labels];
    this.transport.forEach((each) => { each.disabled = true; });
    this.picture.append(element, make("div", { class: "row" }, this.playButton, wav, labels));
  }

  buildScenes() {
    this.sceneText = make("p", { class: "scene" }, "No sound yet.");
    this.sceneRows = this.sceneRule.classes.map((name) => {
      const bar = make("meter", { min: 0, max: 1, value: 0, "aria-label": spoken(name) });
      const value = make("td", { class: "number" }, "–");
      return { bar, value, row: make("tr", {}, make("th", { scope: "row" }, spoken(name)),
        make("td", {}, bar), value) };
    });
    this.explainButton = make("button", { type: "button", disabled: true,
      onclick: () => this.explainScene() }, "Explain this window");
    const below = this.sceneRule.abstainBelow;
    this.scenePanel.append(make("h2", {}, "Scene"), this.sceneText,
      make("div", { class: "scroll" }, make("table", { class: "meters" },
        make("tbody", {}, ...this.sceneRows.map(({ row }) => row)))),
      below === null ? null : slider("Unknown where the highest probability is below", {
        min: 0, max: 1, step: 0.01, value: below, format: (value) => value.toFixed(2),
        onchange: (value) => {
          this.sceneRule.abstainBelow = value;
          this.showScene();
        } }).element,
      this.explainButton);
  }

  /** Sliders of the decision; thresholds act on all classes or on one. */
  buildSliders() {
    const { settings } = this;
    const change = (name) => (value) => {
      settings[name] = value;
      this.decide();
    };
    const seconds = (value) => `${number(value)} s`;
    const share = (value) => value.toFixed(2);
    const of = make("select", { id: "threshold-class" }, make("option", { value: "" }, "all classes"),
      ...this.rule.classes.map((name) => make("option", { value: name }, spoken(name))));
    const limits = make("div");
    const showLimits = () => {
      const own = of.value;
      const get = (name) => (own ? settings[`${name}_by_class`][own] : undefined) ?? settings[name];
      const set = (name, value) => {
        if (own) settings[`${name}_by_class`][own] = value;
        else {
          settings[name] = value;
          settings[`${name}_by_class`] = {};
        }
      };
      const one = (name, text) => slider(text, { min: 0, max: 1, step: 0.01, value: get(name),
        format: share, onchange: (value) => {
          set(name, value);
          // thresholds keep leave <= enter, as the decision requires
          const other = name === "enter" ? "leave" : "enter";
          const isApart = name === "enter" ? value >= get(other) : value <= get(other);
          if (!isApart) set(other, value);
          this.decide();
          if (!isApart) {
            inputs[other].value = value;
            inputs[other].dispatchEvent(new Event("input"));
          }
        } });
      const made = { enter: one("enter", "A program begins from"),
        leave: one("leave", "Another may follow below") };
      const inputs = { enter: made.enter.input, leave: made.leave.input };
      limits.replaceChildren(made.enter.element, made.leave.element);
    };
    of.addEventListener("change", showLimits);
    showLimits();
    const time = settings.method === "average"
      ? slider("Time constant", { min: 0.05, max: 5, step: 0.05, value: settings.time_constant_s,
        format: seconds, onchange: change("time_constant_s") })
      : slider("Scenes change", { min: 0.5, max: 30, step: 0.5, value: settings.changes_per_min,
        format: (value) => `${number(value)} times a minute`, onchange: change("changes_per_min") });
    this.sliders.replaceChildren(make("h2", {}, "Decision"),
      make("p", { class: "quiet small" }, settings.method === "average"
        ? "A first-order filter of the probabilities, with hysteresis and a dwell time."
        : "The forward filter of a hidden Markov model, with hysteresis and a dwell time."),
      time.element,
      slider("Dwell time", { min: 0, max: 10, step: 0.1, value: settings.dwell_s, format: seconds,
        onchange: change("dwell_s") }).element,
      slider("No program below", { min: 0, max: 1, step: 0.01, value: settings.abstain_below,
        format: share, onchange: change("abstain_below") }).element,
      make("label", { class: "field" }, "Thresholds of ", of), limits,
      ...settings.levels.flatMap((rule) => this.levelSliders(rule)),
      make("button", { type: "button", onclick: () => this.resetSettings() },
        "Settings of the manifest"));
  }

  /** Sliders of a level rule: where a class is certain or impossible. */
  levelSliders(rule) {
    const name = spoken(rule.name);
    const texts = { certain_below: `Always ${name} below`, impossible_above: `Never ${name} above` };
    return Object.entries(texts).flatMap(([limit, text]) =>
      ((rule[limit] ?? null) === null ? [] : [slider(text, { min: -100, max: 0, step: 0.5,
        value: rule[limit], format: (value) => `${value.toFixed(1)} dBFS`,
        onchange: (value) => {
          rule[limit] = value;
          this.decide();
        } }).element]));
  }

  resetSettings() {
    this.settings = decisionSettings(this.manifest.decision ?? {});
    this.buildSliders();
    this.decide();
  }

  followDrops(drop) {
    const over = (isOver) => (event) => {
      event.preventDefault();
      drop.classList.toggle("over", isOver);
    };
    drop.addEventListener("dragover", over(true));
    drop.addEventListener("dragleave", over(false));
    drop.addEventListener("drop", (event) => {
      over(false)(event);
      if (event.dataTransfer.files.length) this.takeFile(event.dataTransfer.files[0]);
    });
  }

  say(text) {
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  // --- sound comes in

  async toggleMicrophone() {
    if (this.microphone) {
      this.stopMicrophone();
      this.finish();
      return;
    }
    this.record.disabled = true;
    const work = this.begin();
    try {
      const waiting = []; // blocks that come before the rate is known
      const take = (block, isGap) => {
        if (work !== this.work) return;
        if (!this.session) waiting.push([block, isGap]);
        else this.takeBlock(block, isGap);
      };
      const microphone = await openMicrophone(take);
      if (work !== this.work) {
        microphone.stop();
        return;
      }
      this.microphone = microphone;
      this.newSession(microphone.rateHz);
      waiting.forEach((each) => take(...each));
      this.showRecording(true);
      this.say(`Microphone at ${microphone.rateHz.toLocaleString("en")} Hz.`);
    } catch (error) {
      this.say(error.message);
    } finally {
      this.record.disabled = false;
    }
  }

  takeBlock(channels, isGap) {
    this.session.add(channels, isGap);
    this.update();
    if (this.session.durationS >= MAX_S) {
      this.stopMicrophone();
      this.finish();
      this.say(`The recording ended after ${MAX_S} s.`);
    }
  }

  stopMicrophone() {
    this.microphone?.stop();
    this.microphone = null;
    if (this.record) this.showRecording(false);
  }

  showRecording(isOn) {
    this.record.textContent = isOn ? "Stop" : "Microphone";
    this.record.setAttribute("aria-pressed", String(isOn));
  }

  async takeFile(file) {
    const work = this.begin();
    this.say(`${file.name}: reading …`);
    try {
      const sound = await readSound(file);
      if (work === this.work) await this.takeSound(sound, file.name, work);
    } catch (error) {
      if (work === this.work) this.say(`${file.name}: ${error.message}`);
    }
  }

  takeExample() {
    return this.takeSound(exampleSound(), "Example", this.begin());
  }

  /** Take a whole sound in, with pauses in which the page reacts. */
  async takeSound({ rateHz, channels, isExact = true }, name, work) {
    if (!channels[0].length) throw new Error("no sound in it.");
    this.newSession(rateHz);
    let pause = performance.now();
    for (let start = 0; start < channels[0].length; start += BLOCK) {
      this.session.add(channels.map((each) => each.slice(start, start + BLOCK)));
      if (performance.now() - pause < AT_ONCE_MS) continue;
      this.update(false);
      await new Promise((resolve) => setTimeout(resolve));
      if (work !== this.work) return;
      pause = performance.now();
    }
    const { session } = this;
    const share = session.computedMs / 1000 / session.durationS;
    this.isFollowing = false;
    const scenes = this.finish();
    this.seek(0);
    const how = isExact ? "" : ", decoded by the browser";
    this.say(`${name}: ${number(session.durationS)} s, ${channels.length} channel`
      + `${channels.length > 1 ? "s" : ""} at ${rateHz.toLocaleString("en")} Hz${how}; computed in `
      + `${number(100 * share, 2)} % of its time.${note(session)}`);
    await scenes;
    this.element.dataset.done = String(work);
  }

  begin() {
    this.work += 1;
    this.stopMicrophone();
    this.player?.stop();
    this.session = null;
    this.scenes = [];
    this.programs = [];
    this.cursorS = null;
    this.isFollowing = true;
    this.explained.hidden = true;
    return this.work;
  }

  newSession(rateHz) {
    this.session = new Session(this.step, rateHz, this.settings);
    this.programs = [];
    this.scenes = [];
    this.transport.forEach((each) => { each.disabled = false; });
    this.sceneText.textContent = "Listening …";
  }

  finish() {
    if (!this.session) return null;
    this.session.finish();
    this.update(false);
    return this.addScenes(true);
  }

  async changeAid(name) {
    const work = (this.work += 1);
    this.stopMicrophone();
    this.aid = name;
    await this.openAid();
    this.timeline.close();
    this.timeline.element.remove();
    this.timeline = new Timeline(this.picture, { classes: this.rule.classes,
      onseek: (timeS) => this.seek(timeS) });
    this.picture.prepend(this.timeline.element);
    this.settings = decisionSettings(this.manifest.decision ?? {});
    this.buildSliders();
    const { session } = this;
    if (session) await this.takeSound({ rateHz: session.rateHz, channels: session.channels() }, name, work);
    else this.draw();
  }

  // --- after every block

  /** New hops are there. */
  update(isLive = true) {
    const { session } = this;
    for (let k = this.programs.length; k < session.hops.length; k++) {
      this.programs.push(session.hops[k].program.name);
    }
    this.scrub.max = session.durationS;
    if (isLive) this.addScenes(false);
    const pauseMs = this.isStill.matches ? STILL_MS : 0;
    if (isLive && performance.now() - (this.drawnMs ?? 0) < pauseMs) return;
    this.drawnMs = performance.now();
    this.showNow();
    this.draw();
  }

  /** Programs with new settings: of the recording, and of what is to come. */
  decide() {
    const { session, settings } = this;
    if (session) {
      const { classifier } = session;
      const { programs, decision } = decideAgain(session.hops, session.hopS, this.rule, settings);
      this.programs = programs.map(({ name }) => name);
      classifier.decision = decision;
      classifier.program = programs.at(-1) ?? classifier.program;
    }
    this.showNow();
    this.draw();
  }

  showNow() {
    const { session } = this;
    if (!session?.hops.length) return;
    const at = this.cursorS === null ? session.hops.length - 1
      : Math.min(session.hops.length - 1, Math.floor(this.cursorS / session.hopS));
    const hop = session.hops[at];
    const program = this.programs[at];
    const text = `Program: ${program ? spoken(program) : "none"}`;
    if (this.shownProgram !== text || !this.now.firstChild) {
      this.shownProgram = text;
      this.now.replaceChildren(make("strong", { role: "status" }, text), make("span"));
    }
    const level = Number.isFinite(hop.levelDbfs) ? `${hop.levelDbfs.toFixed(0)} dBFS` : "no level";
    const doubt = hop.condition === "sound" ? "" : `, not classified: ${hop.condition}`;
    this.now.lastChild.textContent = ` at ${hop.timeS.toFixed(1)} s, ${level}${doubt}`;
    this.showScene();
  }

  draw() {
    const { session } = this;
    if (!session) return;
    const duration = session.durationS;
    let fromS = this.viewS ?? 0;
    if (this.isFollowing) fromS = Math.max(0, duration - WINDOW_S);
    else if (this.cursorS !== null && (this.cursorS < fromS || this.cursorS > fromS + WINDOW_S)) {
      fromS = Math.max(0, Math.min(this.cursorS - WINDOW_S / 4, duration - WINDOW_S));
    }
    this.viewS = Math.max(0, Math.min(fromS, duration - WINDOW_S));
    this.timeline.draw({ session, programs: this.programs, fromS: this.viewS,
      toS: this.viewS + WINDOW_S, cursorS: this.cursorS });
  }

  // --- scenes

  /** Windows of the scene classifier that are due; `isEnd`: all windows of the whole sound. */
  addScenes(isEnd) {
    const { session, work, sceneWork: before } = this;
    const dueS = this.scenes.length ? this.scenes.at(-1).endS + SCENE_HOP_S : 1;
    if (!session || (!isEnd && (before || session.durationS < dueS))) return null;
    const classify = async () => {
      await before;
      const { model } = await this.sceneModel;
      if (work !== this.work) return;
      if (isEnd) await this.classifyWindows(model, work);
      else this.classifyLatest(model);
      this.showScene();
    };
    const now = classify().catch((error) => this.say(error.message)).finally(() => {
      if (this.sceneWork === now) this.sceneWork = null;
    });
    this.sceneWork = now;
    return now;
  }

  /** The last five seconds of a recording that goes on, from its end. */
  classifyLatest(model) {
    const { session } = this;
    const lengthS = model.samples / model.rateHz;
    const reach = Math.min(session.frames, Math.round((lengthS + 0.1) * session.rateHz));
    const tail = tailOf(session, reach);
    const sound = mixAndResample(tail, session.rateHz, model.rateHz);
    const clip = windowOf(sound, Math.max(0, sound.length - model.samples), model.samples);
    const endS = session.durationS;
    this.scenes.push({ startS: Math.max(0, endS - lengthS), endS, clip, ...model.classify(clip) });
    for (const old of this.scenes.slice(0, -1)) delete old.clip; // the whole sound comes later
  }

  async classifyWindows(model, work) {
    const { session } = this;
    const sound = mixAndResample(session.channels(), session.rateHz, model.rateHz);
    this.scenes = [];
    for (const start of windowStarts(sound.length, model.samples, SCENE_HOP_S * model.rateHz)) {
      const clip = windowOf(sound, start, model.samples);
      const endS = Math.min(start + model.samples, sound.length) / model.rateHz;
      this.scenes.push({ startS: start / model.rateHz, endS, clip, ...model.classify(clip) });
      await new Promise((resolve) => setTimeout(resolve));
      if (work !== this.work) return;
    }
  }

  /** The window whose end is nearest to the cursor, the last one without a cursor. */
  sceneAtCursor() {
    if (this.cursorS === null) return this.scenes.at(-1);
    const distance = ({ startS, endS }) => Math.abs((startS + endS) / 2 - this.cursorS);
    return this.scenes.reduce((best, each) =>
      (!best || distance(each) < distance(best) ? each : best), null);
  }

  showScene() {
    const scene = this.sceneAtCursor();
    this.explainButton.disabled = !scene?.probabilities || !scene.clip;
    if (!scene) return;
    const when = `${scene.startS.toFixed(1)} to ${scene.endS.toFixed(1)} s`;
    const name = scene.probabilities && this.sceneRule.label(scene.probabilities);
    const text = !scene.probabilities ? `${when}: not classified, ${scene.condition}`
      : `${when}: ${name ? spoken(name) : "unknown"}`;
    if (this.sceneText.textContent !== text) this.sceneText.textContent = text;
    this.sceneRows.forEach(({ bar, value }, k) => {
      bar.value = scene.probabilities?.[k] ?? 0;
      value.textContent = scene.probabilities ? scene.probabilities[k].toFixed(2) : "–";
    });
  }

  async explainScene() {
    const scene = this.sceneAtCursor();
    const { work } = this;
    const title = make("p", { role: "status" }, "Explaining …");
    this.explained.hidden = false;
    this.explained.replaceChildren(make("h2", {}, "Explanation"), title);
    this.explainButton.disabled = true;
    try {
      const { front, network } = await this.sceneModel;
      const { classes } = this.sceneManifest;
      const label = classes[scene.probabilities.indexOf(Math.max(...scene.probabilities))];
      const models = { front, network, manifest: this.sceneManifest };
      const clip = { waveform: scene.clip, startS: scene.startS };
      const found = await explain(models, clip, label, {
        progress: (share) => { title.textContent = `Explaining: ${Math.round(100 * share)} %`; },
        isCancelled: () => work !== this.work || this.isClosed,
      });
      if (!found) return;
      title.textContent = `${scene.startS.toFixed(1)} to ${scene.endS.toFixed(1)} s: ${sentence(found)}`;
      this.evidence?.close();
      this.evidence = new EvidenceMap(this.explained);
      this.evidence.describe(sentence(found));
      this.evidence.draw(found);
      this.explained.append(make("p", { class: "quiet small" }, `For ${spoken(label)}: red where it `
        + "would lose log-odds if that part of the spectrogram were set to the mean of the training "
        + "data, blue where it would gain; grey is the level."));
      this.explanation = found;
    } catch (error) {
      title.textContent = error.message;
    } finally {
      this.showScene();
    }
  }

  // --- scrub, replay, save

  seek(timeS) {
    if (!this.session) return;
    this.cursorS = Math.min(this.session.durationS, Math.max(0, timeS));
    this.isFollowing = false;
    this.scrub.value = this.cursorS;
    this.scrubText.textContent = `${this.cursorS.toFixed(2)} s`;
    this.scrub.setAttribute("aria-valuetext", this.scrubText.textContent);
    this.showNow();
    this.draw();
  }

  togglePlay() {
    if (this.player) {
      this.player.stop();
      return;
    }
    const { session } = this;
    if (!session || this.microphone) return;
    const from = this.cursorS === null || this.cursorS > session.durationS - 0.05 ? 0 : this.cursorS;
    const player = play(session.channels(), session.rateHz, from, () => {
      if (this.player === player) this.player = null;
      this.playButton.textContent = "Play";
    });
    this.player = player;
    this.playButton.textContent = "Stop";
    const follow = () => {
      if (this.player !== player) return;
      this.seek(player.timeS());
      this.frame = requestAnimationFrame(follow);
    };
    follow();
  }

  saveWav() {
    const { session } = this;
    saveFile("recording.wav", writeWav(session.channels(), session.rateHz), "audio/wav");
  }

  saveLabels() {
    saveFile("programs.txt", audacityLabels(this.programs, this.session.hopS), "text/plain");
  }
}

/** The last samples of a session, without joining all of it. */
function tailOf(session, count) {
  const parts = [];
  let length = 0;
  for (let k = session.parts.length - 1; k >= 0 && length < count; k--) {
    parts.unshift(session.parts[k]);
    length += session.parts[k][0].length;
  }
  return parts[0].map((_, channel) => {
    const all = new Float32Array(length);
    let at = 0;
    for (const part of parts) {
      all.set(part[channel], at);
      at += part[channel].length;
    }
    return all.subarray(length - Math.min(count, length));
  });
}

function note({ classifier }) {
  return classifier.mixer.note ? ` ${classifier.mixer.note}.` : "";
}

/** Twelve seconds of a quiet room, a chord and noise, so that something can be tried at once. */
function exampleSound() {
  const rateHz = 16000;
  let seed = 1; // a linear congruential generator: the same noise each time
  const noise = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 31 - 1;
  };
  let rumble = 0;
  const channel = Float32Array.from({ length: 12 * rateHz }, (_, n) => {
    const t = n / rateHz;
    rumble = 0.97 * rumble + 0.03 * noise();
    if (t < 4) return 0.0006 * noise();
    if (t < 8) {
      const notes = [220, 277.2, 329.6, 440][Math.floor(2 * t) % 4];
      const fade = Math.exp(-3 * ((2 * t) % 1));
      return 0.12 * fade * (Math.sin(2 * Math.PI * notes * t) + 0.5 * Math.sin(4 * Math.PI * notes * t)
        + 0.3 * Math.sin(6 * Math.PI * notes * t)) + 0.0006 * noise();
    }
    return 0.5 * rumble + 0.02 * noise();
  });
  return { rateHz, channels: [channel] };
}
