import { make } from "../dom.js";

/** Open the room. */
export function open(element, context) {
  element.append(make("h1", {}, "Sound"));
}
