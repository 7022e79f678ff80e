// The two ends of a telephone in the audio thread: what the microphone hears goes out in 20 ms pieces of 16-bit PCM,
// what comes in is played from a small buffer that evens out its way. Both at the context's own rate: the server
// resamples.
"use strict";

class Mouth extends AudioWorkletProcessor {
  constructor() {
    super();
    this.piece = new Int16Array(Math.round(sampleRate / 50));
    this.filled = 0;
    this.muted = false;
    this.port.onmessage = (message) => { this.muted = message.data.muted; };
  }

  process(inputs) {
    const heard = inputs[0][0];
    if (!heard) return true;
    for (const sample of heard) {
      const value = this.muted ? 0 : Math.max(-1, Math.min(1, sample));
      this.piece[this.filled++] = Math.round(value * 32767);
      if (this.filled === this.piece.length) {
        this.port.postMessage(this.piece.buffer, [this.piece.buffer]);
        this.piece = new Int16Array(Math.round(sampleRate / 50));
        this.filled = 0;
      }
    }
    return true;
  }
}

class Ear extends AudioWorkletProcessor {
  constructor() {
    super();
    this.first = Math.round(sampleRate * 0.06); // so much is in hand before it begins, and again after a gap
    this.most = Math.round(sampleRate * 0.3); // more is late: it is cut down to what is needed
    this.pieces = [];
    this.held = 0;
    this.at = 0;
    this.playing = false;
    this.port.onmessage = (message) => {
      if (message.data === "flush") this.flush();
      else this.add(new Int16Array(message.data));
    };
  }

  add(piece) {
    this.pieces.push(piece);
    this.held += piece.length;
    while (this.held > this.most) this.drop(Math.min(this.held - this.first, this.pieces[0].length - this.at));
  }

  drop(many) {
    this.at += many;
    this.held -= many;
    if (this.at >= this.pieces[0].length) { this.pieces.shift(); this.at = 0; }
  }

  flush() {
    this.pieces = [];
    this.held = this.at = 0;
    this.playing = false;
  }

  process(inputs, outputs) {
    const out = outputs[0][0];
    this.playing = this.held > 0 && (this.playing || this.held >= this.first);
    let at = 0;
    while (this.playing && at < out.length && this.held > 0) {
      const many = Math.min(out.length - at, this.pieces[0].length - this.at);
      for (let i = 0; i < many; i++) out[at + i] = this.pieces[0][this.at + i] / 32768;
      this.drop(many);
      at += many;
    }
    return true;
  }
}

registerProcessor("mouth", Mouth);
registerProcessor("ear", Ear);
