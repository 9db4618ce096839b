/** A lesson's page: plays the video, shows what was watched, and knows what comes next. */

import { all, el, icon, one, pageData, show } from "../livecommerce/dom.js";
import { duration } from "../livecommerce/format.js";
import { CaptionsMenu } from "../streams/captions.js";
import { showCards } from "./lesson-cards.js";
import { PlayerExtras } from "./lesson-extras.js";
import { rateAfter } from "./rates.js";
import { Reports, sendLeftovers } from "./reports.js";
import { PlayedTracker, covered, merge, missing } from "./watched.js";

const REPORT_EVERY_MS = 10_000;
const ADVANCE_AFTER_S = 6;
const ARROW_S = 2;
const SVG = "http://www.w3.org/2000/svg";

const lesson = pageData("lesson");
const player = one("[data-player]");
const video = /** @type {HTMLVideoElement} */ (one("video", player));
const seek = /** @type {HTMLInputElement} */ (one("[data-seek]"));
const status = one("[data-status]");
const celebration = /** @type {HTMLDialogElement} */ (one("[data-celebrate]"));

// A picture in a corner of the screen is seen, also when its page is not.
const tracker = new PlayedTracker(undefined, () => document.hidden && !document.pictureInPictureElement);
const reports = new Reports(lesson.person, lesson.id);
/** The server's last word; what it has not heard yet is in `reports` and `tracker`. */
let state = lesson;
let celebrated = Boolean(lesson.certificate_url);
let countdown = 0;
/** Without a network, asking again at every step of the player would only drain the phone. */
let notBefore = 0;

// ---- playing

function follow() {
  video.addEventListener("playing", () => tracker.start(video.currentTime));
  video.addEventListener("timeupdate", () => onTime());
  video.addEventListener("seeking", () => tracker.stop());
  video.addEventListener("seeked", () => video.paused || tracker.start(video.currentTime));
  for (const name of ["ratechange", "volumechange"]) video.addEventListener(name, () => onRate());
  video.addEventListener("play", () => onPlay());
  video.addEventListener("pause", () => onPause());
  video.addEventListener("ended", () => onEnded());
  video.addEventListener("error", () => say(gettext("The video cannot be loaded. Check the network and try again.")));
}

function onTime() {
  if (!video.seeking) tracker.sample(video.currentTime);
  drawTime();
  drawWatched();
  const isEnough = covered(watchedSoFar()) >= state.required_s;
  if (!state.done && isEnough && performance.now() > notBefore) report();
}

function onRate() {
  tracker.sample(video.currentTime);
  tracker.how(video.muted || video.volume === 0, video.playbackRate);
}

function onPlay() {
  hidePanels();
  player.classList.add("is-playing");
  one("[data-play-label]").textContent = gettext("Pause");
  show(one("[data-big]"), false);
}

function onPause() {
  // A pause that ends a seek must not count the jump: the player is elsewhere already.
  if (video.seeking) tracker.stop();
  else tracker.stop(video.currentTime);
  player.classList.remove("is-playing");
  one("[data-play-label]").textContent = gettext("Play");
  show(one("[data-big]"), !video.ended);
  report();
}

async function onEnded() {
  tracker.stop(video.currentTime);
  if (!lesson.enrolled) return show(one("[data-big]"), true);
  await report();
  if (!state.done) return showMissing();
  if (!celebrate()) showDone();
}

async function play() {
  try {
    await video.play();
  } catch (error) {
    // The browser wants a touch first, or a newer click came in between: the big button stays.
    if (!["NotAllowedError", "AbortError"].includes(error.name)) throw error;
    show(one("[data-big]"), true);
  }
}

const toggle = () => (video.paused ? play() : video.pause());

function goTo(seconds) {
  video.currentTime = seconds;
  play();
}

// ---- telling the server

async function report() {
  if (!lesson.enrolled) return;
  reports.add(tracker.take());
  try {
    const answer = await reports.send(Math.round(video.currentTime * 1000) / 1000);
    if (answer) learn(answer);
    else drawStatus();
  } catch (error) {
    notBefore = performance.now() + REPORT_EVERY_MS;
    say(error.code === "network" ? gettext("No network. What you watch is kept and sent later.") : error.message);
  }
}

