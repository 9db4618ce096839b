// A course out of a show: watch, trim and order the parts. Everything it does to the form can be
// typed as well; without this script the form still works.

import { api } from "../livecommerce/api.js";
import { all, one, pageData, show } from "../livecommerce/dom.js";
import { duration } from "../livecommerce/format.js";
import { courseChart } from "../studio/course-chart.js";
import { ReplayVideo } from "../studio/replay-video.js";
import { exactTime, seconds } from "../studio/words.js";

const TAIL_S = 3;
const NEW_PART_S = 60;

const data = pageData("show-to-cut");
const video = /** @type {HTMLVideoElement} */ (one("#cut-video"));
const list = one("#cut-list");
const sum = document.querySelector("#cut-sum");
let until = Infinity;
let opened = null;

for (const part of all("[data-part]", list)) equip(part);
listenToVideo();
drawSum();
drawChart();
const add = one("#cut-add");
show(add, true);
add.addEventListener("click", addPart);

/** Data costs money: the replay is fetched when somebody wants to see it. */
function open() {
  opened ??= new ReplayVideo(video, `/shows/${data.show_id}/playback/`, (isTrouble) =>
    tell(isTrouble ? gettext("The replay does not play. Check the connection; what you typed stays.") : ""),
  ).open(data.replay.url);
  return opened;
}

function listenToVideo() {
  video.addEventListener("play", () => void open(), { once: true });
  video.addEventListener("timeupdate", () => {
    if (video.currentTime < until) return;
    until = Infinity;
    video.pause();
  });
}

async function watch(start, end) {
  try {
    video.classList.add("is-used");
    await open();
    video.currentTime = start;
    until = end;
    await video.play();
  } catch (error) {
    if (error.name === "AbortError") return; // another part was chosen meanwhile
    tell(gettext("The replay does not play. Check the connection; what you typed stays."));
  }
}

function equip(part) {
  show(one("[data-tools]", part), true);
  one("[data-play]", part).addEventListener("click", () => watch(time(part, "start_s"), time(part, "end_s")));
  for (const button of all("[data-step]", part)) {
    show(button, true);
    button.addEventListener("click", () => step(part, button.dataset.of, Number(button.dataset.step)));
  }
  for (const button of all("[data-move]", part)) button.addEventListener("click", () => move(part, button));
  part.addEventListener("input", () => refresh(part));
  refresh(part);
}

function field(part, name) {
  return /** @type {HTMLInputElement} */ (one(`[data-time="${name}"]`, part));
}

function time(part, name) {
  return seconds(field(part, name).value);
}

/** A second more or less, and what that sounds like: from the new start, or up to the new end. */
function step(part, name, by) {
  const now = time(part, name);
  if (Number.isNaN(now)) return;
  const next = Math.max(0, Math.min(data.replay.duration_s, now + by));
  field(part, name).value = exactTime(next);
  refresh(part);
  if (name === "start_s") watch(next, time(part, "end_s"));
  else watch(Math.max(time(part, "start_s"), next - TAIL_S), next);
}

function move(part, button) {
  const isUp = button.dataset.move === "up";
  const other = isUp ? part.previousElementSibling : part.nextElementSibling;
  if (!other) return;
  if (isUp) other.before(part);
  else other.after(part);
  button.focus(); // it went away with the part for a moment
  part.scrollIntoView({ block: "nearest" });
}

function refresh(part) {
  const length = time(part, "end_s") - time(part, "start_s");
  const isTicked = /** @type {HTMLInputElement} */ (one("[data-pick]", part)).checked;
  part.classList.toggle("is-ticked", isTicked);
  one("[data-length]", part).textContent = lengthWords(length);
  drawSum();
}

function lengthWords(length) {
  if (!(length > 0)) return gettext("ends before it begins");
  if (length > 180) return interpolate(gettext("%s, longer than the three minutes of a lesson"), [duration(length)]);
  return duration(length);
}

function drawSum() {
  if (!sum) return;
  const ticked = all("[data-part]", list).filter((part) => /** @type {HTMLInputElement} */ (one("[data-pick]", part)).checked);
  const whole = ticked.reduce((total, part) => total + Math.max(0, time(part, "end_s") - time(part, "start_s") || 0), 0);
  const words = ngettext("%(count)s lesson, %(length)s together", "%(count)s lessons, %(length)s together", ticked.length);
  sum.textContent = ticked.length ? interpolate(words, { count: ticked.length, length: duration(whole) }, true) : gettext("Nothing is ticked yet.");
}

function addPart() {
  const template = /** @type {HTMLTemplateElement} */ (one("#cut-template"));
  const row = Number(add.dataset.next);
  add.dataset.next = String(row + 1);
  const holder = document.createElement("ol");
  holder.append(template.content.cloneNode(true));
  for (const element of all("*", holder)) {
    for (const name of ["id", "name", "for", "value"]) {
      const value = element.getAttribute(name);
      if (value?.includes("ROW")) element.setAttribute(name, value.replace("ROW", String(row)));
    }
  }
  const part = one("[data-part]", holder);
  list.append(part);
  const start = Math.min(video.currentTime || 0, Math.max(0, data.replay.duration_s - 1));
  field(part, "start_s").value = exactTime(start);
  field(part, "end_s").value = exactTime(Math.min(data.replay.duration_s, start + NEW_PART_S));
  /** @type {HTMLInputElement} */ (one("[data-pick]", part)).checked = true;
  equip(part);
  one("[data-title]", part).focus();
}

/** Orders and talk over the show, with the proposals in it. */
async function drawChart() {
  try {
    const { course, proposals } = await api("GET", `/api/v1/shows/${data.show_id}/highlights`);
    if (!course || !proposals.length) return;
    const words = interpolate(ngettext("The course of the show with %s proposal.", "The course of the show with %s proposals.", proposals.length), [proposals.length]);
    one("#cut-chart").replaceChildren(courseChart(course, proposals, words, (second) => watch(second, Infinity)));
    show(one("#cut-chart"), true);
  } catch (error) {
    console.warn("the course of the show is not drawn:", error); // the parts and their reasons are there
  }
}

function tell(text) {
  one("#cut-told").textContent = text;
}
