/**
 * The feed: plays the lesson in sight, fetches the next as far as the budget goes, counts what is
 * watched of courses that were joined (by `Reports`, as the player does).
 */

import { api } from "../livecommerce/api.js";
import { all, one, pageData, show } from "../livecommerce/dom.js";
import { Reports, sendLeftovers } from "./reports.js";
import { PlayedTracker, covered, merge } from "./watched.js";

const REPORT_EVERY_MS = 10_000;
const BUDGET = "learn:data";
const SOUND = "learn:sound";

const data = pageData("feed");
const feed = one("[data-feed]");
/** Without a network there is none. */
const budget = /** @type {HTMLSelectElement|null} */ (document.querySelector("[data-budget]"));
/** @type {Lesson[]} */
const lessons = [];
/** @type {Lesson|null} */
let current = null;
let isMuted = true;

class Lesson {
  constructor(item, article) {
    Object.assign(this, item);
    this.item = item;
    this.article = article;
    this.video = /** @type {HTMLVideoElement} */ (one("video", article));
    this.tracker = new PlayedTracker();
    this.reports = item.joined ? new Reports(data.person, item.id) : null;
    this.isHeld = false;
    /** @type {import("./feed-extras.js").LessonExtras|null} */
    this.extras = null;
    this.listen();
  }

  listen() {
    const { video, tracker } = this;
    const now = () => video.currentTime;
    video.addEventListener("playing", () => (tracker.start(now()), this.draw()));
    video.addEventListener("timeupdate", () => (video.seeking || tracker.sample(now()), this.draw()));
    video.addEventListener("seeking", () => tracker.stop());
    video.addEventListener("pause", () => (tracker.stop(video.seeking ? undefined : now()), this.draw(), this.report()));
    for (const name of ["volumechange", "ratechange"]) video.addEventListener(name, () => this.onOtherwise());
    video.addEventListener("loadedmetadata", () => this.item.resume_s && (video.currentTime = this.item.resume_s), { once: true });
    video.addEventListener("ended", async () => (await this.report(), this.item.done && next(this)));
    video.addEventListener("canplaythrough", () => this === current && fetchAhead());
    video.addEventListener("error", () => this.say(gettext("The video cannot be loaded. Check the network and try again.")));
    one("[data-toggle]", this.article).addEventListener("click", () => this.toggle());
    one("[data-sound]", this.article).addEventListener("click", toggleSound);
    one("[data-next]", this.article).addEventListener("click", () => next(this));
    this.article.querySelector("[data-join]")?.addEventListener("click", (event) => this.join(event.currentTarget));
    if (!video.paused) tracker.start(now()); // it began before this script came
  }

  /** Up to here it was played as before. */
  onOtherwise() {
    if (!this.video.seeking) this.tracker.sample(this.video.currentTime);
    this.tracker.how(this.video.muted, this.video.playbackRate);
  }

  /** Captions and speed: what nobody needs before the first picture does not keep it waiting. */
  async addExtras() {
    try {
      const { LessonExtras } = await import("./feed-extras.js");
      this.extras ??= new LessonExtras(this, data.person !== "");
    } catch (error) {
      console.warn("the lesson is shown without captions and speed:", error); // no network, and not kept
    }
  }

  fetch(how) {
    if (!this.video.getAttribute("src")) {
      if (this.item.thumb) this.video.poster = this.item.thumb;
      this.video.src = this.item.src;
    }
    this.video.preload = how;
  }

  async play() {
    this.fetch("auto");
    this.video.muted = isMuted;
    try {
      await this.video.play();
      this.isHeld = false;
    } catch (error) {
      if (error.name === "AbortError") return;
      if (error.name !== "NotAllowedError") throw error;
      this.isHeld = true; // the browser wants a touch first
    }
    this.draw();
  }

  toggle() {
    this.isHeld = !this.video.paused;
    if (this.isHeld) this.video.pause();
    else this.play();
  }

  async join(button) {
    button.disabled = true;
    try {
      await api("POST", this.item.enrol_path);
      this.item.joined = true;
      this.reports = new Reports(data.person, this.item.id);
      show(button, false);
      show(one("[data-open]", this.article), true);
      show(one("[data-part]", this.article), true);
      this.say(gettext("You have joined. What you watch counts."));
      await this.report();
    } catch (error) {
      button.disabled = false;
      this.say(error.message);
    }
  }

  async report() {
    if (!this.reports) return;
    this.reports.add(this.tracker.take());
    try {
      const answer = await this.reports.send(this.video.currentTime);
      if (answer) this.learn(answer);
    } catch (error) {
      this.say(error.code === "network" ? gettext("No network. What you watch is kept and sent later.") : error.message);
    }
  }

  learn(answer) {
    Object.assign(this.item, answer);
    this.draw();
    if (answer.not_counted) return this.say(answer.not_counted);
    const left = answer.requirements.find(({ done }) => !done);
    this.say(answer.done ? gettext("Lesson done") : (left?.text ?? ""));
  }

