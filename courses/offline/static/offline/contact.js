/** What happens as soon as there is a network: what may not stay goes, and what waits is told. */

import { FEED_PAGE, PAGES, lessons, owner } from "./places.js";
import { Cut, NoRoom, forgetAll, keepPage, remove } from "./keeping.js";
import { tell } from "./waiting.js";

/**
 * Once at a time, whichever page or worker begins; who comes second waits, and then knows the result.
 *
 * @returns {Promise<{told: number, removed: string[]}>} how much was told, which titles went
 */
export async function contact() {
  const person = await owner();
  if (!person) return { told: 0, removed: [] };
  return navigator.locks.request("learn-contact", () => meet(person));
}

async function meet(person) {
  const kept = await lessons();
  const now = await ask(kept.map((one) => one.id));
  if (now === null) return { told: 0, removed: [] };
  if (now.person !== person) {
    await forgetAll();
    return { told: await tell(now.person, now.token), removed: [] };
  }
  const gone = kept.filter((one) => !now.lessons.includes(one.id));
  for (const one of gone) await remove(one.id);
  const told = await tell(person, now.token);
  if (kept.length > gone.length) await renewFeed();
  return { told, removed: gone.map((one) => one.title) };
}

/** Nobody opens this page with a network, when others are kept anew; there may be a newer one. */
async function renewFeed() {
  try {
    await keepPage(FEED_PAGE);
    // The last lesson was removed meanwhile: nothing of this person stays.
    if (!(await lessons()).length) await (await caches.open(PAGES)).delete(FEED_PAGE);
  } catch (error) {
    if (!(error instanceof Cut || error instanceof NoRoom)) throw error; // the one that is here will do
  }
}

/** @returns {Promise<{person: string, token: string, lessons: string[]}|null>} */
async function ask(ids) {
  try {
    const answer = await fetch(`/api/v1/me/kept?lessons=${ids.join(",")}`, { credentials: "same-origin", cache: "no-store" });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}
