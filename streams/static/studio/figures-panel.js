// How the show goes: what was sold so far, and viewers and orders of the last half hour.

import { api } from "../livecommerce/api.js";
import { el, one } from "../livecommerce/dom.js";
import { clockTime, count, money } from "../livecommerce/format.js";
import { chart } from "./chart.js";

const PAUSE_MS = 1_500;
const AFTER_MINUTE_MS = 3_000;

export class FiguresPanel {
  #path;
  #figures = null;
  #viewers = null;
  #timer = 0;
  #minuteTimer = 0;

  constructor(showId) {
    this.#path = `/api/v1/shows/${showId}/figures`;
  }

  reset(figures) {
    this.#figures = figures;
    this.#draw();
    this.#waitForMinute();
  }

  /** How many watch right now. */
  viewers(viewers) {
    if (this.#viewers === viewers) return;
    this.#viewers = viewers;
    this.#draw();
  }

  /** Something was bought or taken back: the database knows the sums, asked once for a burst. */
  refresh() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#load(), PAUSE_MS);
  }

  // Each minute has its figure as it begins.
  #waitForMinute() {
    clearTimeout(this.#minuteTimer);
    const left = 60_000 - (Date.now() % 60_000) + AFTER_MINUTE_MS + Math.random() * 2_000;
    this.#minuteTimer = setTimeout(() => this.#load().then(() => this.#waitForMinute()), left);
  }

  async #load() {
    try {
      this.#figures = await api("GET", this.#path);
      this.#draw();
    } catch (error) {
      // The banner tells of a lost connection; the next minute asks again.
      if (error.status === 403 || error.status === 401) clearTimeout(this.#minuteTimer);
    }
  }

  #draw() {
    const figures = this.#figures;
    if (!figures) return;
    one("#sum-orders").textContent = count(figures.orders);
    one("#sum-boxes").textContent = count(figures.boxes);
    one("#sum-money").textContent = money(figures.total_minor, figures.currency);
    const minutes = this.#minutes();
    const most = Math.max(0, ...minutes.map(({ viewers }) => viewers ?? 0));
    const fastest = Math.max(0, ...minutes.map(({ orders }) => orders));
    one("#legend-viewers").textContent = interpolate(gettext("Viewers, at most %s"), [count(most)]);
    one("#legend-orders").textContent = interpolate(gettext("Orders a minute, at most %s"), [count(fastest)]);
    one("#chart").replaceChildren(chart(minutes, this.#words(minutes, most)));
    one("#figures-rows").replaceChildren(...minutes.filter(hasNews).reverse().map(row));
  }

  #minutes() {
    const minutes = this.#figures.minutes.map((minute) => ({ ...minute }));
    if (this.#viewers !== null) minutes.at(-1).viewers = this.#viewers;
    return minutes;
  }

  #words(minutes, most) {
    const orders = minutes.reduce((sum, minute) => sum + minute.orders, 0);
    const now = minutes.at(-1).viewers ?? 0;
    return interpolate(
      gettext("The last 30 minutes: %(now)s viewers now, at most %(most)s; %(orders)s orders."),
      { now, most, orders },
      true,
    );
  }
}

const hasNews = ({ viewers, orders }) => viewers !== null || orders > 0;

function row({ at, viewers, orders }) {
  return el("tr", {}, el("th", { scope: "row" }, clockTime(at)), el("td", { class: "number" }, viewers === null ? "–" : count(viewers)), el("td", { class: "number" }, count(orders)));
}
