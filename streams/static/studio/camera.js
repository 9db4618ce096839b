// The camera and the microphone: opening them, changing them, and what to say when they refuse.

const LONG = 960;
const SHORT = 540;
const FRAMES = { ideal: 24, max: 30 };
const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
// Errors of a camera that was chosen once and is not here any more.
const GONE = new Set(["NotFoundError", "OverconstrainedError"]);

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
      return gettext("No camera was found. Plug one in, then tap “Try again”.");
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
  /** Why there is none, as getUserMedia told. */
  error = null;
  // The camera on the screen's side: a host reads the chat while filming.
  #choice = { facing: "user", cameraId: "", microphoneId: "", shape: "" };

  /**
   * Open what is chosen; `choice` changes parts of the choice: `facing`, `cameraId`,
   * `microphoneId`, and `shape` ("upright", "wide", or "" for how the camera is held).
   * Rejects as getUserMedia does.
   */
  async open(choice = {}) {
    this.#choice = { ...this.#choice, ...choice };
    // Many phones cannot open the second camera while the first is in use.
    this.close();
    try {
      this.stream = await this.#opened();
      this.error = null;
    } catch (error) {
      this.error = error;
      throw error;
    }
    return this.stream;
  }

  /** The microphone alone, while there is no camera; rejects as getUserMedia does. */
  async openSound() {
    this.close();
    this.stream = await navigator.mediaDevices.getUserMedia({ audio: this.#constraints().audio });
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

  async #opened() {
    if (!navigator.mediaDevices) throw new Error("no media devices here");
    try {
      return await navigator.mediaDevices.getUserMedia(this.#constraints());
    } catch (error) {
      if (!GONE.has(error.name)) throw error;
    }
    // What was chosen is not plugged in: any other camera, and a show without sound rather than none.
    this.#choice = { ...this.#choice, cameraId: "", microphoneId: "" };
    const { microphones } = await this.devices();
    const constraints = this.#constraints();
    return navigator.mediaDevices.getUserMedia(
      microphones.length ? constraints : { video: constraints.video },
    );
  }

  #settings(kind) {
    const track = this.stream?.getTracks().find((one) => one.kind === kind);
    return track?.getSettings() ?? {};
  }

  #constraints() {
    const { facing, cameraId, microphoneId, shape } = this.#choice;
    const [width, height] = shape === "upright" ? [SHORT, LONG] : [LONG, SHORT];
    const size = { width: { ideal: width }, height: { ideal: height }, frameRate: FRAMES };
    const cut = shape ? { aspectRatio: { ideal: width / height } } : {};
    const which = cameraId ? { deviceId: { exact: cameraId } } : { facingMode: facing };
    const voice = microphoneId ? { deviceId: { exact: microphoneId } } : {};
    return { video: { ...size, ...cut, ...which }, audio: { ...SOUND, ...voice } };
  }
}
