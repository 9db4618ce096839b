/** The mentor's side of a review: comments at moments, a rubric, words, and a verdict. */

import { ApiError, api } from "../livecommerce/api.js";
import { all, el, icon, one, show } from "../livecommerce/dom.js";
import { clockTime, duration } from "../livecommerce/format.js";
import { Draft, browserStorage, randomId } from "./draft.js";

const STATES = {
  kept: () => gettext("Kept on this device"),
  saving: () => gettext("Saving…"),
  saved: () => interpolate(gettext("Saved at %s"), [clockTime(new Date())]),
  away: () => gettext("No network. It is kept on this device, and saved once there is network."),
  refused: () => gettext("Not saved: see below. It is kept on this device."),
  over: () => gettext("Not saved any more. It is kept on this device."),
};

export class Writing {
  /** @type {string} */ #verdict = "";
  #isSending = false;

  /** @param {any} data of the page @param {import("./film.js").Film} film */
  constructor(data, film) {
    const path = `/api/v1/reviews/${data.id}`;
    this.film = film;
    this.longest = data.longest.comment;
    this.root = one("[data-writing]");
    this.list = one("[data-comments]");
    this.words = /** @type {HTMLTextAreaElement} */ (one("[data-words]"));
    this.dialog = /** @type {HTMLDialogElement} */ (one("[data-confirm]"));
    this.draft = new Draft(data.draft, {
      prefix: `review:${data.person}:${data.id}:`,
      ask: (method, body) => api(method, `${path}/${method === "POST" ? "send" : "draft"}`, body),
      onState: (state, error) => this.#say(state, error),
      onMerged: () => this.#merged(),
      storage: browserStorage(),
    });
    this.#listen();
    this.#draw();
  }

  /** A new comment at the second that is shown. */
  pin() {
    if (!this.film.video) return;
    this.film.pause();
    const comment = { id: randomId(), at_s: Math.round(this.film.second * 100) / 100, text: "" };
    this.draft.doc.comments.push(comment);
    this.draft.changed();
    this.#drawComments();
    one(`[data-comment="${comment.id}"] textarea`, this.list).focus();
  }

  /** @param {string} id */
  reveal(id) {
    const row = this.list.querySelector(`[data-comment="${id}"]`);
    row?.scrollIntoView({ block: "nearest" });
    row?.querySelector("textarea")?.focus({ preventScroll: true });
  }

  #listen() {
    for (const button of all("[data-pin]")) button.addEventListener("click", () => this.pin());
    this.words.addEventListener("input", () => {
      this.draft.doc.words = this.words.value;
      this.draft.changed();
    });
    for (const box of /** @type {HTMLInputElement[]} */ (all("[data-mark]", this.root))) {
      box.addEventListener("change", () => this.#marked(box));
    }
    for (const button of all("[data-verdict]")) button.addEventListener("click", () => this.#ask(button.dataset.verdict));
    one("[data-confirm-close]").addEventListener("click", () => this.dialog.close());
    one("[data-confirm-send]").addEventListener("click", () => this.#send());
    window.addEventListener("online", () => this.draft.now());
    document.addEventListener("visibilitychange", () => this.draft.now());
  }

  #marked(box) {
    this.draft.doc.marks[box.dataset.mark] = Number(box.value);
    this.draft.changed();
  }

  // ---- drawing

  #draw() {
    this.words.value = this.draft.doc.words;
    for (const box of /** @type {HTMLInputElement[]} */ (all("[data-mark]", this.root))) {
      box.checked = this.draft.doc.marks[box.dataset.mark] === Number(box.value);
    }
    this.#drawComments();
  }

