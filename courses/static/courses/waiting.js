// Clips of this course are being made: the page is fetched anew once one of them is there.
// Nothing that somebody is typing is thrown away.

const EVERY_MS = 4000;
let typed = false;
addEventListener("input", () => (typed = true));

const shown = state(document);
const timer = setInterval(look, EVERY_MS);

async function look() {
  if (document.hidden) return;
  let html;
  try {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!response.ok) return;
    html = await response.text();
  } catch {
    return; // no network for a moment
  }
  if (state(new DOMParser().parseFromString(html, "text/html")) === shown) return;
  clearInterval(timer);
  if (!typed) location.replace(location.href);
}

/** What the list of lessons says, which changes when a clip is ready. */
function state(page) {
  return page.querySelector("[data-waiting]")?.textContent.replace(/\s+/g, " ") ?? "";
}
