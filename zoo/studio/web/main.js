// The app: rooms by the address's fragment, theme, and what all rooms share.

import { make } from "./dom.js";
import { readFile, saveFile } from "./files.js";
import { startRuntime } from "./runtime.js";
import { open as openMaterial } from "./rooms/material.js";
import { open as openSound } from "./rooms/sound.js";
import { open as openTeach } from "./rooms/teach.js";
import { open as openModels } from "./rooms/models.js";

const ROOMS = {
  material: { title: "Material", open: openMaterial },
  sound: { title: "Sound", open: openSound },
  teach: { title: "Teach", open: openTeach },
  models: { title: "Models", open: openModels },
};
const THEMES = ["system", "light", "dark"];

/**
 * What a room gets: `models` (name, manifest, files: the first is the one to open), `model(name)`,
 * `runtime()`, `openModel(name)` -> the opened TFLite file, kept for all rooms, and `about`.
 * A room's open(element, context) returns a function that closes it, or nothing.
 */
class Context {
  constructor(about) {
    this.about = about;
    this.models = about.models;
    this.opened = new Map();
  }

  model(name) {
    return this.models.find((each) => each.name === name);
  }

  runtime() {
    this.started ??= startRuntime();
    return this.started;
  }

  openModel(name) {
    if (!this.opened.has(name)) this.opened.set(name, this.load(name));
    return this.opened.get(name);
  }

  async load(name) {
    const file = this.model(name).files[0];
    const [runtime, bytes] = await Promise.all([
      this.runtime(), readFile(`models/${name}/${file}`)]);
    return runtime.open(bytes);
  }
}

let close = null;
let openings = 0; // a room that opens late must not replace one that was chosen after it

async function showRoom(context) {
  const name = location.hash.slice(1) in ROOMS ? location.hash.slice(1) : "material";
  const main = document.getElementById("main");
  const opening = ++openings;
  close?.();
  close = null;
  for (const link of document.querySelectorAll("#rooms a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${ROOMS[name].title} – Signals with memory`;
  const element = make("div", { "data-room": name });
  main.replaceChildren(element);
  try {
    const closing = await ROOMS[name].open(element, context);
    if (opening === openings) close = closing ?? null;
    else closing?.();
    element.dataset.ready = "true";
  } catch (error) {
    element.append(make("p", { class: "warn", role: "alert" }, `${error.message ?? error}`));
    console.error(error);
  }
}

function startTheme() {
  const button = document.getElementById("theme");
  let theme = stored("theme") ?? "system";
  const apply = () => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.textContent = `Theme: ${theme}`;
    dispatchEvent(new Event("themechange"));
  };
  button.addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    store("theme", theme);
    apply();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
  apply();
}

// A page from file:// may have no storage.
function stored(key) {
  try { return localStorage.getItem(key); } catch { return null; }
}

function store(key, value) {
  try { localStorage.setItem(key, value); } catch { /* the choice holds until the page is closed */ }
}

function licence() {
  const save = async (event) => {
    event.preventDefault();
    saveFile("LICENSE.txt", await readFile("LICENSE.txt"), "text/plain");
  };
  return make("a", { href: "LICENSE.txt", onclick: save }, "Apache-2.0");
}

async function start() {
  startTheme();
  const about = JSON.parse(new TextDecoder().decode(await readFile("models/index.json")));
  const context = new Context(about);
  globalThis.studio = context; // for the console, and for tests
  document.getElementById("rooms").append(...Object.entries(ROOMS).map(([name, { title }]) =>
    make("li", {}, make("a", { href: `#${name}` }, title))));
  document.getElementById("about").append(
    `zoo ${about.zoo}, LiteRT.js ${about.litert} (`, licence(), "). Everything is computed on this "
    + "device; no sound and no data leave the page.");
  addEventListener("hashchange", () => {
    showRoom(context);
    document.getElementById("main").focus({ preventScroll: true });
  });
  await showRoom(context);
}

start().catch((error) => {
  document.getElementById("main").append(
    make("p", { class: "warn", role: "alert" }, `The page cannot start: ${error.message}`));
  console.error(error);
});
