/** Saying something: the draft survives signing in, a lost connection and a refusal. */

import { all, el, one, show } from "../livecommerce/dom.js";
import { clockTime, dayAndTime } from "../livecommerce/format.js";
import { recall, remember } from "../livecommerce/store.js";
import { Wait } from "./room-care.js";

/** Browsers count no further in one timer (24 days). */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const DAY_MS = 86_400_000;

export class Composer {
  /** @type {Map<string, () => void>} taken away when the room shows the text */ #sending = new Map();
  /** @type {{text: string, key: string}|null} perhaps said already: its answer was lost */ #doubtful;
  #muteTimer = 0;

  /**
   * @param {import("./room-client.js").RoomClient} client
   * @param {import("./room-state.js").RoomState} state
   * @param {import("./room-chat.js").ChatLog} chat
   * @param {{show_id: string, login_url: string}} data
   */
  constructor(client, state, chat, data) {
    Object.assign(this, { client, state, chat, data });
    this.wait = new Wait((text) => this.#tell(text));
    this.input = /** @type {HTMLInputElement} */ (one("#say"));
    this.draftName = `livecommerce.draft.${data.show_id}`;
    this.input.value = recall(this.draftName) ?? this.input.value;
    this.doubtName = `livecommerce.said.${data.show_id}`;
    this.#doubtful = recall(this.doubtName);
    this.input.addEventListener("input", () => this.#keepDraft());
    one("#composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.refresh();
  }

  /** One may have been muted, or signed in; the show may be over. */
  refresh() {
    const isOver = this.state.show.state === "ended";
    show(one("#composer"), !isOver);
    show(one("#composer-closed"), isOver);
    // What an operator has ended may sell nothing any more.
    if (this.state.show.stopped) one("#composer-closed").textContent = gettext("The show is over.");
    show(one("#like"), !isOver);
    this.#refreshMute(this.state.you, isOver);
    this.placeholder ??= this.input.placeholder;
    this.input.placeholder = this.#hint();
    if (this.slowModeS && !this.state.slowModeS) this.wait.stop();
    this.slowModeS = this.state.slowModeS;
  }

  /** One cannot come back into this room. */
  close() {
    this.wait.stop();
    clearTimeout(this.#muteTimer);
    show(one("#composer"), false);
    show(one("#like"), false);
  }

  /** The room shows a message: if it is ours, it is on its way no longer. @param {any} event */
  heard({ data }) {
    if (data.user_id === this.state.you.id) this.#arrived(data.text);
  }

  async #submit() {
    const text = this.input.value.trim();
    if (!text) return;
    if (!this.state.you.signed_in) return this.#askToSignIn();
    if (this.wait.leftS) return this.wait.remind();
    this.#tell("");
    this.input.value = "";
    this.#sending.get(text)?.();
    this.#sending.set(text, this.chat.addSending(this.state.you.name, text));
    const key = this.#doubtful?.text === text ? this.#doubtful.key : crypto.randomUUID();
    this.#doubt({ text, key }); // the page may be reloaded before the answer
    try {
      const { seq } = await this.client.send("chat.send", { text, key }, { keep: true });
      if (this.state.chat.some((line) => line.seq === seq)) this.#arrived(text); // it had been said before
      if (this.#doubtful?.key === key) this.#doubt(null);
      this.#keepDraft();
      if (this.slowModeS && this.state.you.role === "viewer") this.wait.start(this.slowModeS);
    } catch (error) {
      this.#doubt({ text, key });
      this.#arrived(text);
      this.input.value ||= text;
      this.#keepDraft();
      if (error.retryAfter) this.wait.start(error.retryAfter, error.message);
      else this.#tell(error.message);
      if (error.code === "muted") this.#muted(error.details.until);
    }
  }

  /** Said beside the box, which may have a draft in it: that is kept until one may write again. */
  #refreshMute({ muted, muted_until: until }, isOver) {
    clearTimeout(this.#muteTimer);
    const leftMs = until ? new Date(until).getTime() - Date.now() : Infinity;
    const isMuted = muted && leftMs > 0;
    if (isMuted && until) this.#muteTimer = setTimeout(() => this.refresh(), Math.min(leftMs, LONGEST_TIMER_MS));
    const text = isMuted ? mutedText(until, leftMs) : "";
    const line = one("#say-muted");
    if (line.textContent !== text) line.textContent = text; // not read out again for nothing
    show(line, isMuted && !isOver);
    if (isMuted) this.#tell("");
    this.input.disabled = isMuted;
    for (const button of all("button", one("#composer"))) button.disabled = isMuted;
  }

  #hint() {
    const every = this.state.slowModeS;
    const slow = ngettext("One message every %s second", "One message every %s seconds", every);
    return every ? interpolate(slow, [every]) : this.placeholder;
  }

  /** The room refused, perhaps before it told that we are muted. */
  #muted(until) {
    this.state.you = { ...this.state.you, muted: true, muted_until: until ?? null };
    this.refresh();
  }

  #arrived(text) {
    this.#sending.get(text)?.();
    this.#sending.delete(text);
  }

  /** Said again, also after a reload, it is the same message. */
  #doubt(message) {
    this.#doubtful = message;
    remember(this.doubtName, message);
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

function mutedText(until, leftMs) {
  if (!until) return gettext("You cannot write in this show.");
  const time = leftMs < DAY_MS ? clockTime(until) : dayAndTime(until);
  return interpolate(gettext("You cannot write until %s."), [time]);
}
