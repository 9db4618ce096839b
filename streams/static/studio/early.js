// Asks once before a show goes live long before its time.

import { one } from "../livecommerce/dom.js";

const EARLY_MS = 10 * 60_000;

export class EarlyDialog {
  #dialog = one("#early-dialog");
  #startsAtMs;
  #isSettled = false;

  /** @param {number} startsInMs from now on, by the server's clock: this device's may be wrong */
  constructor(startsInMs) {
    this.#startsAtMs = performance.now() + startsInMs;
    // Before all others that listen: for them there was no tap until the host has said yes.
    one("#go-live").addEventListener("click", (event) => this.#ask(event), { capture: true });
    one("#early-no").addEventListener("click", () => this.#dialog.close());
    one("#early-yes").addEventListener("click", () => {
      this.settle();
      one("#go-live").click();
    });
  }

  /** The show is live, or is to be: nothing is asked any more. */
  settle() {
    this.#isSettled = true;
    this.#dialog.close();
  }

  #ask(event) {
    if (this.#isSettled || this.#startsAtMs - performance.now() < EARLY_MS) return;
    event.stopImmediatePropagation();
    this.#dialog.showModal();
  }
}
