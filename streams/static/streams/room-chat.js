/** The chat on the page: lines as they come, staying at the newest unless one reads back. */

import { el } from "../livecommerce/dom.js";
import { badgeOf, noticeText, questionMark } from "./room-care.js";
import { wasBefore } from "./room-state.js";

/** Lines in the page; older ones scroll out of reach on a phone anyway. */
const LINES_KEPT = 200;
/** Within this many pixels of the end, the reader is taken to be at the end. */
const AT_END_PX = 48;

export class ChatLog {
  /** @param {HTMLElement} list @param {HTMLElement} emptyText */
  constructor(list, emptyText) {
    this.list = list;
    this.emptyText = emptyText;
    // What opens beside the chat makes it shorter: who read its end goes on reading its end.
    list.addEventListener("scroll", () => (this.following = this.#atEnd()), { passive: true });
    new ResizeObserver(() => this.following && this.toEnd()).observe(list);
    this.toEnd();
  }

  /**
   * Show these and nothing else.
   *
   * @param {any[]} events chat.message events
   * @param {Set<string>} [answered] ids of the questions among them that were answered
   */
  reset(events, answered = new Set()) {
    const sending = [...this.list.querySelectorAll(".chat__line--sending")];
    const lines = events.slice(-LINES_KEPT).map((event) => line(event, answered.has(event.id)));
    this.list.replaceChildren(...lines, ...sending);
    this.#changed(true);
  }

  /** @param {any} event a chat.message */
  add(event) {
    this.#append(line(event));
  }

  /** Something that everybody should read. @param {any} event a notice */
  addNotice({ data }) {
    this.#append(el("div", { class: "chat__line chat__line--notice" }, noticeText(data)));
  }

  /** So many lines were left out, because nobody could have read them. @param {number} count */
  addThinned(count) {
    const last = this.list.lastElementChild;
    const before = Number(last?.dataset.thinned ?? 0);
    if (before) last.remove();
    const all = before + count;
    const text = interpolate(ngettext("%s more message", "%s more messages", all), [all]);
    this.#append(el("div", { class: "chat__line chat__line--thinned", data: { thinned: all } }, text));
  }

  /** @param {{id?: string|null, seq?: number|null}} named the message that was taken away */
  remove(named) {
    this.#find(named)?.remove();
    this.#changed(this.#atEnd());
  }

  /**
   * Show a message at its place again; what lies further back than the page reaches stays away.
   *
   * @param {any} event the chat.message that it was @param {boolean} [isAnswered]
   */
  restore(event, isAnswered = false) {
    if (this.#find(event)) return;
    const lines = [...this.list.children].filter(({ dataset }) => dataset.at);
    const before = lines.filter(({ dataset }) => wasBefore(dataset, event)).pop();
    if (!before && lines.length >= LINES_KEPT) return;
    const follow = this.#atEnd();
    const item = line(event, isAnswered);
    if (before) before.after(item);
    else this.list.prepend(item);
    this.#changed(follow);
  }

  /** @param {{id?: string|null, seq?: number|null}} named a question @param {boolean} isAnswered */
  answered(named, isAnswered) {
    this.#find(named)?.querySelector(".chat__question")?.replaceWith(questionMark(isAnswered));
  }

  /** By its id; a seq may be another message's once the epoch has changed. */
  #find({ id, seq }) {
    const by = id ? `[data-id="${CSS.escape(id)}"]` : `[data-seq="${Number(seq)}"]`;
    return this.list.querySelector(by);
  }

  #append(item) {
    const follow = this.#atEnd();
    this.list.append(item);
    while (this.list.children.length > LINES_KEPT) this.list.firstElementChild.remove();
    this.#changed(follow);
  }

  /**
   * A line of one's own that the room has not shown yet.
   *
   * @param {string} name @param {string} text
   * @returns {() => void} takes it away again
   */
  addSending(name, text) {
    const item = el("div", { class: "chat__line chat__line--sending" }, el("b", {}, name), " ", text);
    this.list.append(item);
    this.#changed(true);
    return () => {
      item.remove();
      this.#changed(false);
    };
  }

  toEnd() {
    this.following = true;
    this.list.scrollTop = this.list.scrollHeight;
  }

  #atEnd() {
    return this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < AT_END_PX;
  }

  #changed(follow) {
    this.emptyText.hidden = this.list.children.length > 0 || !this.emptyText.textContent;
    if (follow) this.toEnd();
  }
}

function line({ seq, id, at, data }, answered = false) {
  const className = data.role === "viewer" ? "chat__line" : "chat__line chat__line--host";
  const about = [badgeOf(data), data.question ? questionMark(answered) : null];
  return el("div", { class: className, data: { seq, id: id ?? "", at } }, el("b", {}, data.name), ...about, " ", data.text);
}

/** Shows orders one after the other, each long enough to be read. */
export class Ticker {
  #waiting = [];
  #timer = 0;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
  }

  /** @param {{buyer: string, lines: {title: string, quantity: number}[]}} order */
  add(order) {
    this.#waiting.push(orderText(order));
    this.#waiting.splice(0, this.#waiting.length - 3);
    if (!this.#timer) this.#next();
  }

  #next = () => {
    const text = this.#waiting.shift();
    this.element.textContent = text ?? "";
    this.#timer = text ? setTimeout(this.#next, 3500) : 0;
  };
}

function orderText({ buyer, lines }) {
  const goods = lines.map((item) => `${item.quantity} × ${item.title}`).join(", ");
  return interpolate(gettext("%(buyer)s ordered %(goods)s"), { buyer, goods }, true);
}
