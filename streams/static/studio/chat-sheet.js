// What can be done about one message and its writer: a few large targets, each with its undoing.

import { all, el, icon, one, show } from "../livecommerce/dom.js";
import { wasBefore } from "../streams/room-state.js";
import { nameOf, words } from "./chat-panel.js";
import { toast } from "./toasts.js";

const MINUTE_S = 60;
const MOST_QUESTIONS = 500;
const MUTES = [
  { seconds: 10 * MINUTE_S, text: () => gettext("10 minutes") },
  { seconds: 60 * MINUTE_S, text: () => gettext("1 hour") },
  { seconds: null, text: () => gettext("The whole show") },
];

export class ChatSheet {
  #dialog = one("#chat-sheet");
  #error = one("#chat-sheet-error");
  #event = null;
  #send;
  #isHeld;

  /** `isHeld(userId)` is `{muted, banned}`; `send` as in ChatPanel. */
  constructor(send, isHeld) {
    this.#send = send;
    this.#isHeld = isHeld;
    one("#chat-sheet-close").addEventListener("click", () => this.#dialog.close());
    one("#sheet-pin").addEventListener("click", () => this.#pin());
    one("#sheet-answer").addEventListener("click", () => this.answer(this.#event));
    one("#sheet-unanswer").addEventListener("click", () => this.#unanswer());
    one("#sheet-remove").addEventListener("click", () => this.#remove());
    one("#sheet-unmute").addEventListener("click", () => this.unmute(this.#person));
    one("#sheet-ban").addEventListener("click", () => this.#ask());
    one("#sheet-ban-no").addEventListener("click", () => this.#steps("main"));
    one("#sheet-ban-yes").addEventListener("click", () => this.#ban());
    one("#sheet-mutes").append(...MUTES.map((mute) => this.#muteButton(mute)));
    this.#dialog.addEventListener("click", (event) => event.target === this.#dialog && this.#dialog.close());
  }

  get #person() {
    const { user_id: id, name } = this.#event.data;
    return { id, name };
  }

  open(event) {
    this.#event = event;
    const isViewer = event.data.role === "viewer";
    const { muted } = this.#isHeld(event.data.user_id);
    one("#chat-sheet-title").textContent = event.data.name;
    one("#chat-sheet-said").replaceChildren(...words(event).slice(2));
    one("#sheet-reason").value = "";
    show(one("#sheet-answer"), Boolean(event.data.question) && !event.answered);
    show(one("#sheet-unanswer"), Boolean(event.data.question) && Boolean(event.answered));
    show(one("#sheet-person"), isViewer);
    show(one("#sheet-unmute"), muted);
    this.#steps("main");
    this.#dialog.showModal();
  }

  /** Mark a question as answered; what the questions' list does with one tap. */
  answer(event) {
    const undo = () => this.#send("chat.unanswer", nameOf(event));
    return this.#do("chat.answer", nameOf(event), () => toast(gettext("Marked as answered."), undo));
  }

  unmute(person) {
    const said = interpolate(gettext("%s can write again."), [person.name]);
    return this.#do("viewer.unmute", { user_id: person.id }, () => toast(said));
  }

  unban(person) {
    const said = interpolate(gettext("%s may come in again."), [person.name]);
    return this.#do("viewer.unban", { user_id: person.id }, () => toast(said));
  }

  #pin() {
    const undo = () => this.#send("chat.unpin", {});
    this.#do("chat.pin", nameOf(this.#event), () => toast(gettext("Everybody sees this message on top."), undo));
  }

  #unanswer() {
    const said = gettext("The question waits for an answer again.");
    this.#do("chat.unanswer", nameOf(this.#event), () => toast(said));
  }

  #remove() {
    const said = gettext("Taken away for everybody, also from the replay.");
    const named = nameOf(this.#event);
    const undo = () => this.#send("chat.restore", named);
    this.#do("chat.remove", named, () => toast(said, undo));
  }

  /** What was taken away a while ago; what the list of what was done does with one tap. */
  restore(messageId) {
    const said = gettext("Everybody sees this message again.");
    return this.#do("chat.restore", { id: messageId }, () => toast(said));
  }

  #muteButton({ seconds, text }) {
    const button = el("button", { type: "button", class: "button sheet-choice" }, text());
    button.addEventListener("click", () => this.#mute(seconds));
    return button;
  }

  #mute(seconds) {
    const { id, name } = this.#person;
    const data = { user_id: id, reason: this.#reason(), ...(seconds && { for_s: seconds }) };
    const undo = () => this.#send("viewer.unmute", { user_id: id });
    this.#do("viewer.mute", data, () => toast(interpolate(gettext("%s can watch, but not write."), [name]), undo));
  }

  // Asked once: it also takes the person's orders through this show away from them.
  #ask() {
    const question = interpolate(gettext("Send %s away from this show?"), [this.#person.name]);
    one("#sheet-ban-question").textContent = question;
    one("#sheet-ban-messages").checked = false;
    this.#steps("ban");
    one("#sheet-ban-no").focus();
  }

  #ban() {
    const { id, name } = this.#person;
    const data = { user_id: id, reason: this.#reason(), remove_messages: one("#sheet-ban-messages").checked };
    const undo = () => this.#send("viewer.unban", { user_id: id });
    this.#do("viewer.ban", data, () => toast(interpolate(gettext("%s was sent away."), [name]), undo));
  }

  #reason() {
    return one("#sheet-reason").value.trim();
  }

  #steps(step) {
    this.#error.textContent = "";
    show(one("#sheet-main"), step === "main");
    show(one("#sheet-ban-step"), step === "ban");
  }

  async #do(command, data, done) {
    this.#busy(true);
    try {
      await this.#send(command, data);
      this.#dialog.close();
      done();
    } catch (error) {
      if (this.#dialog.open) this.#error.textContent = error.message;
      else toast(error.message);
    } finally {
      this.#busy(false);
    }
  }

  #busy(isBusy) {
    for (const button of all("button", this.#dialog)) button.disabled = isBusy;
  }
}

/** A question with one tap to say that it was answered. */
export class QuestionsPanel {
  #list = one("#questions");
  #questions = new Map();
  #onAnswer;

  constructor(onAnswer) {
    this.#onAnswer = onAnswer;
  }

  reset(messages, answered) {
    const done = new Set(answered);
    this.#questions.clear();
    for (const message of messages) {
      message.answered = done.has(message.id);
      this.#keep(message);
    }
    this.#draw();
  }

  add(message) {
    if (this.#keep(message)) this.#draw();
  }

  /** It was answered, or that was taken back. */
  answered(named, isAnswered) {
    const known = this.#find(named);
    if (known) known.answered = isAnswered;
    this.#draw();
  }

  /** A question that was brought back is asked where it was. */
  restore(message) {
    if (!this.#keep(message)) return;
    const inOrder = [...this.#questions.values()].sort((a, b) => (wasBefore(a, b) ? -1 : 1));
    this.#questions = new Map(inOrder.map((question) => [question.id ?? question.seq, question]));
    this.#draw();
  }

  /** The message was taken away. */
  remove(named) {
    const known = this.#find(named);
    if (known) this.#questions.delete(known.id ?? known.seq);
    this.#draw();
  }

  #find({ id, seq }) {
    return [...this.#questions.values()].find((one) => (id ? one.id === id : one.seq === seq));
  }

  #keep(message) {
    if (!message.data.question) return false;
    this.#questions.set(message.id ?? message.seq, message);
    if (this.#questions.size > MOST_QUESTIONS) this.#questions.delete(this.#questions.keys().next().value);
    return true;
  }

  #draw() {
    const waiting = [...this.#questions.values()].filter((message) => !message.answered);
    this.#list.replaceChildren(...waiting.map((message) => this.#row(message)));
    const open = waiting.length;
    show(one("#questions-empty"), open === 0);
    show(one("#questions-open"), open > 0);
    one("#questions-open").textContent = String(open);
  }

  #row(message) {
    const label = `${gettext("Answered")}: ${message.data.name}`;
    const button = el("button", { type: "button", class: "button", "aria-label": label }, icon("check"), gettext("Answered"));
    button.addEventListener("click", () => this.#onAnswer(message));
    return el(
      "li",
      { class: "question" },
      el("span", { class: "chat-line__text" }, el("strong", {}, message.data.name), " ", message.data.text),
      button,
    );
  }
}
