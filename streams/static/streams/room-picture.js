/** The room's live picture, whose script comes after the room itself. Until then it only notes. */

export class RoomPicture {
  /** @type {import("./player-live.js").LivePlayer|null} */ #player = null;
  #isWanted = false;
  #isLoading = false;

  /** @param {ConstructorParameters<typeof import("./player-live.js").LivePlayer>} made with which arguments */
  constructor(...made) {
    this.made = made;
  }

  get isAway() {
    return this.#player?.isAway ?? false;
  }

  get isLate() {
    return this.#player?.isLate ?? false;
  }

  start() {
    this.#isWanted = true;
    this.#player?.start();
  }

  stop() {
    this.#isWanted = false;
    this.#player?.stop();
  }

  /** Fetch what plays it; once. */
  async load() {
    if (this.#isLoading) return;
    this.#isLoading = true;
    try {
      const { LivePlayer } = await import("./player-live.js");
      this.#player = new LivePlayer(...this.made);
      if (this.#isWanted) this.#player.start();
    } catch {
      this.#isLoading = false; // the line broke: the next hello tries again
    }
  }
}
