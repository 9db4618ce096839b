/** The chat on the page: lines as they come, staying at the newest unless one reads back. */

import { el } from "../livecommerce/dom.js";

/** Lines in the page; older ones scroll out of reach on a phone anyway. */
const LINES_KEPT = 200;
/** Within this many pixels of the end, the reader is taken to be at the end. */
const AT_END_PX = 48;

export class ChatLog {
  /** @param {HTMLElement} list @param {HTMLElement} emptyText */
  constructor(list, emptyText) {
    this.list = list;
    this.emptyText = emptyText;
    this.toEnd();
  }

  /** Show these and nothing else. @param {any[]} events chat.message events */
  reset(events) {
    const sending = [...this.list.querySelectorAll(".chat__line--sending")];
    this.list.replaceChildren(...events.slice(-LINES_KEPT).map(line), ...sending);
    this.#changed(true);
  }

  /** @param {any} event a chat.message */
  add(event) {
    const follow = this.#atEnd();
    this.list.append(line(event));
    while (this.list.children.length > LINES_KEPT) this.list.firstElementChild.remove();
    this.#changed(follow);
  }

  /** @param {number} seq */
  remove(seq) {
    this.list.querySelector(`[data-seq="${seq}"]`)?.remove();
    this.#changed(this.#atEnd());
  }

  /**
   * A line of one's own that the room has not shown yet.
   *
   * @param {string} name @param {string} text
   * @returns {() => void} takes it away again
   */
  addSending(name, text) {
    const item = el("li", { class: "chat__line chat__line--sending" }, el("b", {}, name), " ", text);
    this.list.append(item);
    this.#changed(true);
    return () => {
      item.remove();
      this.#changed(false);
    };
  }

  toEnd() {
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

function line({ seq, data }) {
  const isHost = data.role !== "viewer";
  const className = isHost ? "chat__line chat__line--host" : "chat__line";
  const name = isHost ? interpolate(gettext("%s (host)"), [data.name]) : data.name;
  return el("li", { class: className, data: { seq } }, el("b", {}, name), " ", data.text);
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
