// Sound from the microphone and from files.

import { scriptAddress } from "../files.js";
import { readWav } from "./wav.js";

const OTHER_RATE_HZ = 48000; // at which the browser decodes what is no WAV

/** Sound of a file: { rateHz, channels, isExact: whether the samples are those of the file }. */
export async function readSound(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const wav = readWav(bytes);
  if (wav) return { ...wav, isExact: true };
  const context = new OfflineAudioContext(1, 1, OTHER_RATE_HZ);
  try {
    const buffer = await context.decodeAudioData(bytes.buffer);
    const channels = Array.from({ length: buffer.numberOfChannels }, (_, k) =>
      buffer.getChannelData(k));
    return { rateHz: buffer.sampleRate, channels, isExact: false };
  } catch {
    throw new Error(`${file.name}: not a sound that this browser decodes. Convert it to WAV.`);
  }
}

/**
 * Open the microphone as it is, without the browser's noise suppression and gain control.
 *
 * `onblock(channels, isGap)` takes each block; the result is { rateHz, stop }.
 */
export async function openMicrophone(onblock) {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new Error("This page may not use the microphone: open it from 127.0.0.1 or by https.");
  }
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: {
      echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
  } catch (error) {
    throw new Error(`The microphone cannot be opened: ${error.message}`);
  }
  const context = new AudioContext();
  const stop = () => {
    stream.getTracks().forEach((track) => track.stop());
    if (context.state !== "closed") context.close();
  };
  try {
    await context.audioWorklet.addModule(await scriptAddress("worklet.js"));
    const node = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0 });
    let next = null; // place of the sample that should come
    node.port.onmessage = ({ data: { channels, first } }) => {
      onblock(channels, next !== null && first !== next);
      next = first + channels[0].length;
    };
    context.createMediaStreamSource(stream).connect(node);
    await context.resume();
  } catch (error) {
    stop();
    throw error;
  }
  return { rateHz: context.sampleRate, stop };
}

/** Play samples from a time on: { stop, timeS() }; `onend` is called when it ends or is stopped. */
export function play(channels, rateHz, fromS, onend) {
  const context = new AudioContext();
  const buffer = context.createBuffer(channels.length, channels[0].length, rateHz);
  channels.forEach((each, k) => buffer.copyToChannel(each, k));
  const node = context.createBufferSource();
  node.buffer = buffer;
  node.connect(context.destination);
  const start = context.currentTime;
  node.onended = () => {
    if (context.state !== "closed") context.close();
    onend();
  };
  node.start(0, fromS);
  return { stop: () => node.stop(), timeS: () => fromS + context.currentTime - start };
}
