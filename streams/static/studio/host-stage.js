// What only a host has on the console: the camera, going live, ending, and the command line.

import { api } from "../livecommerce/api.js";
import { one, show } from "../livecommerce/dom.js";
import { Stage } from "./stage.js";

export class HostStage {
  #stage;
  #showId;
  #isEnding = false;
  #isSized = false;

  constructor(showId) {
    this.#showId = showId;
    this.#stage = new Stage(`${location.origin.replace("http", "ws")}/ws/ingest/${showId}/`);
    const dialog = one("#end-dialog");
    one("#end-show").addEventListener("click", () => dialog.showModal());
    one("#end-no").addEventListener("click", () => dialog.close());
    one("#end-yes").addEventListener("click", () => this.#end());
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
    await this.#stage.finish();
    location.reload();
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
    one("#end-yes").disabled = true;
    await this.#stage.finish();
    try {
      await api("POST", `/api/v1/shows/${this.#showId}/end`);
      location.reload();
    } catch (problem) {
      this.#isEnding = false;
      one("#end-yes").disabled = false;
      tellEnding(problem.message);
    }
  }
}

function tellEnding(text) {
  one("#ending").textContent = text;
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
