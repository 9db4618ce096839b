/** "Keep on this phone", beside each lesson (`data-keep`): how big, how far, and what went wrong. */

import { ApiError, api } from "../livecommerce/api.js";
import { all, el, icon } from "../livecommerce/dom.js";
import { contact } from "./contact.js";
import { Cut, NoRoom, keep, remove } from "./keeping.js";
import { lesson, lessons } from "./places.js";
import { megabytes } from "./sizes.js";

const WORKER = "/learn/worker.js";
const WHOSE = "learn.owner";

/** The worker comes with the first lesson that is kept: before that it would be of no use. */
async function register() {
  await navigator.serviceWorker.register(WORKER, { scope: "/learn/" });
  await navigator.serviceWorker.ready;
}

class KeepButton {
  /** @param {HTMLElement} place `data-keep` is the lesson's id */
  constructor(place) {
    this.place = place;
    this.id = place.dataset.keep ?? "";
    this.button = el("button", { class: "button", type: "button", on: { click: () => this.press() } });
    this.note = el("p", { class: "small muted keep__note", role: "status" });
    this.bar = el("progress", { class: "progress", max: 100, value: 0, hidden: true, "aria-label": gettext("Kept so far") });
    place.replaceChildren(this.button, this.bar, this.note);
  }

  async show() {
    this.kept = await lesson(this.id);
    const text = !this.kept ? gettext("Keep on this phone") : this.kept.whole ? gettext("Remove from this phone") : gettext("Go on keeping it");
    this.button.replaceChildren(icon(this.kept?.whole ? "check" : "download"), text);
    this.say(this.kept?.whole ? interpolate(gettext("Kept on this phone: %s. It plays without a network."), [megabytes(this.kept.bytes)]) : this.partly());
  }

  partly() {
    if (!this.kept) return "";
    return interpolate(gettext("%(percent)s of %(size)s is here."), { percent: `${percent(this.kept)}%`, size: megabytes(this.kept.media_bytes) }, true);
  }

  async press() {
    if (this.kept?.whole) await remove(this.id);
    else await this.fetchIt();
    await this.show();
    if (this.error) this.say(this.error);
  }

  async fetchIt() {
    this.error = "";
    this.button.disabled = true;
    this.bar.hidden = false;
    try {
      const found = await api("GET", `/api/v1/lessons/${this.id}/keep`);
      this.say(interpolate(gettext("Keeping %s …"), [megabytes(found.media_bytes)]));
      localStorage.setItem(WHOSE, found.person);
      await register();
      await keep(found, (bytes, of) => this.tell(bytes, of));
    } catch (error) {
      this.error = wordsFor(error);
      if (!this.error) throw error;
    } finally {
      this.button.disabled = false;
      this.bar.hidden = true;
    }
  }

  tell(bytes, of) {
    const part = Math.floor((100 * bytes) / of);
    this.bar.setAttribute("value", String(part));
    this.say(interpolate(gettext("%(percent)s of %(size)s"), { percent: `${part}%`, size: megabytes(of) }, true));
  }

  say(text) {
    this.note.textContent = text;
  }
}

const percent = (kept) => Math.floor((100 * kept.bytes) / kept.media_bytes);

/** @returns {string} what a person can do about it; empty for a fault of ours */
function wordsFor(error) {
  if (error instanceof NoRoom) {
    return interpolate(gettext("There is too little room on this phone: this needs %(needed)s, and %(free)s is free. Remove other lessons first."), { needed: megabytes(error.needed), free: megabytes(error.free) }, true);
  }
  if (error instanceof Cut) return gettext("The network was cut. What came is kept: press again to go on.");
  return error instanceof ApiError ? error.message : "";
}

async function begin() {
  const places = all("[data-keep]");
  if (!("caches" in self) || !("serviceWorker" in navigator)) return explain(places);
  const buttons = places.map((place) => new KeepButton(place));
  const show = () => Promise.all(buttons.map((one) => one.show()));
  await show();
  const hasSome = (await lessons()).length > 0;
  addEventListener("online", () => contact());
  if (hasSome && (await contact()).removed.length) await show();
}

/** Browsers let a site keep things only where nobody between can change them. */
function explain(places) {
  const text = gettext("Lessons can be kept only over a secure connection: open this site with https.");
  for (const place of places) place.replaceChildren(el("p", { class: "small muted" }, text));
}

begin();
