// The teach room: a few clips of each class, a head fitted to them in the page, tried at once, and
// saved as a folder that `zoo predict` and `zoo.edge` open.

import { make, number } from "../dom.js";
import { readFile, saveFile } from "../files.js";
import { zip } from "../sound/archive.js";
import { ClipModel, mixAndResample, windowOf } from "../sound/clips.js";
import { clipCondition, join, SOUND } from "../sound/condition.js";
import { chooseHead, fitHead, unknownThreshold } from "../sound/heads.js";
import { openMicrophone, play, readSound } from "../sound/sources.js";
import { folderFiles, sentence, UNKNOWN, withHead } from "../sound/taught.js";
import { writeWav } from "../sound/wav.js";

const BASE = "sound-embedding";
const COPIES = 2; // of every clip, with noise
const ADVISED = 5; // clips of a class
const CLIP_S = 5;
const LISTEN_MS = 1000; // between two answers while it listens
const MAX_CLIPS = 50; // of a class

/** Open the room. */
export async function open(element, context) {
  const room = new TeachRoom(element, context);
  context.room = room; // for the console, and for tests
  await room.start();
  return () => room.close();
}

class TeachRoom {
  constructor(element, context) {
    Object.assign(this, { element, context });
    this.classes = []; // { name, clips, panel, list, count }
    this.taught = null;
    this.recording = null;
  }

  async start() {
    const entry = this.context.model(BASE);
    this.manifest = entry.manifest;
    [this.fileName] = entry.files;
    this.rateHz = this.manifest.front_end.sample_rate_hz;
    const [model, file, table] = await Promise.all([this.context.openModel(BASE),
      readFile(`models/${BASE}/${this.fileName}`), readFile(`models/${BASE}/head.json`)]);
    this.model = model;
    this.file = file;
    this.table = JSON.parse(new TextDecoder().decode(table));
    this.samples = model.inputs.waveform.size;
    this.build();
  }

  close() {
    this.isClosed = true;
    this.stopListening();
    this.recording?.finish();
    this.player?.stop();
    this.taught?.model.model.close();
  }

  build() {
    this.panels = make("div", { class: "grid" });
    this.status = make("p", { role: "status" }, "");
    this.learnButton = make("button", { type: "button", class: "main", onclick: () => this.learn() },
      "Learn");
    this.result = make("section", { class: "panel", hidden: true, "aria-label": "Result" });
    this.element.append(make("h1", {}, "Teach"),
      make("p", {}, `Give ${ADVISED} clips of each of your own sounds, of up to ${CLIP_S} s: record `
        + "them, or drop files. A head for them is fitted here on an embedding that stays as it is, "
        + "and what resembles no clip is \"unknown\". No sound leaves this page."),
      this.panels,
      make("div", { class: "row" },
        make("button", { type: "button", onclick: () => this.addClass() }, "Add a class"),
        this.learnButton),
      this.status, this.result);
    this.addClass("clap");
    this.addClass("voice");
  }

