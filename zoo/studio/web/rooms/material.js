// The material room: a loading path, and what each model answers to it.

import { make } from "../dom.js";
import { initialState, nextState } from "../runtime.js";

/** Open the room. */
export async function open(element, context) {
  element.append(make("h1", {}, "Material"));
  const model = await context.openModel("hysteresis-lstm");
  let state = initialState(model);
  const outputs = model.run({ x: [0.1, 1, 0.1], ...state });
  state = nextState(state, outputs);
  element.append(make("p", {}, `stress ${outputs.prediction[0]}`));
}
