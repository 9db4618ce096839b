// The camera and the microphone: opening them, changing them, and what to say when they refuse.

const PICTURE = { width: { ideal: 960 }, height: { ideal: 540 }, frameRate: { ideal: 24, max: 30 } };
const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** What is wrong in words that a person can act on. */
export function explain(error) {
  if (!window.isSecureContext) {
    return gettext(
      "The camera only works on a secure page. Open this page with an address that begins with https://, or on the computer itself with http://localhost.",
    );
  }
  switch (error?.name) {
    case "NotAllowedError":
      return gettext(
        "This page may not use your camera yet. Tap the sign left of the address, allow camera and microphone, then tap “Try again”.",
      );
    case "NotFoundError":
    case "OverconstrainedError":
      return gettext("No camera or no microphone was found. Plug one in, then tap “Try again”.");
    case "NotReadableError":
    case "AbortError":
      return gettext("Another app is using the camera. Close that app, then tap “Try again”.");
    default:
      return gettext("This browser cannot use the camera. Try Chrome, Edge, Firefox or Safari.");
  }
}

/** One open camera with its microphone; `open()` replaces what was open before. */
export class Camera {
  stream = null;
  // The camera on the screen's side: a host reads the chat while filming.
  #choice = { facing: "user", cameraId: "", microphoneId: "" };

  /** Open what is chosen; `choice` changes parts of the choice. Rejects as getUserMedia does. */
  async open(choice = {}) {
    this.#choice = { ...this.#choice, ...choice };
    if (!navigator.mediaDevices) throw new Error("no media devices here");
    // Many phones cannot open the second camera while the first is in use.
    this.close();
    this.stream = await navigator.mediaDevices.getUserMedia(this.#constraints());
    return this.stream;
  }

  flip() {
    const facing = this.#choice.facing === "user" ? "environment" : "user";
    return this.open({ facing, cameraId: "" });
  }

  close() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
  }

  get isFacingHost() {
    return this.#settings("video").facingMode === "user";
  }

  get cameraId() {
    return this.#settings("video").deviceId ?? "";
  }

  get microphoneId() {
    return this.#settings("audio").deviceId ?? "";
  }

  /** What can be chosen: `{cameras, microphones}`. Names are known once a camera is open. */
  async devices() {
    const all = await navigator.mediaDevices.enumerateDevices();
    return {
      cameras: all.filter(({ kind }) => kind === "videoinput"),
      microphones: all.filter(({ kind }) => kind === "audioinput"),
    };
  }

  #settings(kind) {
    const track = this.stream?.getTracks().find((one) => one.kind === kind);
    return track?.getSettings() ?? {};
  }

  #constraints() {
    const { facing, cameraId, microphoneId } = this.#choice;
    const which = cameraId ? { deviceId: { exact: cameraId } } : { facingMode: facing };
    const voice = microphoneId ? { deviceId: { exact: microphoneId } } : {};
    return { video: { ...PICTURE, ...which }, audio: { ...SOUND, ...voice } };
  }
}

/** Shows how loud `stream` is in a `<meter>` from 0 to 1, ten times a second; returns a stop. */
export function watchLevel(stream, meter) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    meter.value = loudness(samples);
  }, 100);
  // Browsers keep sound work asleep until the first touch.
  const wake = () => context.resume();
  addEventListener("pointerdown", wake, { once: true });
  return () => {
    clearInterval(timer);
    removeEventListener("pointerdown", wake);
    context.close();
  };
}

// -60 dB (silence) to 0 dB (as loud as it gets) on a line from 0 to 1.
function loudness(samples) {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  return Math.max(0, Math.min(1, 1 + (10 * Math.log10(power + 1e-9)) / 60));
}
