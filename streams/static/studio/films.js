/** The page of films from the gallery: choose one, see how far it is, go on after a break. */

import { api } from "../livecommerce/api.js";
import { FilmUpload } from "./film-upload.js";

const LOOK_EVERY_MS = 2000;

const root = document.querySelector("[data-films]");
const input = root.querySelector("input[type=file]");
const list = root.querySelector("[data-list]");
const template = root.querySelector("template");
const problem = root.querySelector("[data-problem]");
const running = new Set();

input.addEventListener("change", () => {
  const files = [...input.files];
  input.value = "";
  for (const file of files) begin(file);
});
window.addEventListener("beforeunload", (event) => {
  if (running.size) event.preventDefault();
});
for (const row of list.querySelectorAll("[data-id]")) take(row);

async function begin(file) {
  problem.hidden = true;
  try {
    const upload = await api("POST", "/api/v1/uploads", {
      seller: root.dataset.seller,
      name: file.name,
      size: file.size,
      modified_ms: file.lastModified,
    });
    await bring(file, upload, rowOf(upload));
  } catch (error) {
    problem.textContent = `${file.name}: ${error.errors?.[0]?.message ?? error.message}`;
    problem.hidden = false;
  }
}

async function bring(file, upload, row) {
  if (running.has(upload.id)) return;
  const film = new FilmUpload(file, upload.id, (sent, isWaiting) => {
    progress(row, sent / file.size);
    say(row, isWaiting ? gettext("No network. It goes on by itself.") : share(sent, file.size));
  });
  remover(row, () => film.cancel());
  running.add(upload.id);
  try {
    const done = await film.run();
    if (done) await follow(done, row);
  } catch (error) {
    say(row, error.message);
    row.classList.add("is-failed");
  } finally {
    running.delete(upload.id);
  }
}

/** Until a film that has arrived is one that can be watched. */
async function follow(upload, row) {
  let now = upload;
  running.delete(upload.id);
  while (now.state === "arrived" && row.isConnected) {
    progress(row, now.progress);
    say(row, gettext("It has arrived and is being prepared."));
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    now = await api("GET", `/api/v1/uploads/${upload.id}`).catch(() => now);
  }
  row.dataset.state = now.state;
  row.querySelector("progress").hidden = true;
  const remove = row.querySelector("[data-cancel]");
  remove.hidden = now.state === "ready";
  remove.textContent = gettext("Remove");
  say(row, now.state === "ready" ? gettext("Ready.") : now.error);
  const link = row.querySelector("[data-open]");
  link.href = root.dataset.show.replace("00000000-0000-0000-0000-000000000000", now.show);
  link.hidden = now.state !== "ready";
}

/** A row that the server drew: one that was broken off waits for its file. */
function take(row) {
  remover(row, () => api("DELETE", `/api/v1/uploads/${row.dataset.id}`));
  if (row.dataset.state === "arrived") {
    api("GET", `/api/v1/uploads/${row.dataset.id}`).then((upload) => follow(upload, row));
  }
}

/** The row goes once the film is gone; meanwhile a second tap does nothing. */
function remover(row, takeAway) {
  const button = row.querySelector("[data-cancel]");
  button.onclick = async () => {
    button.disabled = true;
    try {
      const upload = await takeAway();
      if (upload.state === "cancelled") row.remove();
      else await follow(upload, row); // it was ready by then
    } catch (error) {
      say(row, error.message);
      button.disabled = false;
    }
  };
}

function rowOf(upload) {
  const known = list.querySelector(`[data-id="${upload.id}"]`);
  if (known) return known;
  const row = template.content.firstElementChild.cloneNode(true);
  row.dataset.id = upload.id;
  row.dataset.state = upload.state;
  row.querySelector("[data-name]").textContent = upload.title;
  list.prepend(row);
  return row;
}

function progress(row, part) {
  row.querySelector("progress").value = part;
}

function say(row, text) {
  row.querySelector("[data-says]").textContent = text;
}

function share(sent, size) {
  const megabytes = (bytes) => (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);
  const text = gettext("%(sent)s of %(size)s MB");
  return interpolate(text, { sent: megabytes(sent), size: megabytes(size) }, true);
}
