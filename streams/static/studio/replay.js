// A show that has ended: watch it, mark a part, and make a lesson of the part.

import { api } from "../livecommerce/api.js";
import { one, pageData, show } from "../livecommerce/dom.js";
import { duration } from "../livecommerce/format.js";
import { recall, remember } from "../livecommerce/store.js";
import { ClipFrame } from "./clip-frame.js";
import { ClipParts } from "./clip-parts.js";
import { ClipsPanel } from "./clips-panel.js";
import { ConsentDialog } from "./consent-dialog.js";
import { CourseChooser } from "./course-chooser.js";
import { openHighlights } from "./highlights.js";
import { openReplayDesk } from "./replay-desk.js";
import { ReplayVideo } from "./replay-video.js";
import { Timeline } from "./timeline.js";
import { exactTime, seconds } from "./words.js";

const FIRST_PART_S = 30;
const SEALING_POLL_MS = 1500;
const REFUSED = "clip-refused";
const FIELDS = { start_s: "start", end_s: "end", title: "title" };

const data = pageData("studio-data");
if (data.replay?.state === "ready") openCutter(data);
else if (data.replay?.state === "live") waitForReplay();

function waitForReplay() {
  setInterval(async () => {
    const { recording } = await api("GET", `/api/v1/shows/${data.show_id}/studio`);
    if (recording?.state !== "live") location.reload();
  }, SEALING_POLL_MS);
}