  farewell() {
    if (!this.reports) return;
    this.reports.add(this.tracker.take());
    this.reports.farewell(this.video.currentTime);
  }

  draw() {
    const { item, video } = this;
    this.article.classList.toggle("is-held", this.isHeld);
    one("[data-toggle-label]", this.article).textContent = video.paused ? gettext("Play") : gettext("Pause");
    if (!this.reports) return;
    const seen = covered(merge([...item.intervals, ...this.reports.waiting, ...this.tracker.played]));
    const part = item.required_s ? Math.min(item.done ? 100 : 99, (100 * seen) / item.required_s) : 100;
    one("[data-part]", this.article).setAttribute("value", String(Math.round(part)));
  }

  say(text) {
    one("[data-state]", this.article).textContent = text;
  }
}

function comesInSight(lesson) {
  if (current === lesson) return;
  const before = current;
  current = lesson;
  before?.video.pause();
  lesson.play();
  if (lesson.extras) lesson.extras.again();
  else afterFirstPicture(lesson.video, () => lesson.addExtras());
  if (lesson.video.readyState >= HTMLMediaElement.HAVE_ENOUGH_DATA) fetchAhead();
}

/** @param {HTMLVideoElement} video @param {() => void} act once; also where no picture comes */
function afterFirstPicture(video, act) {
  const waiting = new AbortController();
  const once = () => waiting.signal.aborted || (waiting.abort(), act());
  const { signal } = waiting;
  if ("requestVideoFrameCallback" in video) video.requestVideoFrameCallback(once);
  else video.addEventListener("timeupdate", once, { signal });
  video.addEventListener("error", once, { signal });
  // Where the browser wants a touch first, its picture stands still.
  const still = () => video.paused && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && once();
  for (const name of ["loadeddata", "pause"]) video.addEventListener(name, still, { signal });
  still();
}

/** The next one: whole, its beginning, or nothing, by the budget. */
function fetchAhead() {
  const following = lessons[lessons.indexOf(/** @type {Lesson} */ (current)) + 1];
  const how = aheadBy(budget?.value ?? "auto", navigator["connection"]);
  if (following && how) following.fetch(how);
}

/** @param {string} wanted @param {{saveData?: boolean, effectiveType?: string}|undefined} line */
export function aheadBy(wanted, line) {
  if (wanted === "ahead") return "auto";
  if (wanted === "least" || line?.saveData || /2g/.test(line?.effectiveType ?? "")) return "";
  return line?.effectiveType === "4g" ? "auto" : "metadata";
}

function next(lesson) {
  const following = lesson.article.nextElementSibling;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  following?.scrollIntoView({ behavior: calm ? "auto" : "smooth" });
}

function toggleSound() {
  isMuted = !isMuted;
  keep(SOUND, isMuted ? "" : "on");
  for (const lesson of lessons) {
    lesson.video.muted = isMuted;
    one("[data-sound]", lesson.article).setAttribute("aria-pressed", String(!isMuted));
  }
  if (!isMuted && current?.video.paused) current.play();
}

function onKey(event) {
  if (event.target.closest("button, a, select, input") && event.key === " ") return;
  if (!current || event.target.closest("select")) return;
  const step = { ArrowDown: 1, PageDown: 1, j: 1, ArrowUp: -1, PageUp: -1, k: -1 }[event.key];
  if (step) lessons[lessons.indexOf(current) + step]?.article.scrollIntoView();
  else if (event.key === " ") current.toggle();
  else if (event.key === "m") toggleSound();
  else if (event.key === "s" && current.extras) current.extras.nextRate();
  else return;
  event.preventDefault();
}

function keep(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Turned off: it holds for this page.
  }
}

for (const article of all("[data-lesson]")) {
  const item = data.items.find(({ id }) => id === article.dataset.lesson);
  lessons.push(new Lesson(item, article));
}
if (budget) {
  try {
    budget.value = localStorage.getItem(BUDGET) || "auto";
  } catch {
    // Turned off.
  }
  budget.addEventListener("change", () => (keep(BUDGET, budget.value), fetchAhead()));
}
const inSight = new IntersectionObserver(
  (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => comesInSight(lessons.find(({ article }) => article === entry.target))),
  { root: feed, threshold: 0.6 },
);
lessons.forEach(({ article }) => inSight.observe(article));
document.addEventListener("keydown", onKey);
document.addEventListener("visibilitychange", () => {
  current?.onOtherwise();
  if (document.hidden) current?.report();
});
window.addEventListener("pagehide", () => current?.farewell());
window.addEventListener("online", () => current?.report());
window.setInterval(() => current?.video.paused || current?.report(), REPORT_EVERY_MS);
if (data.person) sendLeftovers(data.person, "");