function learn(answer) {
  state = { ...state, ...answer };
  drawRequirements();
  drawWatched();
  drawStatus();
  drawCourse();
}

function farewell() {
  if (!lesson.enrolled) return;
  if (!video.seeking) tracker.sample(video.currentTime);
  reports.add(tracker.take());
  reports.farewell(Math.round(video.currentTime * 1000) / 1000);
}

/** What the server knows, and what it will. */
function watchedSoFar() {
  return merge([...state.intervals, ...reports.waiting, ...tracker.played]);
}

// ---- drawing

function drawTime() {
  if (document.activeElement !== seek || !video.seeking) seek.value = String(video.currentTime);
  seek.setAttribute("aria-valuetext", duration(video.currentTime));
  one("[data-now]").textContent = duration(video.currentTime);
}

function drawWatched() {
  const merged = watchedSoFar();
  const scale = 1000 / state.duration_s;
  one("[data-watched]").replaceChildren(...merged.map(([start, end]) => bar(start * scale, (end - start) * scale)));
  drawRing(state.done ? 100 : Math.min(99, Math.floor((100 * covered(merged)) / state.required_s)));
}

function bar(x, width) {
  const rect = document.createElementNS(SVG, "rect");
  for (const [name, value] of Object.entries({ x, y: 0, width, height: 10 })) rect.setAttribute(name, String(value));
  return rect;
}

function drawRing(percent) {
  const ring = one("[data-ring]");
  ring.classList.toggle("is-done", state.done);
  ring.setAttribute("aria-label", interpolate(gettext("%s of what is needed"), [`${percent}%`]));
  one(".ring__part", ring).setAttribute("stroke-dasharray", `${percent} 100`);
  one("[data-percent]").textContent = `${percent}%`;
}

function drawStatus() {
  if (!lesson.enrolled) return say(gettext("Preview: nothing is counted"));
  if (state.certificate_url) return say(gettext("Course completed"));
  if (state.done) return say(gettext("Lesson done"));
  if (state.not_counted) return say(state.not_counted);
  const isWatched = covered(watchedSoFar()) >= state.required_s;
  if (isWatched) return say(state.requirements.find(({ done }) => !done)?.text ?? "");
  const left = Math.max(1, Math.ceil(state.required_s - covered(watchedSoFar())));
  say(interpolate(ngettext("%s more second to watch", "%s more seconds to watch", left), [left]));
}

/** What the lesson asks for, with the way there; the server's words. */
function drawRequirements() {
  const rows = state.requirements.map(({ done, text, url }) =>
    el("li", { class: done ? "is-done" : "" }, icon(done ? "check" : "forward"), url && !done ? el("a", { href: url }, text) : text),
  );
  for (const list of all("[data-requirements]")) list.replaceChildren(...rows.map((row) => row.cloneNode(true)));
}

function drawCourse() {
  one("[data-course-bar]").setAttribute("value", String(state.course_percent));
  const row = one('.lesson__side a[aria-current="true"]');
  show(one("[data-tick]", row), state.done);
  if (state.done) row.querySelector("progress")?.remove();
  const text = ngettext("%s of %s lesson done", "%s of %s lessons done", state.lessons_total);
  one("[data-course-progress]").textContent = interpolate(text, [state.lessons_done, state.lessons_total]);
  if (!state.certificate_url) return;
  one("[data-certificate]").setAttribute("href", state.certificate_url);
  one("[data-celebrate-link]").setAttribute("href", state.certificate_url);
  show(one("[data-certificate]"), true);
  all("[data-next]").forEach((link) => show(link, false));
}

function say(text) {
  if (status.textContent !== text) status.textContent = text;
}

// ---- at the end

function showMissing() {
  const isWatched = state.covered_s >= state.required_s;
  show(one("[data-go-missing]"), !isWatched);
  show(one("[data-missing]"), !isWatched);
  const gaps = missing(merge(state.intervals), state.duration_s);
  const list = gaps.slice(0, 3).map(([start, end]) => `${duration(start)}–${duration(Math.ceil(end))}`);
  one("[data-missing]").textContent = interpolate(gettext("Not watched yet: %s"), [list.join(", ")]);
  showPanel("missing");
}

