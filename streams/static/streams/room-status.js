/** What the stage says while there is no moving picture, and what the connection says. */

import { el, show } from "../livecommerce/dom.js";
import { clockTime, dayAndTime } from "../livecommerce/format.js";

const DAY_MS = 86_400_000;

/**
 * The words over the picture for a state of the show.
 *
 * @param {{state: string, interrupted: boolean, host: string, stopped?: boolean}} shown
 * @param {{scheduledAt: Date, hasPicture: boolean, nothingRecorded: boolean, wasRemoved?: boolean, isAway?: boolean, isLate?: boolean}} facts
 * @returns {Node[]}
 */
export function stageWords(shown, { scheduledAt, hasPicture, nothingRecorded, wasRemoved = false, isAway = false, isLate = false }) {
  if (shown.state === "scheduled") return beforeStart(shown.host, scheduledAt);
  if (shown.state === "ended") return shown.stopped ? afterStop() : afterEnd(nothingRecorded, wasRemoved);
  if (shown.interrupted || isAway) {
    const meanwhile = isLate ? gettext("The camera is back and is catching up.") : gettext("You can go on chatting and buying.");
    return words(gettext("The picture will be back in a moment"), meanwhile);
  }
  return hasPicture ? [] : words(gettext("The picture is coming…"));
}

function words(headline, more) {
  const nodes = [el("p", { class: "stage__headline" }, headline)];
  return more ? [...nodes, el("p", {}, more)] : nodes;
}

function beforeStart(host, scheduledAt) {
  const leftMs = scheduledAt.getTime() - Date.now();
  if (leftMs <= 0) {
    const ready = interpolate(gettext("%s is getting ready"), [host]);
    return words(ready, gettext("The show starts any moment. You can already look at the products."));
  }
  const time = leftMs < DAY_MS ? clockTime(scheduledAt) : dayAndTime(scheduledAt);
  const nodes = words(interpolate(gettext("%(host)s starts at %(time)s"), { host, time }, true));
  return leftMs < DAY_MS ? [...nodes, el("p", { class: "stage__countdown", role: "timer", "aria-live": "off" }, countdown(leftMs))] : nodes;
}

function countdown(leftMs) {
  const seconds = Math.ceil(leftMs / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.slice(parts[0] ? 0 : 1).map((part) => String(part).padStart(2, "0")).join(":");
}

function afterEnd(nothingRecorded, wasRemoved) {
  if (!nothingRecorded) {
    return words(gettext("The show has ended"), gettext("The replay is being prepared and opens here by itself."));
  }
  if (wasRemoved) {
    return words(gettext("This show has ended"), gettext("The host has removed the recording, so there is no replay. Everything in it can still be bought."));
  }
  return words(gettext("This show has ended"), gettext("Nothing was recorded, so there is no replay. Everything in it can still be bought."));
}

/** Why is between the operator and the seller. */
function afterStop() {
  return words(gettext("This show was ended by the operator"), gettext("Orders that were placed stay as they are."));
}

/** Tells of a lost connection, but not of one that is back before anybody noticed. */
export class ConnectionBanner {
  #timer = 0;

  /** @param {HTMLElement} element @param {string} loginUrl */
  constructor(element, loginUrl) {
    this.element = element;
    this.loginUrl = loginUrl;
  }

  /** @param {import("./room-client.js").ConnectionState} state @param {number|null} code */
  tell(state, code) {
    if (state === "open") this.#hide();
    else if (state === "closed") this.#show(closedText(code, this.wasIn), code === 4401 ? this.loginUrl : null);
    else if (state === "lost") this.#timer ||= setTimeout(() => this.#show(lostText(code), null), 1500);
  }

  #hide() {
    this.wasIn = true;
    clearTimeout(this.#timer);
    this.#timer = 0;
    show(this.element, false);
  }

  #show(text, loginUrl) {
    const link = loginUrl && el("a", { class: "button", href: loginUrl }, gettext("Sign in"));
    this.element.replaceChildren(text, ...(link ? [link] : []));
    show(this.element, true);
  }
}

function lostText(code) {
  if (code === 4429) return gettext("That was a little too much at once. We will be back in a moment…");
  return gettext("Connection lost. Trying again…");
}

function closedText(code, wasIn) {
  if (code === 4403 && wasIn) return gettext("You can no longer be in this show.");
  if (code === 4401) return gettext("Please sign in to see this show.");
  if (code === 4404) return gettext("This show is no longer here.");
  return gettext("You cannot join this show.");
}
