// What a seller does with a replay: say who may watch, take a passage out, download it.

import { api } from "../livecommerce/api.js";
import { all, el, one, show } from "../livecommerce/dom.js";
import { dayAndTime, duration } from "../livecommerce/format.js";
import { recall, remember } from "../livecommerce/store.js";
import { exactTime, seconds } from "./words.js";

const POLL_MS = 1500;
const WHY = "passage-refused";
const UNDER_WAY = new Set(["waiting", "running"]);

/**
 * @param {{showId: string, video: HTMLVideoElement, lengthS: number, edition: number, onMoved: () => void}} replay
 *   `onMoved`: the files have other addresses than before
 */
export function openReplayDesk({ showId, video, lengthS, edition, onMoved }) {
  const base = `/api/v1/shows/${showId}`;
  one("#audience").addEventListener("change", async ({ target }) => {
    if (!(await changeAudience(base, target))) return;
    onMoved();
    followDownload(base); // its address is another one too
  });
  const removal = new Removal(base, video, lengthS, edition);
  return Promise.all([followDownload(base), removal.load()]);
}

/** Whether it was changed. */
async function changeAudience(base, choice) {
  const told = one("#audience-told");
  const form = one("#audience");
  let isChanged = false;
  const before = form.dataset.was ?? form.querySelector("[checked]")?.getAttribute("value");
  form.disabled = true;
  try {
    const { audience } = await api("PUT", `${base}/audience`, { audience: choice.value });
    form.dataset.was = audience;
    isChanged = true;
    told.textContent = gettext("Saved.");
  } catch (error) {
    for (const input of all("input", form)) input.checked = input.value === before;
    told.textContent = error.message;
  }
  form.disabled = false;
  show(told, true);
  return isChanged;
}

async function followDownload(base) {
  for (;;) {
    const found = await downloadOf(base);
    if (found) showDownload(found);
    if (found && !UNDER_WAY.has(found.state)) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

// A moment without network is no reason to stop looking.
async function downloadOf(base) {
  try {
    return await api("GET", `${base}/download`);
  } catch (error) {
    if (error.code === "network") return null;
    throw error;
  }
}

function showDownload({ state, progress, url, file_name: name }) {
  const words = {
    ready: name,
    waiting: gettext("Not made yet: it waits for its turn."),
    running: interpolate(gettext("Being made: %s"), [`${Math.round(progress * 100)}%`]),
    failed: gettext("It could not be made. The replay itself can be watched all the same."),
  };
  one("#download-state").textContent = words[state];
  const bar = one("#download-progress");
  bar.value = progress;
  show(bar, state === "running");
  const link = one("#download");
  if (url) link.setAttribute("href", url);
  show(link, Boolean(url));
}

class Removal {
  #id = "";
  #dialog = one("#passage-dialog");
  #start = one("#passage-start");
  #end = one("#passage-end");

  constructor(base, video, lengthS, edition) {
    Object.assign(this, { base, lengthS, edition });
    tellWhyLoadedAnew();
    one("#passage-mark-start").addEventListener("click", () => (this.#start.value = exactTime(video.currentTime)));
    one("#passage-mark-end").addEventListener("click", () => (this.#end.value = exactTime(video.currentTime)));
    one("#passage-form").addEventListener("submit", (event) => this.#ask(event));
    one("#passage-yes").addEventListener("click", () => this.#remove());
    for (const button of all("[data-close]", this.#dialog)) button.addEventListener("click", () => this.#dialog.close());
  }

  async load() {
    const found = await api("GET", `${this.base}/removed-passages`);
    one("#passages").replaceChildren(...found.map(line));
  }

  #ask(event) {
    event.preventDefault();
    const [start, end] = [seconds(this.#start.value), seconds(this.#end.value)];
    if (Number.isNaN(start) || Number.isNaN(end)) return say(gettext("Write minutes and seconds, for example 1:05."));
    if (!(start < end) || start >= this.lengthS) return say(gettext("The end must come after the start, inside the show."));
    say("");
    // One id for one passage: a second tap, or a second try without network, removes it once.
    this.#id = crypto.randomUUID();
    this.wanted = { edition: this.edition, start_s: start, end_s: Math.min(end, this.lengthS) };
    const times = { from: exactTime(start), to: exactTime(this.wanted.end_s) };
    one("#passage-question").textContent = interpolate(gettext("From %(from)s to %(to)s."), times, true);
    this.#dialog.showModal();
  }

  async #remove() {
    const yes = one("#passage-yes");
    yes.disabled = true;
    try {
      await api("POST", `${this.base}/removed-passages`, { id: this.#id, ...this.wanted });
      location.reload();
    } catch (error) {
      this.#refused(error);
    }
    yes.disabled = false;
  }

  #refused(error) {
    // Whole segments go, so only the server knows that what was marked leaves nothing.
    if (error.errors?.some(({ field }) => field === "whole")) {
      this.wanted.whole = true;
      one("#passage-question").textContent = gettext("Nothing of the show would be left, so it would have no replay any more. Remove all of it?");
      return;
    }
    this.#dialog.close();
    if (error.code !== "recording_changed") return say(error.message);
    remember(WHY, error.message);
    location.reload();
  }
}

function tellWhyLoadedAnew() {
  const why = recall(WHY);
  if (!why) return;
  remember(WHY, null);
  say(why);
  one("#passage-error").scrollIntoView({ block: "center" });
}

function line({ start_s: start, end_s: end, by, at, done }) {
  const about = { from: duration(start), to: duration(end), by, at: dayAndTime(at) };
  const text = done ? gettext("%(from)s to %(to)s was removed by %(by)s, %(at)s.") : gettext("%(from)s to %(to)s is being removed; %(by)s asked for it, %(at)s.");
  return el("li", { class: "muted small" }, interpolate(text, about, true));
}

function say(text) {
  one("#passage-error").textContent = text;
}
