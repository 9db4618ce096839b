// The clips cut from a show: how far each is, and the way of each into a course.

import { api } from "../livecommerce/api.js";
import { el, icon, one, show } from "../livecommerce/dom.js";
import { duration } from "../livecommerce/format.js";
import { copyButton } from "./clip-copy.js";
import { clipTitle } from "./clip-title.js";
import { TakeBack } from "./take-back.js";

const POLL_MS = 700;
const UNDER_WAY = new Set(["queued", "running"]);
const JOBS = "/studio/jobs/";

export class ClipsPanel {
  #list = one("#clips");
  #showId;
  #chooser;
  #consent;
  #onAgain;
  #takeBack = new TakeBack();

  /** `onAgain(clip)` is called when one like it is wanted, with changes. */
  constructor(showId, chooser, consent, onAgain) {
    this.#showId = showId;
    this.#onAgain = onAgain;
    this.#chooser = chooser;
    this.#consent = consent;
  }

  async load() {
    const clips = await api("GET", `/api/v1/shows/${this.#showId}/clips`);
    this.#list.replaceChildren();
    for (const clip of clips) this.add(clip);
    show(one("#clips-empty"), clips.length === 0);
  }

  /** Pictures and films of finished clips are at other addresses than before. */
  async moved() {
    const clips = await api("GET", `/api/v1/shows/${this.#showId}/clips`).catch((error) => {
      console.warn("the new addresses of the clips are not known:", error);
      return [];
    });
    for (const clip of clips.filter(({ state }) => state === "ready")) {
      const row = this.#list.querySelector(`[data-clip="${CSS.escape(clip.id)}"]`);
      row?.querySelector("img.clip__poster")?.setAttribute("src", clip.poster_url);
      row?.querySelector("a[target]")?.setAttribute("href", clip.download_url);
    }
  }

  /** Put `clip` on top and follow its job until it is done; one that is there already stays. */
  add(clip) {
    show(one("#clips-empty"), false);
    const known = this.#list.querySelector(`[data-clip="${CSS.escape(clip.id)}"]`);
    if (known) return known;
    const row = el("li", { class: "card clip", data: { clip: clip.id } });
    this.#draw(row, clip);
    this.#list.prepend(row);
    if (clip.state === "waiting" && clip.job_id) this.#follow(row, clip);
    return row;
  }

  #draw(row, clip) {
    row.replaceChildren(
      clip.poster_url ? el("img", { class: `clip__poster clip__poster--${clip.shape}`, src: clip.poster_url, alt: "" }) : posterPlace(),
      el(
        "div",
        { class: "stack stack--tight clip__text" },
        clip.state === "ready" ? clipTitle(clip) : el("h3", {}, clip.title),
        el("p", { class: "muted small number" }, clip.parts.map((part) => `${duration(part.start_s)} – ${duration(part.end_s)}`).join(" + ")),
        el("div", { class: "clip__state stack stack--tight" }, ...this.#state(row, clip)),
      ),
    );
  }

