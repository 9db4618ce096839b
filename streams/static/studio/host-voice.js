// In a practice: tells the room once a second whether its host was heard, for the simulated buyers.

const SAMPLE_MS = 100;
const TOLD_EVERY_MS = 1_000;
/** Of the meter (0 to 1: -60 dB to 0 dB); what a quiet room and a fan stay below. */
const HEARD_FROM = 0.35;
/** Of ten samples: a cough is none, a short word is. */
const SAMPLES_NEEDED = 2;

export class HostVoice {
  #send;
  #meter;
  #heard = 0;
  #timers = [];

  /**
   * @param {(command: string, data: object) => Promise<object>} send into the room
   * @param {HTMLMeterElement} meter how loud the microphone is
   */
  constructor(send, meter) {
    this.#send = send;
    this.#meter = meter;
  }

  start() {
    if (this.#timers.length > 0) return;
    this.#timers = [setInterval(() => this.#listen(), SAMPLE_MS), setInterval(() => this.#tell(), TOLD_EVERY_MS)];
  }

  stop() {
    this.#timers.forEach(clearInterval);
    this.#timers = [];
  }

  #listen() {
    if (this.#meter.value >= HEARD_FROM) this.#heard += 1;
  }

  #tell() {
    const isHeard = this.#heard >= SAMPLES_NEEDED;
    this.#heard = 0;
    // What is lost on the way is one second of many: nothing is said again.
    this.#send("host.voice", { is_heard: isHeard })?.catch?.(() => {});
  }
}
