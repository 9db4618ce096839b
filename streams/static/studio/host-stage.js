// What only a host has on the console: the camera, going live, ending, and the command line.

import { api } from "../livecommerce/api.js";
import { one, show } from "../livecommerce/dom.js";
import { EarlyDialog } from "./early.js";
import { lastWords } from "./stage-words.js";
import { Stage } from "./stage.js";

const TELL_EVERY_MS = 500;
const AGAIN_MS = 2_000;
// Without a network nobody can be told that what is left is not sent.
const GIVE_UP_MS = 3_000;

export class HostStage {
  #stage;
  #showId;
  #early;
  #isRehearsal;
  #isEnding = false;
  #isSized = false;
  #givenUp;
  #giveUp;

  constructor(showId, { isRehearsal = false, isPractice = false, startsInMs = 0 } = {}) {
    this.#showId = showId;
    this.#isRehearsal = isRehearsal;
    this.#early = isRehearsal || isPractice ? null : new EarlyDialog(startsInMs);
    this.#givenUp = new Promise((resolve) => (this.#giveUp = resolve));
    this.#stage = new Stage(`${location.origin.replace("http", "ws")}/ws/ingest/${showId}/`, {
      isRehearsal,
      isPractice,
      onPassed: (passed) => tellPassed(showId, passed),
    });
    if (isRehearsal) one("#ready-form").addEventListener("submit", (event) => this.#goOn(event));
    const dialog = one("#end-dialog");
    one("#end-show").addEventListener("click", () => dialog.showModal());
    one("#end-no").addEventListener("click", () => dialog.close());
    one("#end-yes").addEventListener("click", () => this.#end());
    one("#end-without").addEventListener("click", () => this.#endWithout());
    dialog.addEventListener("cancel", (event) => this.#isEnding && event.preventDefault());
    one("#copy-command").addEventListener("click", copyCommand);
    one("#preview-size").addEventListener("click", () => this.#resize(!this.#isSmall));
    one("#go-live").addEventListener("click", () => this.#begin());
  }

  open() {
    this.#stage.open();
  }

  running(news) {
    this.#stage.know(news);
    show(one("#end-show"), true);
    if (this.#isRehearsal) show(one("#ready-form"), true);
    this.#early?.settle();
    this.#begin();
  }

  /** The show is on, whoever's camera it has: the chat gets the room, until the host says else. */
  #begin() {
    if (!this.#isSized) this.#resize(true);
  }

  /** The show ended elsewhere. */
  async leave() {
    if (this.#isEnding) return;
    this.#isEnding = true;
    if (!(await this.#stage.stop())) await this.#sendRest();
    this.#goToReplay();
  }

  get #isSmall() {
    return one("#stage").hasAttribute("data-small");
  }

  // On a phone a large preview is for before the show: during it, the chat needs the room.
  #resize(isSmall) {
    this.#isSized = true;
    one("#stage").toggleAttribute("data-small", isSmall);
    const label = isSmall ? gettext("Larger picture") : gettext("Small picture, more room for the chat");
    one("#preview-size").setAttribute("aria-label", label);
    one("#preview-size").title = label;
    one("#preview-size").dataset.shows = isSmall ? "small" : "large";
  }

  async #end() {
    this.#isEnding = true;
    tellEnding(gettext("Sending the last seconds…"));
    show(one("#end-no"), false);
    one("#end-yes").disabled = true;
    const isSent = await this.#stage.stop();
    try {
      await this.#tellServer();
    } catch (problem) {
      this.#isEnding = false;
      show(one("#end-no"), true);
      one("#end-yes").disabled = false;
      tellEnding(problem.message);
      return;
    }
    if (!isSent) await this.#sendRest();
    this.#goToReplay();
  }

  /** Viewers need not wait for what is still here; without a network they have to. */
  async #tellServer() {
    for (;;) {
      try {
        return await api("POST", `/api/v1/shows/${this.#showId}/end`);
      } catch (problem) {
        if (problem.code !== "network") throw problem;
      }
      tellEnding(gettext("No network. The show ends when it is back: keep this page open."));
      await later(AGAIN_MS);
    }
  }

  /** The show is over; the replay waits for what is still here. */
  async #sendRest() {
    const dialog = one("#end-dialog");
    if (!dialog.open) dialog.showModal();
    for (const id of ["#end-no", "#end-yes", "#end-sure"]) show(one(id), false);
    show(one("#end-without"), true);
    const tell = () => tellEnding(lastWords(this.#stage.leftSeconds));
    tell();
    const telling = setInterval(tell, TELL_EVERY_MS);
    await Promise.race([this.#stage.rest(), this.#givenUp]);
    clearInterval(telling);
  }

  async #endWithout() {
    one("#end-without").disabled = true;
    this.#stage.giveUpRest();
    await Promise.race([this.#stage.rest(), later(GIVE_UP_MS)]);
    this.#giveUp();
  }

  /** On to the real show. What is still here of a rehearsal nobody waits for. */
  async #goOn(event) {
    event.preventDefault();
    one("#ready").disabled = true;
    this.#isEnding = true;
    if (!(await this.#stage.stop())) this.#stage.giveUpRest();
    this.#stage.close();
    event.target.submit();
  }

  #goToReplay() {
    this.#stage.close();
    location.reload();
  }
}

/** So that the list for the first show can tick it; the show goes on without that. */
function tellPassed(showId, passed) {
  api("POST", `/studio/shows/${showId}/tried/`, { passed }).catch(() => {});
}

function later(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

// A screen reader reads it again whenever it is written.
function tellEnding(text) {
  if (one("#ending").textContent !== text) one("#ending").textContent = text;
  show(one("#ending"), true);
}

async function copyCommand() {
  const [button, command] = [one("#copy-command"), one("#command")];
  try {
    await navigator.clipboard.writeText(command.textContent);
    button.textContent = gettext("Copied");
  } catch {
    // No clipboard outside a secure context: select it, so that one can copy by hand.
    getSelection().selectAllChildren(command);
  }
}
