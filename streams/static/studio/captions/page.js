/** Captions beside their video: hear it, correct it, and say in which language. */

import { ApiError, api, csrfToken } from "../../livecommerce/api.js";
import { el, one, pageData, show } from "../../livecommerce/dom.js";
import { duration } from "../../livecommerce/format.js";
import { ReplayVideo } from "../replay-video.js";
import { Cues } from "./cues.js";
import { Rows } from "./rows.js";
import { wordsOf } from "./words.js";

const LOOK_MS = 2000;
const PREVIEW_MS = 400;

const data = pageData("captions-data");
const video = /** @type {HTMLVideoElement} */ (one("#video"));
const cues = new Cues(Math.round(data.replay.duration_s * 1000));
const rows = new Rows(one("#cues"), { cues, video, onChange: changed, seek, refuse: (why) => say(why, "error") });
const preview = video.addTextTrack("captions", gettext("What you write"));
const beside = /** @type {HTMLSelectElement} */ (one("#beside"));
const chooser = /** @type {HTMLSelectElement} */ (one("#track"));
const dialog = /** @type {HTMLDialogElement} */ (one("#new-dialog"));
let tracks = /** @type {any[]} */ ([]);
let current = /** @type {any} */ (null);
let previewTimer = 0;
let looking = 0;
let opening = 0;
let isSaving = false;

preview.mode = "showing";
new ReplayVideo(video, data.playback_url, (isTrouble) => show(one("#video-problem"), isTrouble)).open(data.replay.url);
video.addEventListener("timeupdate", follow);
chooser.addEventListener("change", () => choose(chooser.value));
beside.addEventListener("change", showBeside);
one("#undo").addEventListener("click", () => step("undo"));
one("#redo").addEventListener("click", () => step("redo"));
one("#add-cue").addEventListener("click", addCue);
one("#save").addEventListener("click", () => save());
one("#theirs").addEventListener("click", () => open(current));
one("#mine").addEventListener("click", saveMine);
one("#remove").addEventListener("click", removeTrack);
one("#new").addEventListener("click", () => dialog.showModal());
one("#new-close").addEventListener("click", () => dialog.close());
one("#new-form").addEventListener("submit", begin);
one("#file").addEventListener("change", () => importInto(/** @type {HTMLInputElement} */ (one("#file"))));
document.addEventListener("keydown", onKey);
addEventListener("beforeunload", (event) => cues.isChanged && event.preventDefault());
look();

// ---- tracks

/** @param {string} [wanted] the track to show, instead of the one that is open */
async function look(wanted = current?.id) {
  clearTimeout(looking);
  try {
    const answer = await api("GET", data.captions_url);
    tracks = answer.tracks;
    await drawTracks(wanted);
  } catch (error) {
    say(error.message, "error");
  }
  if (tracks.some((track) => track.state === "waiting")) looking = setTimeout(look, LOOK_MS);
}

async function drawTracks(wanted) {
  const known = tracks.find((track) => track.id === wanted);
  const next = known ?? tracks.find((track) => track.state === "ready") ?? tracks[0] ?? null;
  chooser.replaceChildren(...tracks.map((track) => el("option", { value: track.id }, trackName(track))));
  if (next) chooser.value = next.id;
  show(one("#none"), !tracks.length);
  show(one("#has-tracks"), tracks.length > 0);
  drawBeside(next);
  const isNew = next?.id !== current?.id || (next && next.state === "ready" && current.state !== "ready");
  if (isNew) await choose(next?.id);
  else if (next) drawState(next);
}

function trackName(track) {
  const name = track.name || gettext("Language is being found out");
  if (track.state === "waiting") return `${name} · ${Math.round(track.progress * 100)} %`;
  if (track.state === "failed") return interpolate(gettext("%s (failed)"), [name]);
  return track.automatic ? interpolate(gettext("%s (automatic)"), [name]) : name;
}

async function choose(id) {
  const wanted = tracks.find((track) => track.id === id) ?? null;
  if (cues.isChanged && wanted?.id !== current?.id && !confirm(gettext("What you changed is not saved. Go on without it?"))) {
    chooser.value = current.id;
    return;
  }
  current = wanted;
  drawBeside(current);
  if (current) await open(current);
}

