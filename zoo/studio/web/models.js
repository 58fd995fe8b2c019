// Kinds of saved models, from their manifests.

/** Whether a model takes loading, its rate and the time step, and answers step by step. */
export function isHysteretic({ signatures }) {
  return signatures.step?.inputs.x?.shape.at(-1) === 3;
}
