/** Saying something: the draft survives signing in, a lost connection and a refusal. */

import { all, el, one, show } from "../livecommerce/dom.js";
import { recall, remember } from "../livecommerce/store.js";

export class Composer {
  /** @type {Map<string, () => void>} taken away when the room shows the text */ #sending = new Map();
  /** @type {{text: string, key: string}|null} perhaps said already: its answer was lost */ #doubtful = null;

  /**
   * @param {import("./room-client.js").RoomClient} client
   * @param {import("./room-state.js").RoomState} state
   * @param {import("./room-chat.js").ChatLog} chat
   * @param {{show_id: string, login_url: string}} data
   */
  constructor(client, state, chat, data) {
    Object.assign(this, { client, state, chat, data });
    this.input = /** @type {HTMLInputElement} */ (one("#say"));
    this.draftName = `livecommerce.draft.${data.show_id}`;
    this.input.value = recall(this.draftName) ?? this.input.value;
    this.input.addEventListener("input", () => this.#keepDraft());
    one("#composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.refresh();
  }

  /** One may have been muted, or signed in; the show may be over. */
  refresh() {
    const { muted } = this.state.you;
    const isOver = this.state.show.state === "ended";
    show(one("#composer"), !isOver);
    show(one("#composer-closed"), isOver);
    show(one("#like"), !isOver);
    this.input.disabled = muted;
    for (const button of all("button", one("#composer"))) button.disabled = muted;
    if (muted) this.input.placeholder = gettext("You cannot chat in this show");
  }

  /** The room shows a message: if it is ours, it is on its way no longer. @param {any} event */
  heard({ data }) {
    if (data.user_id === this.state.you.id) this.#arrived(data.text);
  }

  async #submit() {
    const text = this.input.value.trim();
    if (!text) return;
    if (!this.state.you.signed_in) return this.#askToSignIn();
    this.#tell("");
    this.input.value = "";
    this.#sending.get(text)?.();
    this.#sending.set(text, this.chat.addSending(this.state.you.name, text));
    const key = this.#doubtful?.text === text ? this.#doubtful.key : crypto.randomUUID();
    this.#doubtful = null;
    try {
      await this.client.send("chat.send", { text, key }, { keep: true });
      this.#keepDraft();
    } catch (error) {
      this.#doubtful = { text, key };
      this.#arrived(text);
      this.#tell(error.message);
      this.input.value ||= text;
      this.#keepDraft();
    }
  }

  #arrived(text) {
    this.#sending.get(text)?.();
    this.#sending.delete(text);
  }

  #keepDraft() {
    remember(this.draftName, this.input.value);
  }

  #askToSignIn() {
    this.#keepDraft();
    const link = el("a", { href: this.data.login_url }, gettext("Sign in"));
    this.#tell(gettext("to chat. Your message is kept."), link, " ");
  }

  #tell(text, ...before) {
    one("#say-error").replaceChildren(...before, text);
  }
}