async function open(track) {
  const run = ++opening;
  show(one("#conflict"), false);
  show(one("#problems"), false);
  drawState(track);
  cues.open([]);
  if (track.state === "ready") {
    try {
      const found = await api("GET", `${data.captions_url}/${track.id}`);
      if (run !== opening) return;
      track.version = found.version;
      cues.open(found.cues);
    } catch (error) {
      say(error.message, "error");
    }
  }
  drawAll();
}

function drawState(track) {
  const isReady = track.state === "ready";
  show(one("#editor"), isReady);
  show(one("#remove"), true);
  one("#foot").classList.toggle("is-idle", !isReady);
  show(one("#waiting"), track.state === "waiting");
  show(one("#failed"), track.state === "failed");
  /** @type {HTMLProgressElement} */ (one("#waiting-progress")).value = track.progress;
  one("#waiting-text").textContent = interpolate(gettext("What is said is being written down: %s percent. You can leave this page meanwhile."), [Math.round(track.progress * 100)]);
  one("#failed-text").textContent = track.error;
  one("#remove-text").textContent = track.state === "waiting" ? gettext("Stop") : gettext("Remove");
  for (const kind of ["vtt", "srt"]) one(`#as-${kind}`).setAttribute("href", `${data.captions_url}/${track.id}.${kind}`);
}

async function removeTrack() {
  const question = current.state === "ready" ? gettext("Remove these captions? They cannot be brought back.") : gettext("Stop writing down what is said?");
  if (!confirm(question)) return;
  await tried(async () => {
    await api("DELETE", `${data.captions_url}/${current.id}`);
    cues.open([]);
    current = null;
    show(one("#remove"), false);
    await look();
    drawAll();
  });
}

async function begin(event) {
  event.preventDefault();
  const form = new FormData(/** @type {HTMLFormElement} */ (one("#new-form")));
  const how = String(form.get("how"));
  const language = String(form.get("other") || form.get("language")).trim();
  const file = /** @type {HTMLInputElement} */ (one("#new-file"));
  one("#new-error").textContent = "";
  try {
    const read = how === "file" ? await readFile(file) : null;
    const like = how === "like" ? current?.id : null;
    const made = await api("POST", data.captions_url, { by: how === "speech" ? "speech" : "hand", language, like });
    dialog.close();
    cues.open([]);
    current = null;
    await look(made.id);
    if (read) take(read);
    if (how === "like") await sideBy(tracks.find((track) => track.id === like));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    one("#new-error").textContent = error.message;
  }
}

// ---- files

/** @param {HTMLInputElement} input */
async function readFile(input) {
  const file = input.files?.[0];
  if (!file) throw new ApiError("invalid_input", gettext("Choose a file first."));
  const response = await fetch(`${data.captions_url}/read`, {
    method: "POST",
    headers: { "X-CSRFToken": csrfToken(), "Content-Type": "application/octet-stream" },
    credentials: "same-origin",
    body: file,
  });
  const answer = await response.json();
  input.value = "";
  if (!response.ok) throw new ApiError(answer.code, answer.detail ?? answer.title, [], response.status);
  return answer;
}

async function importInto(input) {
  show(one("#problems"), false); // those of an earlier file
  await tried(async () => take(await readFile(input)));
}

function take({ cues: found, problems }) {
  const late = cues.replace(found);
  drawAll();
  const lines = problems.map(({ line, text }) => el("li", {}, interpolate(gettext("Line %(line)s: %(text)s"), { line, text }, true)));
  if (late) lines.push(el("li", {}, interpolate(ngettext("%s caption begins after the end of the video and was left out.", "%s captions begin after the end of the video and were left out.", late), [late])));
  one("#problems-list").replaceChildren(...lines);
  show(one("#problems"), lines.length > 0);
  const text = ngettext("%s caption was read. Look at it, then save.", "%s captions were read. Look at them, then save.", cues.list.length);
  say(interpolate(text, [cues.list.length]), "ok");
}

// ---- another language beside

function drawBeside(track) {
  const others = tracks.filter((other) => other.state === "ready" && other.id !== track?.id);
  const chosen = beside.value;
  const none = el("option", { value: "" }, gettext("Nothing"));
  beside.replaceChildren(none, ...others.map((other) => el("option", { value: other.id }, trackName(other))));
  beside.value = others.some((other) => other.id === chosen) ? chosen : "";
  show(one("#beside-field"), others.length > 0);
  show(one("#how-like"), Boolean(track && track.state === "ready"));
}

async function sideBy(track) {
  if (!track) return;
  beside.value = track.id;
  await showBeside();
}