  #drawComments() {
    const comments = this.draft.doc.comments.sort((a, b) => a.at_s - b.at_s);
    this.list.replaceChildren(...comments.map((comment) => this.#row(comment)));
    for (const field of /** @type {HTMLTextAreaElement[]} */ (all("textarea", this.list))) fit(field);
    show(one("[data-no-comments]"), comments.length === 0);
    this.film.mark(comments);
  }

  #row(comment) {
    const at = duration(comment.at_s);
    const id = `comment-${comment.id}`;
    const jump = el("button", { class: "said__time number", type: "button", title: gettext("Show this moment"), on: { click: () => this.film.seek(comment.at_s) } }, at);
    const field = /** @type {HTMLTextAreaElement} */ (
      el("textarea", { id, rows: 2, "aria-label": interpolate(gettext("Comment at %s"), [at]), "aria-describedby": `${id}-error`, on: { input: () => this.#typed(comment, field) } })
    );
    field.value = comment.text;
    const remove = el("button", { class: "button button--icon", type: "button", "aria-label": interpolate(gettext("Delete the comment at %s"), [at]), on: { click: () => this.#remove(comment) } }, icon("trash"));
    const error = el("p", { class: "field__error", id: `${id}-error`, role: "alert" });
    return el("li", { class: "said__one said__one--mine field", data: { comment: comment.id } }, el("div", { class: "said__row" }, jump, field, remove), error);
  }

  #typed(comment, field) {
    fit(field);
    comment.text = field.value;
    const over = field.value.length - this.longest;
    const error = one(".field__error", /** @type {HTMLElement} */ (field.closest("li")));
    error.textContent = over > 0 ? tooLong(over) : "";
    field.toggleAttribute("aria-invalid", over > 0);
    this.draft.changed();
    this.film.mark(this.draft.doc.comments);
  }

  #remove(comment) {
    this.draft.doc.comments = this.draft.doc.comments.filter((one) => one !== comment);
    this.draft.changed();
    this.#drawComments();
    all("[data-pin]")[0]?.focus();
  }

  // ---- what the server says

  #merged() {
    this.#draw();
    this.#warn(gettext("You have also written this review on another page or phone. Both are here now: please look through it."));
  }

  #say(state, error) {
    one("[data-save-state]").textContent = STATES[state]();
    if (state === "refused") this.#refused(error);
    if (state === "over") this.#over(error);
  }

  #refused(error) {
    for (const { field, message } of error.errors ?? []) {
      const id = field.startsWith("comments.") ? field.slice("comments.".length) : "";
      const place = id ? this.list.querySelector(`[data-comment="${id}"] .field__error`) : one("[data-words-error]");
      if (place) place.textContent = message;
    }
    if (!error.errors?.length) this.#warn(error.message);
  }

  /** Somebody else has it, or it was sent: what is written stays to be copied. */
  #over(error) {
    this.#warn(`${error.message} ${gettext("What you wrote stays on this device: copy it if you need it, then open the page anew.")}`);
    for (const button of /** @type {HTMLButtonElement[]} */ (all("[data-verdict], [data-pin]"))) button.disabled = true;
  }

  #warn(text) {
    const place = one("[data-trouble]");
    place.textContent = text;
    show(place, true);
    place.scrollIntoView({ block: "nearest" });
  }

  // ---- the verdict

  #ask(verdict) {
    this.#verdict = verdict;
    const said = this.draft.doc.comments.filter(({ text }) => text.trim()).length;
    const comments = interpolate(ngettext("%s comment", "%s comments", said), [said]);
    const isAccepted = verdict === "accepted";
    one("[data-confirm-title]").textContent = isAccepted ? gettext("Accept this practice?") : gettext("Ask for another try?");
    const text = this.#hasWords() ? gettext("The trainee is told at once, and reads your words and %s. It cannot be changed afterwards.") : gettext("The trainee is told at once, and reads %s. It cannot be changed afterwards.");
    one("[data-confirm-text]").textContent = interpolate(text, [comments]);
    const lacks = this.#lacks();
    one("[data-confirm-lacks]").textContent = lacks.join(" ");
    show(one("[data-confirm-lacks]"), lacks.length > 0);
    show(one("[data-confirm-error]"), false);
    this.dialog.showModal();
    one(lacks.length ? "[data-confirm-close]" : "[data-confirm-send]").focus();
  }

  #hasWords() {
    return Boolean(this.draft.doc.words.trim());
  }

  /** @returns {string[]} what a mentor may have forgotten, and may also leave out */
  #lacks() {
    const rows = new Set(all("[data-mark]", this.root).map((box) => box.dataset.mark));
    const unmarked = [...rows].filter((row) => this.draft.doc.marks[row] === undefined).length;
    const lacks = this.#hasWords() ? [] : [gettext("You have not written any words to the trainee.")];
    if (unmarked) lacks.push(interpolate(ngettext("%s point is not marked.", "%s points are not marked.", unmarked), [unmarked]));
    return lacks;
  }

  async #send() {
    if (this.#isSending) return;
    this.#isSending = true;
    const button = /** @type {HTMLButtonElement} */ (one("[data-confirm-send]"));
    button.setAttribute("aria-busy", "true");
    try {
      await this.draft.finish(this.#verdict);
      location.reload();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#isSending = false;
      button.removeAttribute("aria-busy");
      const place = one("[data-confirm-error]");
      place.textContent = error.code === "network" ? gettext("No network: nothing was sent. What you wrote is kept. Try again in a moment.") : (error.errors?.[0]?.message ?? error.message);
      show(place, true);
    }
  }
}

/** @param {number} over */
function tooLong(over) {
  return interpolate(ngettext("%s character too many: shorten it, or say it in two comments.", "%s characters too many: shorten it, or say it in two comments.", over), [over]);
}

/** As high as what is in it. @param {HTMLTextAreaElement} field */
function fit(field) {
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight + 2}px`;
}
