// A clip as a file to take away, with its title and products in the picture: made when it is wanted.

import { api } from "../livecommerce/api.js";
import { el, icon } from "../livecommerce/dom.js";

const POLL_MS = 700;

/** A button that has the file made, tells how far it is, and becomes the link to it. */
export function copyButton(clip) {
  const words = el("span", { "aria-live": "polite" }, gettext("Download with title"));
  const button = el("button", { type: "button", class: "button button--quiet" }, icon("download"), words);
  button.addEventListener("click", async () => {
    button.setAttribute("disabled", "");
    words.textContent = gettext("Making the file…");
    try {
      const link = await made(clip);
      button.replaceWith(link);
      link.focus();
    } catch (error) {
      words.textContent = error.message;
      button.removeAttribute("disabled");
    }
  });
  return button;
}

async function made({ id }) {
  let copy = await api("POST", `/api/v1/clips/${id}/copy`);
  while (copy.state === "waiting") {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    copy = await api("GET", `/api/v1/clips/${id}/copy`);
  }
  if (copy.state !== "ready") throw new Error(copy.error || gettext("The file could not be made."));
  return el("a", { class: "button", href: copy.url, download: "" }, icon("download"), gettext("Save the file"));
}