function showDone() {
  showPanel("done");
  if (!lesson.next_url) return;
  let left = ADVANCE_AFTER_S;
  const tick = () => {
    one("[data-countdown]").textContent = `(${left})`;
    if (left-- === 0) location.assign(`${lesson.next_url}#play`);
  };
  tick();
  countdown = window.setInterval(tick, 1000);
}

/** @returns {boolean} whether there was something to celebrate */
function celebrate() {
  if (celebrated || !state.certificate_url) return false;
  celebrated = true;
  celebration.showModal();
  return true;
}

function showPanel(name) {
  show(one("[data-big]"), false);
  all("[data-panel]").forEach((panel) => show(panel, panel.dataset.panel === name));
  one(`[data-panel="${name}"] .button--primary`).focus();
}

function hidePanels() {
  window.clearInterval(countdown);
  all("[data-panel]").forEach((panel) => show(panel, false));
}

// ---- controls

function listen() {
  one("[data-big]").addEventListener("click", play);
  one("[data-play]").addEventListener("click", toggle);
  video.addEventListener("click", toggle);
  seek.addEventListener("input", () => (video.currentTime = Number(seek.value)));
  seek.addEventListener("keydown", onArrow);
  one("[data-rate]").addEventListener("click", nextRate);
  one("[data-mute]").addEventListener("click", toggleMute);
  one("[data-go-missing]").addEventListener("click", () => goTo(state.missing[0]?.[0] ?? 0));
  all("[data-again]").forEach((button) => button.addEventListener("click", () => goTo(0)));
  document.addEventListener("keydown", onKey);
  window.addEventListener("pagehide", farewell);
  window.addEventListener("online", report);
  document.addEventListener("visibilitychange", () => {
    onRate();
    if (document.hidden) report();
  });
  window.setInterval(() => video.paused || report(), REPORT_EVERY_MS);
}

function nextRate() {
  video.playbackRate = rateAfter(video.playbackRate);
  one("[data-rate-now]").textContent = `${video.playbackRate}×`;
}

function toggleMute() {
  video.muted = !video.muted;
  one("[data-mute]").setAttribute("aria-pressed", String(video.muted));
}

function onKey(event) {
  const isTyping = event.target.closest("button, a, input, select, dialog");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = { " ": toggle, m: toggleMute, s: nextRate, ArrowLeft: () => step(-5), ArrowRight: () => step(5) }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

function step(seconds) {
  video.currentTime = Math.min(Math.max(video.currentTime + seconds, 0), video.duration || 0);
}

/** The range moves by tenths so that it glides; a key press should be worth pressing. */
function onArrow(event) {
  const step = { ArrowLeft: -ARROW_S, ArrowDown: -ARROW_S, ArrowRight: ARROW_S, ArrowUp: ARROW_S }[event.key];
  if (!step) return;
  event.preventDefault();
  video.currentTime = Math.min(Math.max(video.currentTime + step, 0), video.duration);
}

function begin() {
  const asked = askedSecond();
  if (asked !== null || lesson.resume_s > 0) video.currentTime = asked ?? lesson.resume_s;
  drawTime();
  if (location.hash === "#play" || asked !== null) play();
}

/** `?t=75`: where a quiz, a mentor or a chapter's link sends people. @returns {number|null} */
function askedSecond() {
  const asked = Number.parseFloat(new URLSearchParams(location.search).get("t") ?? "");
  return Number.isFinite(asked) && asked >= 0 ? Math.min(asked, lesson.duration_s) : null;
}

video.controls = false;
show(one("[data-controls]"), true);
show(one("[data-big]"), true);
follow();
listen();
drawWatched();
drawStatus();
drawRequirements();
new PlayerExtras(video, lesson, goTo);
new CaptionsMenu(video, lesson.captions, one("[data-captions]"));
if (video.readyState >= HTMLMediaElement.HAVE_METADATA) begin();
else video.addEventListener("loadedmetadata", begin, { once: true });
if (reports.waiting.length) report();
sendLeftovers(lesson.person, lesson.id);
showCards(lesson.id, video);
