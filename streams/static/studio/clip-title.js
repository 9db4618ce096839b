// The title of a finished clip, and giving it another one in its place.

import { api } from "../livecommerce/api.js";
import { el, icon } from "../livecommerce/dom.js";

const LONGEST = 120;

/** @param {{id: string, title: string}} clip its `title` follows */
export function clipTitle(clip) {
  const place = el("div", { class: "clip__title" });
  read(place, clip);
  return place;
}

function read(place, clip) {
  const label = interpolate(gettext("Rename “%s”"), [clip.title]);
  const change = el("button", { type: "button", class: "button button--icon button--quiet", "aria-label": label, on: { click: () => write(place, clip) } }, icon("edit"));
  place.replaceChildren(el("h3", {}, clip.title), change);
  return change;
}

function write(place, clip) {
  const input = el("input", { type: "text", required: true, maxlength: LONGEST, value: clip.title, "aria-label": gettext("Title") });
  const back = () => read(place, clip).focus();
  const cancel = el("button", { type: "button", class: "button button--quiet", on: { click: back } }, gettext("Cancel"));
  const problem = el("p", { class: "field__error", role: "alert" });
  const form = el("form", { class: "stack stack--tight" }, input, problem, el("div", { class: "row" }, el("button", { class: "button button--primary" }, gettext("Save")), cancel));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.textContent = "";
    try {
      clip.title = (await api("PATCH", `/api/v1/clips/${clip.id}`, { title: input.value })).title;
      back();
    } catch (error) {
      problem.textContent = error.message;
    }
  });
  form.addEventListener("keydown", ({ key }) => key === "Escape" && back());
  place.replaceChildren(form);
  input.select();
}
