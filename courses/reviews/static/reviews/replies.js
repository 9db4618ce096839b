/** Answers to a review; what is typed stays in the browser until the server has it. */

import { ApiError, api } from "../livecommerce/api.js";
import { all, el, one, show } from "../livecommerce/dom.js";
import { dayAndTime } from "../livecommerce/format.js";
import { browserStorage, randomId } from "./draft.js";

/** @param {any} data of the page */
export function openReplies(data) {
  for (const place of all("[data-reply]")) new Reply(place, data);
}

class Reply {
  #isSending = false;

  /** @param {HTMLElement} place @param {any} data */
  constructor(place, data) {
    this.place = place;
    this.path = `/api/v1/reviews/${data.id}/answers`;
    this.storage = browserStorage();
    this.key = `answer:${data.person}:${data.id}:${place.dataset.reply}`;
    this.field = /** @type {HTMLTextAreaElement} */ (one("textarea", place));
    const kept = JSON.parse(this.storage?.getItem(this.key) ?? "null");
    this.id = kept?.id ?? randomId();
    if (kept?.text) {
      this.field.value = kept.text;
      place.setAttribute("open", "");
    }
    this.field.addEventListener("input", () => this.#keep());
    one("[data-reply-form]", place).addEventListener("submit", (event) => this.#send(event));
  }

  #keep() {
    try {
      this.storage?.setItem(this.key, JSON.stringify({ id: this.id, text: this.field.value }));
    } catch {
      return; // full: it is in the field
    }
  }

  async #send(event) {
    event.preventDefault();
    if (this.#isSending) return;
    this.#isSending = true;
    const error = one("[data-reply-error]", this.place);
    error.textContent = "";
    try {
      const said = await api("POST", this.path, { id: this.id, text: this.field.value, comment_id: this.place.dataset.reply || null });
      this.#sent(said);
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      error.textContent = problem.code === "network" ? gettext("No network. Your answer is kept here: send it again in a moment.") : (problem.errors[0]?.message ?? problem.message);
    }
    this.#isSending = false;
  }

  #sent(said) {
    const list = /** @type {HTMLElement} */ (this.place.previousElementSibling);
    const time = el("span", { class: "small muted" }, dayAndTime(said.said_at));
    list.append(el("li", { data: { answer: said.id } }, el("strong", {}, said.author), " ", time, el("br"), el("span", { class: "said__text" }, said.text)));
    show(list, true);
    this.storage?.removeItem(this.key);
    this.id = randomId();
    this.field.value = "";
    this.place.removeAttribute("open");
  }
}
