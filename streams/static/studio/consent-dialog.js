// Asking for the seller's consent at the moment when a clip becomes a lesson, and taking it back.

import { api } from "../livecommerce/api.js";
import { one, show } from "../livecommerce/dom.js";

export class ConsentDialog {
  #dialog = /** @type {HTMLDialogElement} */ (one("#consent-dialog"));
  #asked = null;
  #clip = null;
  #onAgreed = null;

  constructor() {
    one("#consent-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#agree();
    });
    for (const button of this.#dialog.querySelectorAll("[data-close]")) button.addEventListener("click", () => this.#dialog.close());
  }

  /** Show what there is to agree to; `onAgreed()` hears that it was agreed to. */
  async ask(clip, onAgreed) {
    [this.#clip, this.#onAgreed, this.#asked] = [clip, onAgreed, null];
    this.#say("");
    one("#consent-yes").disabled = true;
    one("#consent-box").checked = false;
    one("#consent-wording").textContent = gettext("Loading…");
    this.#dialog.showModal();
    try {
      this.#asked = await api("GET", `/api/v1/clips/${clip.id}/consent`);
      one("#consent-wording").textContent = this.#asked.wording;
      one("#consent-yes").disabled = !this.#asked.may_agree;
      show(one("#consent-others"), !this.#asked.may_agree);
    } catch (error) {
      this.#say(error.message);
    }
  }

  async #agree() {
    if (!this.#asked?.may_agree) return;
    if (!one("#consent-box").checked) return this.#say(gettext("Tick the box if you agree."));
    const { version, language } = this.#asked;
    try {
      await api("PUT", `/api/v1/clips/${this.#clip.id}/consent`, { version, language });
      this.#dialog.close();
      this.#onAgreed();
    } catch (error) {
      this.#say(error.message);
    }
  }

  #say(text) {
    one("#consent-error").textContent = text;
  }
}
