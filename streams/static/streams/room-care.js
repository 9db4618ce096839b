/** What keeps order in the chat, as a viewer sees it: badges, the message on top, notices, waiting. */

import { el, icon, one, show } from "../livecommerce/dom.js";

/** @param {{role: string}} said @returns {HTMLElement|null} */
export function badgeOf({ role }) {
  if (role === "host") return el("span", { class: "chat__badge chat__badge--host" }, gettext("Host"));
  if (role === "moderator") return el("span", { class: "chat__badge" }, gettext("Team"));
  return null;
}

/** @param {boolean} answered @returns {HTMLElement} */
export function questionMark(answered) {
  const text = answered ? gettext("Answered") : gettext("Question");
  const mark = answered ? icon("check") : "?";
  const className = answered ? "chat__question chat__question--answered" : "chat__question";
  return el("span", { class: className, role: "img", "aria-label": text, title: text }, mark);
}

/** @type {Record<string, (params: any) => string>} the server's notices, in the reader's language */
const NOTICES = {
  slow_mode_on: ({ every_s }) =>
    interpolate(
      ngettext("Slow mode is on: one message every %s second.", "Slow mode is on: one message every %s seconds.", every_s),
      [every_s],
    ),
  slow_mode_off: () => gettext("Slow mode is off."),
};

/** @param {{text: string, code?: string, params?: any}} notice @returns {string} */
export function noticeText({ text, code = "", params = {} }) {
  return NOTICES[code]?.(params) ?? text;
}

/** The message on top of the chat, or none. @param {any|null} message */
export function showPinnedMessage(message) {
  const box = one("#chat-pinned");
  show(box, Boolean(message));
  if (!message) return;
  const head = [icon("pin"), el("b", {}, message.name), badgeOf(message)];
  box.replaceChildren(...head.filter(Boolean), " ", el("span", {}, message.text));
}

/** For how long one cannot write, counted down where one writes. */
export class Wait {
  #until = 0;
  #timer = 0;

  /** @param {(text: string) => void} tell shows a text, or nothing for "" */
  constructor(tell) {
    this.tell = tell;
  }

  /** @returns {number} whole seconds */
  get leftS() {
    return Math.max(0, Math.ceil((this.#until - Date.now()) / 1000));
  }

  /** @param {number} seconds @param {string} [why] shown before the seconds that are left */
  start(seconds, why = "") {
    this.why = why;
    this.#until = Date.now() + seconds * 1000;
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#count(), 250);
    this.#count();
  }

  stop() {
    clearInterval(this.#timer);
    if (this.#until) this.tell("");
    this.#until = 0;
  }

  /** Say again how long it takes, to somebody who tries. */
  remind() {
    this.#count();
  }

  #count() {
    const left = this.leftS;
    if (!left) return this.stop();
    const text = ngettext("You can write again in %s second.", "You can write again in %s seconds.", left);
    this.tell([this.why, interpolate(text, [left])].filter(Boolean).join(" "));
  }
}
