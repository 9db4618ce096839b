// The words that a seller keeps out of the chat of all shows.

import { api } from "../livecommerce/api.js";
import { el, icon, one, show } from "../livecommerce/dom.js";

export class WordsDialog {
  #dialog = one("#words-dialog");
  #error = one("#words-error");
  #path;
  #words = [];

  constructor(showId) {
    this.#path = `/api/v1/shows/${showId}/blocked-words`;
    one("#words-open").addEventListener("click", () => this.#open());
    one("#words-close").addEventListener("click", () => this.#dialog.close());
    one("#words-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#add();
    });
  }

  async #open() {
    this.#dialog.showModal();
    await this.#do(async () => (this.#words = await api("GET", this.#path)));
  }

  #add() {
    const input = one("#word");
    const word = input.value.trim();
    if (!word) return;
    this.#do(async () => {
      const blocked = await api("POST", this.#path, { word });
      this.#words = [...this.#words.filter(({ id }) => id !== blocked.id), blocked];
      input.value = "";
    });
  }

  #remove(blocked) {
    this.#do(async () => (this.#words = await api("DELETE", `${this.#path}/${blocked.id}`)));
  }

  async #do(work) {
    this.#error.textContent = "";
    try {
      await work();
    } catch (error) {
      this.#error.textContent = error.message;
    }
    this.#draw();
  }

  #draw() {
    one("#words").replaceChildren(...this.#words.map((word) => this.#row(word)));
    show(one("#words-empty"), this.#words.length === 0);
  }

  #row(blocked) {
    const label = interpolate(gettext("Allow “%s” again"), [blocked.word]);
    const attributes = { type: "button", class: "button button--icon", "aria-label": label, title: label };
    const button = el("button", { ...attributes, on: { click: () => this.#remove(blocked) } }, icon("close"));
    return el("li", { class: "word" }, el("span", {}, blocked.word), button);
  }
}
