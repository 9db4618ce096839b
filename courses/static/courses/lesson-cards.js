/** Over a lesson's video: the product that is shown, and what viewers wrote then, without names. */

import { api } from "../livecommerce/api.js";
import { el, one, show } from "../livecommerce/dom.js";

const MOST_LINES = 2;

/**
 * @typedef {{kind: string, start_s: number, end_s: number, text: string, who: string, price: string}} Cue
 * @param {string} lessonId @param {HTMLVideoElement} video
 */
export async function showCards(lessonId, video) {
  const cues = await api("GET", `/api/v1/lessons/${lessonId}/cues`).catch((error) => {
    console.warn("the lesson is shown without its cards:", error);
    return /** @type {Cue[]} */ ([]);
  });
  if (!cues.length) return;
  let drawn = "";
  const draw = () => {
    const now = cuesAt(cues, video.currentTime);
    const key = now.map(({ kind, start_s: start }) => `${kind}${start}`).join();
    if (key === drawn) return;
    drawn = key;
    drawProduct(now.find(({ kind }) => kind === "product"));
    const lines = now.filter(({ kind }) => kind === "chat").slice(-MOST_LINES);
    one("[data-said]").replaceChildren(...lines.map(({ who, text }) => el("p", {}, el("b", {}, who), " ", text)));
  };
  for (const name of ["timeupdate", "seeked", "playing"]) video.addEventListener(name, draw);
  draw();
}

/** What is shown at a second of the lesson. @param {Cue[]} cues @param {number} second @returns {Cue[]} */
export function cuesAt(cues, second) {
  return cues.filter(({ start_s: start, end_s: end }) => start <= second && second < end);
}

function drawProduct(cue) {
  const card = one("[data-card]");
  show(card, Boolean(cue));
  if (cue) card.replaceChildren(el("span", {}, cue.text), el("b", { class: "number" }, cue.price));
}
