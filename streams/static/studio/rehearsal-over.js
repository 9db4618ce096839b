// A rehearsal that is over: its video, for its host alone.

import { api } from "../livecommerce/api.js";
import { one, pageData, show } from "../livecommerce/dom.js";
import { ReplayVideo } from "./replay-video.js";

const LOOK_EVERY_MS = 2_000;
const { state, url, playback_url: playbackUrl } = pageData("rehearsal-data");

if (state === "ready") {
  const video = one("#replay");
  const replay = new ReplayVideo(video, playbackUrl, (isTrouble) => show(one("#replay-problem"), isTrouble));
  replay.open(url);
} else if (state === "live") setInterval(look, LOOK_EVERY_MS);

async function look() {
  const found = await api("GET", playbackUrl).catch(() => null);
  if (found && found.state !== "live") location.reload();
}
