// The chat as its keepers see it: one button beside each line opens what can be done about it.

import { el, icon, one, show } from "../livecommerce/dom.js";
import { wasBefore } from "../streams/room-state.js";

const MOST_LINES = 300;
const AT_END_PX = 60;

/** What the room calls a message: by its id, where it has one; ids outlive a new epoch. */
export function nameOf({ id, seq }) {
  return id ? { id } : { seq };
}

export class ChatPanel {
  #list = one("#chat-lines");
  #error = one("#chat-error");
  #lines = new Map();
  #banned = new Set();
  #muted = new Set();
  #news = 0;
  #send;
  #onAct;

  /**
   * `send(command, data)` resolves when the room did it and rejects with an error to be read;
   * `onAct(event)` opens what can be done about a message.
   */
  constructor(send, onAct) {
    this.#send = send;
    this.#onAct = onAct;
    one("#chat-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#say();
    });
    one("#chat-unpin").addEventListener("click", () => this.#do("chat.unpin", {}));
    one("#chat-to-end").addEventListener("click", () => this.seen());
    this.#list.addEventListener("scroll", () => this.#isAtEnd() && show(one("#chat-to-end"), false));
  }

  reset(messages, pinned) {
    this.#list.replaceChildren();
    this.#lines.clear();
    for (const message of messages) this.#append(message);
    this.pinned(pinned ?? null);
    this.#tidy(true);
  }

  add(message) {
    if (message.id && this.#lines.has(message.id)) return;
    const wasAtEnd = this.#isAtEnd();
    this.#append(message);
    const isSeen = message.data.role !== "viewer" || one("#panel-chat").hasAttribute("data-active");
    if (!isSeen) this.#count(this.#news + 1);
    this.#tidy(wasAtEnd);
  }

  /** Grey, not gone: who keeps order sees what was taken away. */
  remove(removed) {
    const line = this.#line(removed);
    if (!line || line.classList.contains("chat-line--removed")) return;
    line.classList.add("chat-line--removed");
    line.querySelector("button").remove();
    line.append(el("span", { class: "badge chat-line__gone" }, gettext("taken away")));
  }

  /** As it was, at its place; also for who came after it had been taken away. */
  restore(message) {
    const grey = this.#line(message);
    if (grey && !grey.classList.contains("chat-line--removed")) return;
    const line = this.#draw(message);
    const before = [...this.#list.children].filter(({ dataset }) => wasBefore(dataset, message)).pop();
    if (grey) grey.replaceWith(line);
    else if (before) before.after(line);
    else this.#list.prepend(line);
    this.#lines.set(message.id ?? message.seq, line);
    this.answered(message, message.answered);
    show(one("#chat-empty"), false);
  }

  answered(event, isAnswered) {
    const badge = isAnswered ? answeredBadge() : questionBadge();
    this.#line(event)?.querySelector(".chat-line__asked")?.replaceWith(badge);
  }

  /** `muted` and `banned` are sets of user ids. */
  held({ muted, banned }) {
    [this.#muted, this.#banned] = [muted, banned];
    for (const line of this.#lines.values()) this.#drawHeld(line);
  }

  pinned(message) {
    show(one("#chat-pinned"), message !== null);
    one("#chat-pinned-text").textContent = message ? `${message.name}: ${message.text}` : "";
  }

  /** The host looks at the chat: nothing in it is news any more. */
  seen() {
    this.#count(0);
    this.#list.scrollTop = this.#list.scrollHeight;
    show(one("#chat-to-end"), false);
  }

  #line({ id, seq }) {
    return this.#lines.get(id) ?? this.#lines.get(seq);
  }

  #append(event) {
    const line = this.#draw(event);
    this.#lines.set(event.id ?? event.seq, line);
    this.#list.append(line);
  }

  #draw(event) {
    const { seq, at, data } = event;
    const line = el(
      "div",
      { class: "chat-line", data: { seq, at, user: data.user_id } },
      el("span", { class: "chat-line__text" }, ...words(event)),
      this.#button(event),
    );
    this.#drawHeld(line);
    return line;
  }

  #button(event) {
    const label = interpolate(gettext("What to do about what %s wrote"), [event.data.name]);
    const attributes = { type: "button", class: "button button--icon chat-line__act", "aria-label": label };
    return el("button", { ...attributes, on: { click: () => this.#onAct(event) } }, icon("more"));
  }

  #drawHeld(line) {
    const user = line.dataset.user;
    const word = this.#banned.has(user) ? gettext("sent away") : this.#muted.has(user) ? gettext("muted") : null;
    line.querySelector(".chat-line__held")?.remove();
    if (word) line.querySelector("strong").after(el("span", { class: "badge badge--warn chat-line__held" }, word));
  }

  async #say() {
    const input = one("#chat-text");
    const text = input.value.trim();
    if (!text) return;
    // One key for one intent: sent again after a lost answer it is still one message.
    input.dataset.key ||= crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
    if (await this.#do("chat.send", { text, key: input.dataset.key })) {
      input.value = "";
      delete input.dataset.key;
    }
  }

  async #do(command, data) {
    this.#error.textContent = "";
    try {
      await this.#send(command, data);
      return true;
    } catch (error) {
      this.#error.textContent = error.message;
      return false;
    }
  }

  #isAtEnd() {
    const { scrollTop, scrollHeight, clientHeight } = this.#list;
    return scrollHeight - scrollTop - clientHeight < AT_END_PX;
  }

  #tidy(toEnd) {
    while (this.#list.childElementCount > MOST_LINES) this.#forgetFirst();
    show(one("#chat-empty"), this.#list.childElementCount === 0);
    if (toEnd) this.#list.scrollTop = this.#list.scrollHeight;
    else show(one("#chat-to-end"), true);
  }

  #forgetFirst() {
    const line = this.#list.firstElementChild;
    for (const [key, known] of this.#lines) {
      if (known !== line) continue;
      this.#lines.delete(key);
      break; // as a rule the first: only what was brought back is out of order
    }
    line.remove();
  }

  #count(news) {
    this.#news = news;
    const badge = one("#chat-news");
    badge.textContent = news > 99 ? "99+" : String(news);
    show(badge, news > 0);
  }
}

/** Name, badge and text of a message, as nodes. */
export function words({ data }) {
  const isKeeper = data.role !== "viewer";
  const name = el("strong", { class: isKeeper ? "chat-line__host" : null }, data.name);
  return [name, " ", roleBadge(data.role), data.question ? questionBadge() : null, " ", data.text].filter(
    (part) => part !== null,
  );
}

function roleBadge(role) {
  const words = { host: gettext("host"), moderator: gettext("moderator") };
  return words[role] ? el("span", { class: "badge badge--ok chat-badge" }, words[role]) : null;
}

function questionBadge() {
  return el("span", { class: "badge chat-badge badge--question chat-line__asked" }, gettext("question"));
}

function answeredBadge() {
  return el("span", { class: "badge badge--ok chat-badge chat-line__asked" }, gettext("answered"));
}
