// @ts-check
/** Load the page again once the film of the practice is there: it takes a few seconds. */

const LOOKS_EVERY_MS = 3000;

async function look() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (answer.ok && !page.querySelector("[data-film-is-made]")) {
      location.reload();
      return;
    }
  } catch {
    // No network: it is looked at again.
  }
  setTimeout(look, LOOKS_EVERY_MS);
}

setTimeout(look, LOOKS_EVERY_MS);