  #state(row, clip) {
    if (clip.state === "ready") return [this.#readyRow(row, clip)];
    if (clip.state === "failed") {
      const again = el("p", {});
      this.#offerAgain(clip, again);
      return [el("p", { class: "notice notice--error" }, clip.error || gettext("This clip could not be made.")), again, this.#discard(row, clip)];
    }
    if (clip.state === "withdrawn") return this.#withdrawn(row, clip);
    const label = gettext("Making the lesson…");
    return [
      el("progress", { class: "progress", max: 1, value: 0, "aria-label": label }),
      el("p", { class: "small clip__progress" }, label),
      el("p", {}, toJobs(gettext("Cancel under “What is being made”"))),
    ];
  }

  #readyRow(row, clip) {
    const choose = () => this.#chooser.choose(clip, (lesson) => this.#added(row, lesson));
    const add = () => (clip.agreed ? choose() : this.#consent.ask(clip, () => this.#agreed(row, clip, choose)));
    const back = () => this.#takeBack.ask(clip, () => this.#redraw(row, clip));
    return el(
      "div",
      { class: "row clip__do" },
      el("button", { type: "button", class: "button button--primary", on: { click: add } }, icon("plus"), gettext("Add to a course")),
      clip.download_url ? el("a", { class: "button button--quiet", href: clip.download_url, target: "_blank" }, icon("play"), gettext("Watch")) : null,
      copyButton(clip),
      button(gettext("Cut it again…"), () => this.#onAgain(clip)),
      clip.agreed ? el("button", { type: "button", class: "button button--quiet", on: { click: back } }, gettext("Take it back…")) : this.#discard(row, clip),
    );
  }

  /** Asks once, in its own place. */
  #discard(row, clip) {
    const place = el("div", { class: "row" });
    const ask = () => {
      const [keep, yes] = [button(gettext("Keep it"), offer), button(gettext("Delete the clip"), () => this.#discarded(row, clip, place), "button--danger")];
      place.replaceChildren(el("p", {}, gettext("Delete this clip? It cannot be brought back, but it can be cut again.")), yes, keep);
      yes.focus();
    };
    const offer = () => place.replaceChildren(button(gettext("Delete…"), ask));
    offer();
    return place;
  }

  async #discarded(row, clip, place) {
    try {
      await api("DELETE", `/api/v1/clips/${clip.id}`);
    } catch (error) {
      place.append(el("p", { class: "field__error", role: "alert" }, error.message));
      return;
    }
    row.remove();
    show(one("#clips-empty"), !this.#list.firstElementChild);
    one("#clip-news").textContent = interpolate(gettext("“%s” was deleted."), [clip.title]);
  }

  // Not for one whose film was removed from the show: there is nothing to make it of.
  async #offerAgain(clip, place) {
    const job = clip.job_id ? await api("GET", `/api/v1/jobs/${clip.job_id}`).catch(() => null) : null;
    const isThere = job?.state === "cancelled" || (job?.state === "failed" && job.error);
    if (isThere) place.append(toJobs(gettext("Try again under “What is being made”")));
  }

  #withdrawn(row, clip) {
    const again = () => this.#consent.ask(clip, () => this.#redraw(row, clip));
    return [
      el("p", { class: "notice" }, gettext("You took this lesson back: it is shown nowhere any more, and its film was deleted. What was agreed to, and when, is kept.")),
      el("p", {}, el("button", { type: "button", class: "button", on: { click: again } }, gettext("Agree again…"))),
    ];
  }

  #agreed(row, clip, choose) {
    clip.agreed = true;
    this.#draw(row, clip);
    choose();
  }

  async #redraw(row, clip) {
    const clips = await api("GET", `/api/v1/shows/${this.#showId}/clips`);
    const changed = clips.find(({ id }) => id === clip.id) ?? clip;
    this.#draw(row, changed);
    if (changed.state === "withdrawn") one("#clip-news").textContent = interpolate(gettext("“%s” was taken back."), [changed.title]);
    if (changed.state === "waiting") this.#follow(row, changed);
  }

  #added(row, { url, courseTitle }) {
    const link = el("a", { href: url }, gettext("Open the lesson"));
    const words = interpolate(gettext("It is now a lesson in “%s”."), [courseTitle]);
    row.querySelector(".clip__state").append(
      el("p", { class: "notice notice--ok", role: "status" }, el("span", {}, `${words} `, link)),
    );
  }

  async #follow(row, clip) {
    for (;;) {
      const job = await this.#job(clip);
      if (job && !UNDER_WAY.has(job.state)) break;
      if (job) drawProgress(row, job);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    const clips = await api("GET", `/api/v1/shows/${this.#showId}/clips`);
    const made = clips.find(({ id }) => id === clip.id) ?? clip;
    if (made.state === "waiting") return this.#follow(row, made);
    this.#draw(row, made);
    one("#clip-news").textContent = made.state === "ready" ? interpolate(gettext("“%s” is ready."), [made.title]) : made.error;
  }

  // A moment without network is no reason to stop watching the job.
  async #job(clip) {
    try {
      return await api("GET", `/api/v1/jobs/${clip.job_id}`);
    } catch (error) {
      if (error.code === "network") return null;
      throw error;
    }
  }
}

function drawProgress(row, { state, progress }) {
  row.querySelector("progress").value = progress;
  const percent = Math.round(progress * 100);
  row.querySelector(".clip__progress").textContent =
    state === "queued"
      ? gettext("Waiting for its turn…")
      : interpolate(gettext("Making the lesson: %s"), [`${percent}%`]);
}

function button(text, click, kind = "button--quiet") {
  return el("button", { type: "button", class: `button ${kind}`, on: { click } }, text);
}

function toJobs(text) {
  return el("a", { class: "button", href: JOBS }, text);
}

function posterPlace() {
  return el("span", { class: "clip__poster", "aria-hidden": "true" }, icon("scissors"));
}