async function showBeside() {
  const found = beside.value ? await api("GET", `${data.captions_url}/${beside.value}`) : { cues: [] };
  rows.other = found.cues;
  drawAll();
}

// ---- editing

function changed() {
  drawTools();
  clearTimeout(previewTimer);
  previewTimer = setTimeout(drawPreview, PREVIEW_MS);
}

function drawAll() {
  rows.draw();
  show(one("#no-cues"), !cues.list.length);
  drawPreview();
  drawTools();
  follow();
}

function drawTools() {
  /** @type {HTMLButtonElement} */ (one("#undo")).disabled = !cues.canUndo;
  /** @type {HTMLButtonElement} */ (one("#redo")).disabled = !cues.canRedo;
  /** @type {HTMLButtonElement} */ (one("#save")).disabled = !cues.isChanged || isSaving;
  show(one("#no-cues"), !cues.list.length);
  if (cues.isChanged) say(gettext("Not saved yet."));
}

/** What viewers would see, over the video. */
function drawPreview() {
  for (const shown of [...(preview.cues ?? [])]) preview.removeCue(shown);
  for (const { start_ms, end_ms, text } of cues.list) if (text) preview.addCue(new VTTCue(start_ms / 1000, end_ms / 1000, escaped(text)));
}

function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function step(name) {
  rows.commit();
  cues[name]();
  drawAll();
  say(name === "undo" ? gettext("Taken back.") : gettext("Done again."));
}

function addCue() {
  rows.commit();
  const at = cues.insert(video.currentTime * 1000);
  if (at < 0) return say(gettext("There is a caption at this moment already. Split it, or end it earlier."), "error");
  drawAll();
  rows.focus(at);
}

function onKey(event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
  const key = event.key.toLowerCase();
  if (key === "s") {
    event.preventDefault();
    save();
  } else if ((key === "z" || key === "y") && !(event.target instanceof HTMLTextAreaElement)) {
    event.preventDefault();
    step(key === "y" || event.shiftKey ? "redo" : "undo");
  }
}

async function save() {
  rows.commit();
  if (!cues.isChanged || isSaving) return;
  const sent = cues.list;
  isSaving = true;
  drawTools();
  try {
    const kept = await api("PUT", `${data.captions_url}/${current.id}`, { version: current.version, cues: sent });
    current.version = kept.version;
    cues.saved(sent, kept.cues);
    show(one("#conflict"), false);
    say(gettext("Saved. Viewers see it from now on."), "ok");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    show(one("#conflict"), error.code === "captions_changed");
    say(error.message, "error");
    const field = error.errors[0]?.field ?? "";
    if (/^cues\.\d+$/.test(field)) rows.focus(Number(field.slice(5)));
  } finally {
    isSaving = false;
    /** @type {HTMLButtonElement} */ (one("#save")).disabled = !cues.isChanged;
  }
}

/** Over what somebody else saved meanwhile, as its writer decided. */
async function saveMine() {
  await tried(async () => {
    current.version = (await api("GET", `${data.captions_url}/${current.id}`)).version;
    await save();
  });
}

// ---- the video

function seek(ms) {
  video.currentTime = ms / 1000 + 0.001;
  follow();
}

/** The caption of this moment, and its words to leap to. */
function follow() {
  const now = Math.round(video.currentTime * 1000);
  const at = cues.at(now);
  rows.mark(at);
  const shown = cues.list[at];
  const line = one("#now");
  const key = shown ? `${shown.start_ms} ${shown.text}` : "";
  if (line.dataset.key !== key) {
    line.dataset.key = key;
    const words = shown ? wordsOf(shown.text) : [];
    line.replaceChildren(...words.map((word, n) => el("button", { type: "button", class: "now__word", data: { ms: shown.words_ms[n] }, on: { click: () => seek(shown.words_ms[n]) } }, word.trimEnd(), el("span", { class: "visually-hidden" }, `, ${duration(shown.words_ms[n] / 1000)}`))));
  }
  for (const button of line.children) {
    const next = button.nextElementSibling;
    const ms = (element) => Number(element.dataset.ms);
    button.classList.toggle("is-now", ms(button) <= now && (!next || now < ms(next)));
  }
}

async function tried(what) {
  try {
    await what();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    say(error.message, "error");
  }
}

function say(text, kind = "") {
  const line = one("#told");
  line.textContent = text;
  line.dataset.kind = kind;
}
