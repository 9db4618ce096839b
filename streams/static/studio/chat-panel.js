// The chat as the host sees it: every line can be taken away, every viewer kept quiet.

import { el, icon, one, show } from "../livecommerce/dom.js";

const MOST_LINES = 200;

export class ChatPanel {
  #lines = one("#chat-lines");
  #error = one("#chat-error");
  #form = one("#chat-form");
  #news = 0;
  #send;

  /** `send(command, data)` resolves when the room did it and rejects with an error to be read. */
  constructor(send) {
    this.#send = send;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#say();
    });
  }

  reset(messages) {
    this.#lines.replaceChildren();
    for (const message of messages) this.#append(message);
    this.#tidy(true);
  }

  add(message) {
    const wasAtEnd = this.#isAtEnd();
    this.#append(message);
    const isSeen = message.data.role !== "viewer" || one("#panel-chat").hasAttribute("data-active");
    if (!isSeen) this.#count(this.#news + 1);
    this.#tidy(wasAtEnd);
  }

  remove(seq) {
    const line = this.#lines.querySelector(`[data-seq="${Number(seq)}"]`);
    line?.replaceChildren(el("span", { class: "muted" }, gettext("Taken away")));
  }

  muted(userId) {
    for (const line of this.#lines.querySelectorAll(`[data-user="${CSS.escape(userId)}"]`)) {
      line.querySelector("[data-mute]")?.setAttribute("disabled", "");
    }
  }

  /** The host looks at the chat: nothing in it is news any more. */
  seen() {
    this.#count(0);
    this.#lines.scrollTop = this.#lines.scrollHeight;
  }

  #append({ seq, data }) {
    const isHost = data.role !== "viewer";
    const name = el("strong", { class: isHost ? "chat-line__host" : null }, data.name);
    const line = el(
      "li",
      { class: "chat-line", data: { seq, user: data.user_id } },
      el("span", { class: "chat-line__text" }, name, " ", data.text),
      this.#button("trash", interpolate(gettext("Take away what %s wrote"), [data.name]), () =>
        this.#do("chat.remove", { seq }),
      ),
      isHost ? null : this.#muteButton(data),
    );
    this.#lines.append(line);
  }

  #muteButton({ name, user_id: userId }) {
    const label = interpolate(gettext("Keep %s quiet in this show"), [name]);
    const button = this.#button("mute", label, () => this.#mute(userId));
    button.dataset.mute = "";
    return button;
  }

  async #mute(userId) {
    if (await this.#do("viewer.mute", { user_id: userId })) this.muted(userId);
  }

  #button(name, label, onClick) {
    const attributes = { type: "button", class: "button button--icon", "aria-label": label, title: label };
    return el("button", { ...attributes, on: { click: onClick } }, icon(name));
  }

  async #say() {
    const input = one("#chat-text");
    const text = input.value.trim();
    if (text && (await this.#do("chat.send", { text }))) input.value = "";
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
    const { scrollTop, scrollHeight, clientHeight } = this.#lines;
    return scrollHeight - scrollTop - clientHeight < 60;
  }

  #tidy(toEnd) {
    while (this.#lines.childElementCount > MOST_LINES) this.#lines.firstElementChild.remove();
    show(one("#chat-empty"), this.#lines.childElementCount === 0);
    if (toEnd) this.#lines.scrollTop = this.#lines.scrollHeight;
  }

  #count(news) {
    this.#news = news;
    const badge = one("#chat-news");
    badge.textContent = String(news);
    show(badge, news > 0);
  }
}
