// Who is muted or sent away, by whom and why; what was done to keep order; slow mode.

import { all, el, one, show } from "../livecommerce/dom.js";
import { clockTime } from "../livecommerce/format.js";

const MOST_SHOWN = 50;

export class PeoplePanel {
  #muted = new Map();
  #banned = new Map();
  #history = [];
  #sheet;
  #onChange;

  /** `sheet` undoes; `onChange({muted, banned})` hears the user ids whenever they change. */
  constructor(sheet, send, onChange) {
    this.#sheet = sheet;
    this.#onChange = onChange;
    for (const button of all("#slow-mode button")) {
      button.addEventListener("click", () => this.#slowDown(send, Number(button.value)));
    }
  }

  isHeld(userId) {
    return { muted: this.#muted.has(userId), banned: this.#banned.has(userId) };
  }

  reset({ muted, banned, moderation, slow_mode_s: slowMode }) {
    this.#muted = new Map(muted.map((person) => [person.user_id, person]));
    this.#banned = new Map(banned.map((person) => [person.user_id, person]));
    this.#history = moderation;
    this.slowMode(slowMode);
    this.#draw();
  }

  /** One `moderation.done` of the studio's log. */
  done(event) {
    const { data } = event;
    const person = { ...data, name: data.viewer, by: data.actor };
    const effects = {
      mute: () => this.#muted.set(data.user_id, person),
      unmute: () => this.#muted.delete(data.user_id),
      ban: () => this.#banned.set(data.user_id, person),
      unban: () => this.#banned.delete(data.user_id),
    };
    effects[data.action]?.();
    this.#history = [event, ...this.#history].slice(0, MOST_SHOWN);
    this.#draw();
  }

  slowMode(everyS) {
    for (const button of all("#slow-mode button")) {
      button.setAttribute("aria-pressed", String(Number(button.value) === everyS));
    }
  }

  async #slowDown(send, everyS) {
    const error = one("#people-error");
    error.textContent = "";
    try {
      await send("room.slow_mode", { every_s: everyS });
      this.slowMode(everyS);
    } catch (problem) {
      error.textContent = problem.message;
    }
  }

  #draw() {
    const banned = [...this.#banned.values()].map((person) => this.#row(person, true));
    const muted = [...this.#muted.values()].map((person) => this.#row(person, false));
    one("#held").replaceChildren(...banned, ...muted);
    const held = banned.length + muted.length;
    show(one("#held-empty"), held === 0);
    one("#people-held").textContent = String(held);
    show(one("#people-held"), held > 0);
    const gone = stillGone(this.#history);
    const rows = this.#history.slice(0, MOST_SHOWN).map((event) => this.#historyRow(event, gone.has(event)));
    one("#history").replaceChildren(...rows);
    show(one("#history-empty"), this.#history.length === 0);
    this.#onChange({ muted: new Set(this.#muted.keys()), banned: new Set(this.#banned.keys()) });
  }

  #row(person, isBanned) {
    const word = isBanned ? gettext("sent away") : gettext("muted");
    const undo = isBanned ? gettext("Let in again") : gettext("Let write again");
    const button = el("button", { type: "button", class: "button", "aria-label": `${undo}: ${person.name}` }, undo);
    const who = { id: person.user_id, name: person.name };
    button.addEventListener("click", () => (isBanned ? this.#sheet.unban(who) : this.#sheet.unmute(who)));
    return el(
      "li",
      { class: "held" },
      el(
        "div",
        { class: "order__text" },
        el("span", {}, el("strong", {}, person.name), " ", el("span", { class: "badge badge--warn" }, word)),
        el("span", { class: "muted small" }, byWhom(person)),
        person.reason ? el("span", { class: "small" }, `“${person.reason}”`) : null,
      ),
      button,
    );
  }

  #historyRow({ data }, isGone) {
    const why = data.reason ? el("span", { class: "muted" }, ` “${data.reason}”`) : null;
    return el(
      "li",
      { class: "history__row" },
      el("span", { class: "muted small number" }, clockTime(data.at)),
      el("span", { class: "history__text" }, sentence(data), why),
      isGone ? this.#bringBack(data) : null,
    );
  }

  #bringBack({ viewer, details }) {
    const text = gettext("Bring back");
    const label = interpolate(gettext("Bring back what %s wrote"), [viewer]);
    const restore = () => this.#sheet.restore(details.message_id);
    return el("button", { type: "button", class: "button history__undo", "aria-label": label, on: { click: restore } }, text);
  }
}

function byWhom({ by, at, until }) {
  const words = [clockTime(at)];
  if (by) words.unshift(interpolate(gettext("by %s"), [by]));
  if (until) words.push(interpolate(gettext("until %s"), [clockTime(until)]));
  return words.join(" · ");
}

/** Of the newest-first history, the removals of messages that were not brought back since. */
function stillGone(history) {
  const seen = new Set();
  return new Set(
    history.filter(({ data: { action, details = {} } }) => {
      const id = details.message_id;
      if (!id || seen.has(id)) return false;
      seen.add(id);
      return action === "remove";
    }),
  );
}

/** "Zhang muted Wang": whole sentences, because languages order them differently. */
function sentence({ action, actor, viewer, details = {} }) {
  const names = { actor, viewer, word: details.word, every: details.every_s };
  const sentences = {
    mute: gettext("%(actor)s muted %(viewer)s."),
    unmute: actor ? gettext("%(actor)s let %(viewer)s write again.") : gettext("%(viewer)s may write again: the time was over."),
    ban: gettext("%(actor)s sent %(viewer)s away."),
    unban: actor ? gettext("%(actor)s let %(viewer)s in again.") : gettext("%(viewer)s may come in again: the time was over."),
    remove: gettext("%(actor)s took away what %(viewer)s wrote."),
    restore: gettext("%(actor)s brought back what %(viewer)s wrote."),
    answer: gettext("%(actor)s marked a question of %(viewer)s as answered."),
    unanswer: gettext("%(actor)s marked a question of %(viewer)s as not answered."),
    block_word: gettext("%(actor)s blocked the word “%(word)s”."),
    allow_word: gettext("%(actor)s allowed the word “%(word)s” again."),
    pin: gettext("%(actor)s put a message on top."),
    unpin: gettext("%(actor)s took the message off the top."),
    slow_mode: slowModeSentence(details.every_s),
  };
  return interpolate(sentences[action] ?? "%(actor)s", names, true);
}

function slowModeSentence(everyS) {
  if (everyS === undefined) return gettext("%(actor)s changed the slow mode.");
  if (everyS === 0) return gettext("%(actor)s switched the slow mode off.");
  return ngettext("%(actor)s set slow mode: one message every %(every)s second.", "%(actor)s set slow mode: one message every %(every)s seconds.", everyS);
}
