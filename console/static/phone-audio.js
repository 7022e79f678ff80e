// The sound of a telephone: microphone and earpiece, the bell, and the tones that exchanges and keys make.
const RING_S = [1, 4]; // of the bell and of the ringing tone: on, off
const BUSY_S = [0.35, 0.35];
const TONE_HZ = 450; // of exchanges in mainland China
const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477];
const CYCLES = 30;

export class Sound {
  constructor(onPiece, onLevel) {
    this.onPiece = onPiece;
    this.onLevel = onLevel;
    this.context = null;
    this.stream = null;
    this.stopTone = () => {};
  }

  // After a click: browsers make no sound before.
  async open() {
    this.context = new AudioContext({ latencyHint: "interactive" });
    await this.context.resume();
    await this.context.audioWorklet.addModule(new URL("phone-worklet.js", import.meta.url));
    this.ear = new AudioWorkletNode(this.context, "ear", { numberOfInputs: 0, outputChannelCount: [1] });
    this.ear.connect(this.context.destination);
  }

  get rate() { return this.context.sampleRate; }

  // Whether there is a microphone that may be used.
  async listen() {
    if (!navigator.mediaDevices) return false;
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: true, noiseSuppression: false, autoGainControl: true },
      });
    } catch {
      return false;
    }
    this.mouth = new AudioWorkletNode(this.context, "mouth", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    this.mouth.port.onmessage = (message) => {
      this.onLevel(loudest(new Int16Array(message.data)));
      this.onPiece(message.data);
    };
    this.context.createMediaStreamSource(this.stream).connect(this.mouth);
    return true;
  }

  mute(muted) { if (this.mouth) this.mouth.port.postMessage({ muted }); }

  play(piece) { this.ear.port.postMessage(piece, [piece]); }

  flush() { this.ear.port.postMessage("flush"); }

  async close() {
    this.quiet();
    if (this.stream) for (const track of this.stream.getTracks()) track.stop();
    this.stream = this.mouth = null;
    if (this.context) await this.context.close();
    this.context = null;
  }

  quiet() {
    this.stopTone();
    this.stopTone = () => {};
  }

  // A landline's electronic bell: two notes that change 12 times a second.
  bell() {
    const note = this.oscillator(1170, "square");
    const warble = this.oscillator(12, "square");
    const depth = new GainNode(this.context, { gain: 170 });
    warble.connect(depth).connect(note.frequency);
    this.cadence([note, warble], [note], RING_S, 0.05);
  }

  ringing() { this.exchange(RING_S); }

  engaged() { this.exchange(BUSY_S); }

  exchange(seconds) {
    const note = this.oscillator(TONE_HZ, "sine");
    this.cadence([note], [note], seconds, 0.1);
  }

  key(key) {
    if (!this.context) return;
    const at = "123456789*0#".indexOf(key);
    const pair = [ROWS[Math.floor(at / 3)], COLUMNS[at % 3]].map((hertz) => this.oscillator(hertz, "sine"));
    const gain = new GainNode(this.context, { gain: 0.06 });
    gain.connect(this.context.destination);
    for (const one of pair) { one.connect(gain); one.start(); one.stop(this.context.currentTime + 0.12); }
  }

  oscillator(frequency, type) { return new OscillatorNode(this.context, { frequency, type }); }

  cadence(all, heard, [on, off], loud) {
    this.quiet();
    const gain = new GainNode(this.context, { gain: 0 });
    gain.connect(this.context.destination);
    for (const one of heard) one.connect(gain);
    for (let i = 0, at = this.context.currentTime; i < CYCLES; i++, at += on + off) {
      gain.gain.setTargetAtTime(loud, at, 0.005);
      gain.gain.setTargetAtTime(0, at + on, 0.005);
    }
    for (const one of all) one.start();
    this.stopTone = () => { for (const one of all) one.stop(); gain.disconnect(); };
  }
}

function loudest(piece) {
  let most = 0;
  for (const sample of piece) most = Math.max(most, Math.abs(sample));
  return most / 32768;
}
