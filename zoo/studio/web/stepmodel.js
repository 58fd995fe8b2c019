// A step model of LiteRT as a simulation.

import { initialState, nextState } from "./runtime.js";
import { Simulation } from "./simulation.js";

/** Simulation of an opened step model. */
export function modelSimulation(model, keeps = true) {
  return new Simulation(
    () => initialState(model),
    (before, x) => {
      const outputs = model.run({ x, ...before });
      const { prediction, ...shown } = outputs;
      return { stress: prediction[0], state: nextState(before, outputs), outputs: shown };
    }, keeps);
}