async function openCutter({ show_id: showId, replay }) {
  const video = one("#replay");
  const part = { start_s: 0, end_s: Math.min(FIRST_PART_S, replay.duration_s) };
  const timeline = new Timeline({
    lengthS: replay.duration_s,
    part,
    onMove: (moved) => setPart(moved),
    onSeek: (at) => (video.currentTime = at),
  });
  const clips = new ClipsPanel(showId, new CourseChooser(), new ConsentDialog(), (clip) => cutAgain(clip));
  const frame = new ClipFrame(video);
  const parts = new ClipParts((chosen) => playPart(chosen));

  function setPart(changes) {
    Object.assign(part, changes);
    timeline.part = part;
    // Only the field that is meant: what cannot be read in the other one stays, with its error.
    for (const key of Object.keys(changes)) {
      one(`#${FIELDS[key]}`).value = exactTime(part[key]);
      say(FIELDS[key], "");
    }
    one("#cut-length").textContent = interpolate(gettext("Length: %s"), [duration(part.end_s - part.start_s)]);
  }

  function markStart() {
    const start = video.currentTime;
    setPart({ start_s: start, end_s: part.end_s > start + 1 ? part.end_s : Math.min(start + FIRST_PART_S, replay.duration_s) });
  }

  function markEnd() {
    const end = video.currentTime;
    setPart({ end_s: end, start_s: part.start_s < end - 1 ? part.start_s : Math.max(0, end - FIRST_PART_S) });
  }

  function typed(key, input) {
    const value = seconds(input.value);
    if (Number.isFinite(value)) setPart({ [key]: Math.min(value, replay.duration_s) });
    else say(FIELDS[key], gettext("Write minutes and seconds, for example 1:05."));
    return Number.isFinite(value);
  }

  /** Whether the part is what its fields say; otherwise the first that cannot be read is led to. */
  function isRead() {
    const unread = ["start_s", "end_s"].filter((key) => {
      const input = one(`#${FIELDS[key]}`);
      return input.value !== exactTime(part[key]) && !typed(key, input);
    });
    if (unread.length) one(`#${FIELDS[unread[0]]}`).focus();
    return unread.length === 0;
  }

  function playPart({ start_s: from, end_s: until }) {
    video.currentTime = from;
    video.play();
    const stop = () => {
      if (video.currentTime < until) return;
      video.pause();
      video.removeEventListener("timeupdate", stop);
    };
    video.addEventListener("timeupdate", stop);
  }

  function playFrom(second) {
    video.currentTime = second;
    video.scrollIntoView({ block: "center" });
    video.play();
  }

  function choose(chosen, product) {
    setPart(chosen);
    video.currentTime = chosen.start_s;
    const title = one("#clip-title");
    title.value ||= product.slice(0, title.maxLength);
    title.scrollIntoView({ block: "center" });
    title.focus({ preventScroll: true });
    title.select();
  }

  /** The form as this clip was cut, to be changed; the clip stays until somebody deletes it. */
  function cutAgain(clip) {
    if (!parts.isEmpty && !confirm(gettext("The parts that you have put together are replaced by those of this clip. Go on?"))) return;
    clearErrors();
    parts.take(clip);
    frame.take(clip);
    one("#clip-title").value = clip.title;
    setPart({ ...clip.parts[0] });
    video.currentTime = part.start_s;
    one("#cut-form").scrollIntoView();
    one("#play-part").focus({ preventScroll: true });
  }

  function addProposal(chosen) {
    parts.add(chosen);
    one("#parts-told").scrollIntoView({ block: "center" });
  }

  async function make(event) {
    event.preventDefault();
    clearErrors();
    if (parts.isEmpty && !isRead()) return;
    one("#make").disabled = true;
    try {
      const body = { edition: replay.edition, title: one("#clip-title").value, ...parts.wish(part), ...frame.wish };
      const row = clips.add(await api("POST", `/api/v1/recordings/${replay.recording_id}/clips`, body));
      one("#clip-title").value = "";
      parts.clear();
      row.scrollIntoView({ block: "center" });
    } catch (error) {
      complain(error);
    }
    one("#make").disabled = false;
  }

  function filesMoved() {
    picture.moved();
    clips.moved();
  }

  one("#mark-start").addEventListener("click", markStart);
  one("#mark-end").addEventListener("click", markEnd);
  one("#start").addEventListener("change", ({ target }) => typed("start_s", target));
  one("#end").addEventListener("change", ({ target }) => typed("end_s", target));
  one("#play-part").addEventListener("click", () => isRead() && playPart(part));
  one("#add-part").addEventListener("click", () => isRead() && parts.add(part));
  one("#blur-part").addEventListener("click", () => isRead() && parts.blur(part));
  one("#cut-form").addEventListener("submit", make);
  video.addEventListener("timeupdate", () => (timeline.playhead = video.currentTime));
  setPart(part);
  tellWhyLoadedAnew();
  const picture = new ReplayVideo(video, `/shows/${showId}/playback/`, problemWithVideo);
  await Promise.all([
    picture.open(replay.url),
    api("GET", `/api/v1/shows/${showId}/replay`).then((entries) => timeline.mark(entries)),
    clips.load(),
    openHighlights({ showId, onPlay: playFrom, onChoose: choose, onAdd: addProposal }),
    openReplayDesk({ showId, video, lengthS: replay.duration_s, edition: replay.edition, onMoved: filesMoved }),
  ]);
}

function problemWithVideo(isThere) {
  const notice = one("#replay-problem");
  notice.textContent = gettext("The replay cannot be loaded. Check the network and open the page again.");
  show(notice, isThere);
}

function complain(error) {
  for (const { field, message } of error.errors ?? []) {
    const name = /\.(parts|blurs|crop)\./.test(`.${field}`) ? null : FIELDS[field.split(".").at(-1)];
    if (name) say(name, message);
    else tell(message);
  }
  if (error.errors?.length) return;
  if (error.code === "recording_changed") return lookAgain(error.message);
  tell(error.message);
}

function tell(message) {
  one("#cut-error").textContent = message;
  show(one("#cut-error"), true);
}

/** Other moments are at these seconds now: only a page of today's recording shows which. */
function lookAgain(message) {
  remember(REFUSED, { message, title: one("#clip-title").value });
  location.reload();
}

function tellWhyLoadedAnew() {
  const refused = recall(REFUSED);
  if (!refused) return;
  remember(REFUSED, null);
  one("#clip-title").value = refused.title;
  complain({ message: refused.message });
}

function say(name, message) {
  one(`#${name}-error`).textContent = message;
}

function clearErrors() {
  for (const name of Object.values(FIELDS)) say(name, "");
  show(one("#cut-error"), false);
}
