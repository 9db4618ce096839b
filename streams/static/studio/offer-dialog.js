// The terms of one offer, changed while the camera runs: the form of its page, in a dialog.

import { csrfToken } from "../livecommerce/api.js";
import { one } from "../livecommerce/dom.js";
import { showHostsTime } from "./offer-times.js";

export class OfferDialog {
  #dialog = /** @type {HTMLDialogElement} */ (one("#offer-dialog"));
  #body = one("#offer-dialog-body");
  #error = one("#offer-dialog-error");
  #showId;
  #path = "";

  constructor(showId) {
    this.#showId = showId;
    one("#offer-dialog-close").addEventListener("click", () => this.#dialog.close());
    this.#body.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save(/** @type {HTMLFormElement} */ (event.target));
    });
  }

  async open(offer) {
    this.#path = `/studio/shows/${this.#showId}/offers/${offer.variant_id}/?part=1`;
    one("#offer-dialog-title").textContent = offer.title;
    this.#body.replaceChildren();
    this.#dialog.showModal();
    await this.#ask("GET");
  }

  /** The change itself comes over the room's socket, as to everybody. */
  async #save(form) {
    for (const button of form.querySelectorAll("button")) button.disabled = true;
    const isSaved = await this.#ask("POST", new FormData(form));
    for (const button of form.querySelectorAll("button")) button.disabled = false;
    if (isSaved) this.#dialog.close();
  }

  /** @returns {Promise<boolean>} whether it was saved; else the form that came is shown */
  async #ask(method, body) {
    this.#error.textContent = "";
    try {
      const answer = await fetch(this.#path, { method, body, headers: { "X-CSRFToken": csrfToken() }, credentials: "same-origin" });
      if (answer.status === 204) return true;
      if (!answer.ok && answer.status !== 422) throw new Error(gettext("That did not work. Please try again."));
      this.#show(await answer.text());
    } catch (error) {
      this.#error.textContent = error instanceof TypeError ? gettext("No connection. Please try again in a moment.") : error.message;
    }
    return false;
  }

  /** The server's own form, escaped there. */
  #show(text) {
    const page = new DOMParser().parseFromString(text, "text/html");
    this.#body.replaceChildren(...[...page.body.childNodes].map((node) => document.importNode(node, true)));
    showHostsTime(this.#body);
  }
}
