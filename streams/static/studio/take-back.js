// Taking the consent to a lesson back, after one question.

import { api } from "../livecommerce/api.js";
import { one } from "../livecommerce/dom.js";

export class TakeBack {
  #dialog = /** @type {HTMLDialogElement} */ (one("#take-back-dialog"));
  #clip = null;
  #onDone = null;

  constructor() {
    one("#take-back-yes").addEventListener("click", () => this.#take());
    for (const button of this.#dialog.querySelectorAll("[data-close]")) button.addEventListener("click", () => this.#dialog.close());
  }

  ask(clip, onDone) {
    [this.#clip, this.#onDone] = [clip, onDone];
    one("#take-back-error").textContent = "";
    this.#dialog.showModal();
  }

  async #take() {
    try {
      await api("DELETE", `/api/v1/clips/${this.#clip.id}/consent`);
      this.#dialog.close();
      await this.#onDone();
    } catch (error) {
      one("#take-back-error").textContent = error.message;
    }
  }
}
