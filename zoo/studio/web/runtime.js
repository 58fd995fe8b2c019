// TFLite models by LiteRT's WebAssembly, called by its own bindings: inputs are written in place,
// and a step is one synchronous call.

import { isSinglePage, readFile } from "./files.js";

const ARRAYS = { 1: Float32Array, 2: Int32Array, 3: Uint8Array, 9: Int8Array };

/** Start LiteRT; the result opens models. Called once. */
export async function startRuntime() {
  const wasmBinary = await readFile("runtime/litert.wasm");
  if (!isSinglePage()) await loadScript("runtime/litert.js");
  const wasm = await globalThis.ModuleFactory({ wasmBinary, print() {}, printErr() {} });
  wasm.setupLogging();
  return new Runtime(wasm);
}

export class Runtime {
  constructor(wasm) {
    this.wasm = wasm;
    this.environment = wasm.LiteRtEnvironment.create(null);
  }

  /** A model from the bytes of its TFLite file. */
  async open(bytes) {
    const { wasm, environment } = this;
    const place = wasm._malloc(bytes.byteLength);
    wasm.HEAPU8.set(bytes, place);
    const model = wasm.loadModel(environment, place, bytes.byteLength);
    const options = {
      environment, accelerator: "wasm", cpuOptions: { numThreads: 1 }, gpuOptions: {},
      webNNOptions: {},
    };
    const compiled = await wasm.compileModel(environment, model, options);
    return new Model(this, model, compiled, place);
  }
}

/** An opened model: `inputs` and `outputs` name -> { shape, size }; `run` computes. */
export class Model {
  constructor(runtime, model, compiled, place) {
    Object.assign(this, { runtime, model, compiled, place });
    const signature = model.getSignature(0);
    this.inputs = this.describe(signature.inputNames(), (k) => model.getInputTensorType(0, k));
    this.outputs = this.describe(signature.outputNames(), (k) => model.getOutputTensorType(0, k));
    signature.delete();
    this.buffers = Object.values(this.inputs).map((each, k) => this.inputBuffer(each, k));
  }

  describe(names, typeOf) {
    const tensors = {};
    for (let k = 0; k < names.size(); k++) {
      const type = typeOf(k);
      const layout = type.layout();
      const dimensions = layout.dimensions();
      const shape = Array.from({ length: dimensions.size() }, (_, i) => dimensions.get(i));
      const kind = ARRAYS[type.elementType().value];
      if (!kind) throw new Error(`${names.get(k)}: a type of numbers that the page does not know.`);
      tensors[names.get(k)] = { shape, size: shape.reduce((a, b) => a * b, 1), kind };
      for (const each of [dimensions, layout, type]) each.delete();
    }
    names.delete();
    return tensors;
  }

  inputBuffer({ size, kind }, k) {
    const { wasm, environment } = this.runtime;
    const type = this.model.getInputTensorType(0, k);
    const memory = wasm.LiteRtTensorBufferType.HOST_MEMORY;
    const buffer = wasm.LiteRtTensorBuffer.createManaged(
      environment, memory, type, size * kind.BYTES_PER_ELEMENT);
    type.delete();
    return buffer;
  }

  /** Inputs by name, arrays of numbers -> outputs by name, arrays of the model's type. */
  run(values) {
    const { wasm } = this.runtime;
    const { WRITE, READ } = wasm.LiteRtTensorBufferLockMode;
    Object.entries(this.inputs).forEach(([name, { size, kind }], k) => {
      const value = values[name];
      if (!value || value.length !== size) {
        throw new Error(`${name}: expected ${size} numbers, got ${value ? value.length : "none"}.`);
      }
      const at = this.buffers[k].lock(WRITE);
      new kind(wasm.HEAPU8.buffer, at, size).set(value);
      this.buffers[k].unlock();
    });
    const made = this.compiled.run(0, this.buffers);
    const result = {};
    Object.entries(this.outputs).forEach(([name, { size, kind }], k) => {
      const at = made[k].lock(READ);
      result[name] = new kind(wasm.HEAPU8.buffer, at, size).slice();
      made[k].unlock();
      made[k].delete();
    });
    return result;
  }

  /** Free its memory. */
  close() {
    for (const each of [...this.buffers, this.compiled, this.model]) each.delete();
    this.runtime.wasm._free(this.place);
  }
}

/** States of zero: name of an input that has an output `name_next` -> array. */
export function initialState(model) {
  const names = Object.keys(model.inputs).filter((name) => `${name}_next` in model.outputs);
  return Object.fromEntries(names.map((name) => [name, new Float32Array(model.inputs[name].size)]));
}

/** The states that a step returned, as inputs of the next step. */
export function nextState(state, outputs) {
  return Object.fromEntries(Object.keys(state).map((name) => [name, outputs[`${name}_next`]]));
}

function loadScript(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${address} cannot be read.`));
    document.head.append(script);
  });
}
