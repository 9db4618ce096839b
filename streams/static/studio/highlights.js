// The minutes that sold: the show's course with the proposals in it, and each with its reasons.

import { api } from "../livecommerce/api.js";
import { el, icon, one, show } from "../livecommerce/dom.js";
import { count, duration } from "../livecommerce/format.js";
import { courseChart } from "./course-chart.js";

const LOOK_EVERY_MS = 5_000;
/** Five minutes: who is still here then may have a worker that does not run. */
const LOOKS = 60;

/**
 * `onPlay(second)` is asked to play from there, `onChoose({start_s, end_s}, product)` to put a
 * proposal into the form of a lesson, and `onAdd({start_s, end_s})` to put it behind the parts there.
 *
 * @param {{showId: string, onPlay: (second: number) => void, onChoose: (part: {start_s: number, end_s: number}, product: string) => void, onAdd: (part: {start_s: number, end_s: number}) => void}} desk
 */
export async function openHighlights(desk) {
  const again = one("#highlights-again");
  again.addEventListener("click", () => load(desk));
  await load(desk);
}

async function load(desk) {
  const again = one("#highlights-again");
  show(again, false);
  try {
    draw(await api("GET", `/api/v1/shows/${desk.showId}/highlights`), desk);
  } catch (error) {
    tell(error.message);
    show(again, true);
  }
}

/** Nothing is drawn anew before it is better: somebody may be reading, or choosing. */
async function lookAgain(desk, looks = 1) {
  const found = await api("GET", `/api/v1/shows/${desk.showId}/highlights`).catch(() => null);
  if (found?.listened) draw(found, desk);
  else if (looks < LOOKS) setTimeout(() => lookAgain(desk, looks + 1), LOOK_EVERY_MS);
}

function draw({ proposals, course, delay_s: delay, listened }, desk) {
  one("#highlight-list").replaceChildren(...proposals.map((found, index) => row(found, index, desk)));
  show(one("#highlights-empty"), proposals.length === 0);
  const rough = gettext("The recording is being listened to, so that no part begins in the middle of a word. The page goes on by itself.");
  tell([proposals.length ? introduction(delay) : "", proposals.length && !listened ? rough : ""].join(" ").trim());
  if (proposals.length && !listened) setTimeout(() => lookAgain(desk), LOOK_EVERY_MS);
  show(one("#highlights-course"), Boolean(course));
  if (course) drawCourse(course, proposals, desk);
}

function introduction(delay) {
  if (delay === null) return gettext("When each product sold best while it was shown.");
  const text = gettext("Where more was bought than usual in this show, the clearest first. Its buyers took about %s seconds, so each part begins before the orders.");
  return interpolate(text, [Math.round(delay)]);
}

function drawCourse(course, proposals, { onPlay }) {
  const most = (values) => count(Math.max(0, ...values));
  const step = duration(course.step_s);
  const words = { step, orders: most(course.orders), messages: most(course.messages) };
  one("#highlights-orders").textContent = interpolate(gettext("orders, at most %(orders)s in %(step)s"), words, true);
  one("#highlights-chat").textContent = interpolate(gettext("messages, at most %(messages)s in %(step)s"), words, true);
  const isCounted = course.viewers.some((viewers) => viewers > 0);
  one("#highlights-viewers").textContent = interpolate(gettext("viewers, at most %s"), [most(course.viewers)]);
  show(one("#highlights-viewers"), isCounted);
  const title = interpolate(ngettext("The course of the show with %s proposal.", "The course of the show with %s proposals.", proposals.length), [proposals.length]);
  one("#highlights-chart").replaceChildren(courseChart(course, proposals, title, onPlay));
}

function row(found, index, { onPlay, onChoose, onAdd }) {
  const { start_s: start, end_s: end, product, reasons } = found;
  const where = `${duration(start)} – ${duration(end)}`;
  const play = el("button", { type: "button", class: "button", on: { click: () => onPlay(start) } }, icon("play"), gettext("Play from here"));
  const choose = el("button", { type: "button", class: "button", on: { click: () => onChoose({ start_s: start, end_s: end }, product) } }, icon("scissors"), gettext("Make a clip"));
  const add = el("button", { type: "button", class: "button", on: { click: () => onAdd({ start_s: start, end_s: end }) } }, icon("plus"), gettext("Add to the parts"));
  for (const button of [play, choose, add]) button.setAttribute("aria-describedby", `highlight-${index}`);
  return el(
    "li",
    { class: "highlight", data: { kind: found.kind } },
    el(
      "div",
      { class: "highlight__text", id: `highlight-${index}` },
      el("p", { class: "highlight__where" }, el("b", { class: "number" }, where), " ", el("span", { class: "muted small number" }, duration(end - start))),
      product ? el("p", { class: "highlight__product" }, product) : null,
      el("ul", { class: "highlight__reasons small" }, ...reasons.map((reason) => el("li", {}, reason))),
    ),
    el("div", { class: "highlight__do" }, play, choose, add),
  );
}

function tell(text) {
  one("#highlights-told").textContent = text;
  show(one("#highlights-told"), Boolean(text));
}