  say(text) {
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  // --- classes and clips

  addClass(name = `class ${this.classes.length + 1}`) {
    const number = (this.made = (this.made ?? 0) + 1);
    const group = { name, clips: [] };
    const label = make("input", { type: "text", id: `class-${number}`, value: name, maxlength: 40,
      oninput: () => { group.name = label.value.trim(); this.forget(); } });
    const input = make("input", { type: "file", accept: "audio/*,.wav,.flac,.ogg,.mp3",
      multiple: true, class: "hidden", id: `clips-${number}`, onchange: async () => {
        await this.addFiles(group, [...input.files]);
        input.value = "";
      } });
    const record = make("button", { type: "button", onclick: () => this.record(group, record) },
      `Record ${CLIP_S} s`);
    group.list = make("ol", { class: "clips" });
    group.count = make("p", { class: "quiet small" });
    const remove = make("button", { type: "button", "aria-label": `Remove class ${name}`,
      onclick: () => this.removeClass(group) }, "Remove");
    group.panel = make("section", { class: "panel drop", "aria-label": `Class ${number}` },
      make("label", { class: "field", for: label.id }, "Name "), label,
      make("div", { class: "row" }, record, input,
        make("label", { class: "file", for: input.id }, "Add files"), remove),
      group.count, group.list);
    const over = (isOver) => (event) => {
      event.preventDefault();
      group.panel.classList.toggle("over", isOver);
    };
    group.panel.addEventListener("dragover", over(true));
    group.panel.addEventListener("dragleave", over(false));
    group.panel.addEventListener("drop", (event) => {
      over(false)(event);
      this.addFiles(group, [...event.dataTransfer.files]);
    });
    this.classes.push(group);
    this.panels.append(group.panel);
    this.showClips(group);
    return group;
  }

  removeClass(group) {
    this.classes = this.classes.filter((each) => each !== group);
    group.panel.remove();
    this.forget();
  }

  async addFiles(group, files) {
    for (const file of files) {
      try {
        const { rateHz, channels } = await readSound(file);
        this.addClip(group, channels, rateHz, file.name);
      } catch (error) {
        this.say(`${file.name}: ${error.message}`);
      }
    }
  }

  /** The first five seconds of a sound; a shorter one is repeated when it is learnt. */
  addClip(group, channels, rateHz, title) {
    const sound = mixAndResample(channels, rateHz, this.rateHz).slice(0, this.samples);
    const condition = sound.length ? clipCondition(sound) : "empty";
    if (condition !== SOUND || group.clips.length >= MAX_CLIPS) {
      this.say(condition === SOUND ? `At most ${MAX_CLIPS} clips of a class.`
        : `${title}: not taken, it is ${condition}.`);
      return;
    }
    group.clips.push({ sound, title });
    this.showClips(group);
    this.forget();
  }

  showClips(group) {
    const { clips } = group;
    group.count.textContent = `${clips.length} of ${ADVISED} clips`;
    group.list.replaceChildren(...clips.map((clip, k) => make("li", {}, `${clip.title} `,
      make("span", { class: "quiet" }, `${number(clip.sound.length / this.rateHz, 2)} s `),
      make("button", { type: "button", class: "small", "aria-label": `Play clip ${k + 1}`,
        onclick: () => this.playClip(clip) }, "Play"),
      make("button", { type: "button", class: "small", "aria-label": `Remove clip ${k + 1}`,
        onclick: () => {
          clips.splice(k, 1);
          this.showClips(group);
          this.forget();
        } }, "Remove"))));
  }

  playClip({ sound }) {
    this.player?.stop();
    const player = play([sound], this.rateHz, 0, () => {
      if (this.player === player) this.player = null;
    });
    this.player = player;
  }

  async record(group, button) {
    if (this.recording) {
      this.recording.finish();
      return;
    }
    this.stopListening();
    const blocks = [];
    let finish;
    let rateHz = Infinity; // until the microphone has said it
    const done = new Promise((resolve) => { finish = resolve; });
    try {
      const microphone = await openMicrophone((channels) => {
        blocks.push(channels);
        const seconds = blocks.reduce((sum, each) => sum + each[0].length, 0) / rateHz;
        button.textContent = `Stop (${Math.max(0, CLIP_S - seconds).toFixed(0)} s)`;
        if (seconds >= CLIP_S) finish();
      });
      rateHz = microphone.rateHz;
      this.recording = { stop: microphone.stop, finish };
      button.setAttribute("aria-pressed", "true");
      await done;
      microphone.stop();
      if (this.isClosed) return;
      if (!blocks.length) throw new Error("The microphone gave no sound.");
      const channels = blocks[0].map((_, k) => join(blocks.map((each) => each[k] ?? each[0])));
      this.addClip(group, channels, rateHz, `clip ${group.clips.length + 1}`);
    } catch (error) {
      this.say(error.message);
    } finally {
      this.recording = null;
      button.setAttribute("aria-pressed", "false");
      button.textContent = `Record ${CLIP_S} s`;
    }
  }

  // --- learning

  /** What was learnt no longer fits the clips. */
  forget() {
    if (!this.taught) return;
    this.stopListening();
    this.taught.model.model.close();
    this.taught = null;
    this.result.hidden = true;
    this.say("The clips changed: learn again.");
  }

  /** Why these classes cannot be learnt, or "". */
  fault() {
    const names = this.classes.map((each) => each.name);
    if (names.length < 2) return "Two classes or more are needed.";
    if (new Set(names).size < names.length || names.includes("")) return "Each class needs its own name.";
    if (names.some((name) => /[\\/:*?"<>|\u0000-\u001f]|^\.+$/.test(name))) {
      return "A name that is no file's name: leave out \\ / : * ? \" < > |.";
    }
    if (names.includes(UNKNOWN)) return `"${UNKNOWN}" is the class of all other sounds.`;
    const empty = this.classes.find((each) => each.clips.length < 2);
    return empty ? `"${empty.name}" needs two clips or more, better ${ADVISED}.` : "";
  }

  async learn() {
    const fault = this.fault();
    if (fault) {
      this.say(fault);
      return;
    }
    this.learnButton.disabled = true;
    this.say("Learning …");
    try {
      const clips = this.classes.flatMap(({ clips: own }, label) => own.map(({ sound }) =>
        ({ label, waveform: windowOf(sound, 0, this.samples) })));
      const labels = clips.map(({ label }) => label);
      const own = await this.embedAll(clips.map(({ waveform }) => waveform));
      const noise = generator(1);
      const copies = [];
      for (let k = 0; k < COPIES; k++) {
        copies.push(...await this.embedAll(clips.map(({ waveform }) => withNoise(waveform, noise))));
      }
      const choice = chooseHead(own, labels);
      const repeated = Array.from({ length: COPIES + 1 }, () => labels).flat();
      const head = fitHead([...own, ...copies], repeated, choice.kind, choice.penalty,
        this.classes.length);
      head.threshold = unknownThreshold(choice.familiarity);
      await this.openTaught(head, choice, own, clips);
      this.showResult();
    } catch (error) {
      this.say(error.message);
    } finally {
      this.learnButton.disabled = false;
    }
  }

  async embedAll(waveforms) {
    const found = [];
    for (const waveform of waveforms) {
      found.push(this.model.run({ waveform }).embedding);
      await new Promise((resolve) => setTimeout(resolve)); // the page may react
    }
    return found;
  }

  /** The file that will be saved is the one that is tried. */
  async openTaught(head, choice, examples, clips) {
    const file = withHead(this.file, this.table, head, examples);
    const model = await (await this.context.runtime()).open(file);
    const classes = this.classes.map(({ name }) => name);
    const firsts = classes.map((_, k) => clips.find(({ label }) => label === k).waveform);
    const golden = { cases: classes, waveform: firsts,
      outputs: firsts.map((waveform) => model.run({ waveform })) };
    const counts = { clips: clips.length, copies: COPIES, width: this.table.width };
    this.taught = { classes, head, choice, golden, file, counts,
      base16: this.fileName !== "model.tflite",
      model: new ClipModel(model, { ...this.manifest, classes: [...classes, UNKNOWN] }) };
  }

  showResult() {
    const { choice, head, classes } = this.taught;
    this.say(`Learnt: ${sentence(choice)}.`);
    this.answer = make("p", { class: "scene", role: "status" }, "Nothing heard yet.");
    this.rows = [...classes, UNKNOWN].map((name) => {
      const bar = make("meter", { min: 0, max: 1, value: 0, "aria-label": name });
      const value = make("td", { class: "number" }, "–");
      return { bar, value, row: make("tr", {}, make("th", { scope: "row" }, name),
        make("td", {}, bar), value) };
    });
    this.listenButton = make("button", { type: "button", class: "main", "aria-pressed": "false",
      onclick: () => this.toggleListening() }, "Listen");
    const input = make("input", { type: "file", id: "try-file", class: "hidden",
      accept: "audio/*,.wav,.flac,.ogg,.mp3", onchange: async () => {
        if (input.files.length) await this.tryFile(input.files[0]);
        input.value = "";
      } });
    const name = make("input", { type: "text", id: "model-name", value: "my-sounds", maxlength: 60,
      pattern: "[A-Za-z0-9][A-Za-z0-9_\\-]*" });
    const save = make("button", { type: "button", onclick: () => this.save(name.value.trim()) },
      "Save as ZIP");
    this.result.hidden = false;
    this.result.replaceChildren(make("h2", {}, "Try it"),
      make("div", { class: "row" }, this.listenButton, input,
        make("label", { class: "file", for: "try-file" }, "Try a file")),
      this.answer,
      make("div", { class: "scroll" }, make("table", { class: "meters" },
        make("tbody", {}, ...this.rows.map(({ row }) => row)))),
      make("p", { class: "quiet small" }, head.threshold > -1
        ? `Unknown below a cosine of ${number(head.threshold)} to the nearest clip: 95 % of your clips `
          + "pass, each compared with the others."
        : "Ten clips or more are needed to calibrate what is unknown: until then every sound gets a "
          + "class."),
      make("h2", {}, "Keep it"),
      make("div", { class: "row" }, make("label", { for: "model-name" }, "Name "), name, save),
      make("p", { class: "quiet small" }, "The ZIP holds the model's folder, which zoo predict and "
        + "zoo.edge open, and your clips in folders by class, from which zoo teach makes every format."));
  }

  // --- trying

  show(clip) {
    const { name, probabilities, condition } = this.taught.model.classify(clip);
    this.answer.textContent = probabilities ? name : `Not classified: ${condition}`;
    this.rows.forEach(({ bar, value }, k) => {
      bar.value = probabilities?.[k] ?? 0;
      value.textContent = probabilities ? probabilities[k].toFixed(2) : "–";
    });
    return probabilities;
  }

  async tryFile(file) {
    try {
      const { rateHz, channels } = await readSound(file);
      this.show(windowOf(mixAndResample(channels, rateHz, this.rateHz), 0, this.samples));
    } catch (error) {
      this.say(`${file.name}: ${error.message}`);
    }
  }

  async toggleListening() {
    if (this.listening) {
      this.stopListening();
      return;
    }
    this.listenButton.disabled = true;
    let recent = [];
    try {
      const microphone = await openMicrophone((channels) => { recent.push(channels); });
      const timer = setInterval(() => {
        if (!recent.length || !this.taught) return;
        const sound = recent[0].map((_, k) => join(recent.map((each) => each[k] ?? each[0])));
        const kept = Math.round((CLIP_S + 0.1) * microphone.rateHz);
        recent = [sound.map((each) => each.slice(-kept))];
        const heard = mixAndResample(recent[0], microphone.rateHz, this.rateHz);
        this.show(windowOf(heard, Math.max(0, heard.length - this.samples), this.samples));
      }, LISTEN_MS);
      this.listening = () => {
        clearInterval(timer);
        microphone.stop();
      };
      if (this.isClosed || !this.taught) this.stopListening();
      this.listenButton.textContent = "Stop";
      this.listenButton.setAttribute("aria-pressed", "true");
    } catch (error) {
      this.say(error.message);
    } finally {
      this.listenButton.disabled = false;
    }
  }

  stopListening() {
    this.listening?.();
    this.listening = null;
    if (!this.listenButton) return;
    this.listenButton.textContent = "Listen";
    this.listenButton.setAttribute("aria-pressed", "false");
  }

  // --- saving

  async save(name) {
    if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name)) {
      this.say("A name of letters, digits, - and _ is needed.");
      return;
    }
    saveFile(`${name}.zip`, await this.archive(name), "application/zip");
    this.say(`Saved. Unpack it, then: python -m zoo predict ${name} recording.wav`);
  }

  /** Bytes of the ZIP: the model's folder, and the clips. */
  async archive(name) {
    const model = await folderFiles({ ...this.taught, name },
      { name: BASE, manifest: this.manifest }, this.context.about.zoo);
    const clips = this.classes.flatMap((group) => group.clips.map(({ sound }, k) =>
      [`${name}-clips/${group.name}/${k + 1}.wav`, writeWav([sound], this.rateHz)]));
    return zip([...model.map(([file, bytes]) => [`${name}/${file}`, bytes]), ...clips]);
  }
}

/** Even numbers from -1 to 1, the same ones for the same seed. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/** A clip with noise of some colour at 10 to 30 dB signal-to-noise ratio. */
function withNoise(waveform, random) {
  const pole = 0.475 * (1 + random());
  let state = 0;
  const noise = Float32Array.from({ length: waveform.length }, () => {
    state = pole * state + (1 - pole) * random();
    return state;
  });
  const power = (x) => x.reduce((sum, value) => sum + value * value, 0) / x.length;
  const gain = Math.sqrt(power(waveform) / (power(noise) + 1e-20)) * 10 ** (-(20 + 10 * random()) / 20);
  return waveform.map((value, n) => value + gain * noise[n]);
}
