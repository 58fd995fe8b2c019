// In the audio thread: blocks of the microphone to the page, with the place of each in the stream.

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.parts = [];
    this.length = 0;
    this.first = 0;
  }

  process([input]) {
    if (!input.length) return true;
    if (!this.parts.length) this.first = currentFrame;
    this.parts.push(input.map((channel) => channel.slice()));
    this.length += input[0].length;
    if (this.length >= 1024) this.send();
    return true;
  }

  send() {
    const channels = this.parts[0].map((_, channel) => {
      const all = new Float32Array(this.length);
      let at = 0;
      for (const part of this.parts) {
        const block = part[channel] ?? part[0]; // a microphone may lose its second channel
        all.set(block, at);
        at += block.length;
      }
      return all;
    });
    const { first } = this;
    this.port.postMessage({ channels, first }, channels.map((each) => each.buffer));
    this.parts = [];
    this.length = 0;
  }
}

registerProcessor("capture", Capture);
