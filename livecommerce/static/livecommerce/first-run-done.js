// Goes on once the site has started again with its settings.

const RESTART_BEGINS_WITHIN_MS = 4000;
const ASK_EVERY_MS = 500;
const ANSWERS_WITHIN_MS = 3000;

async function isReady() {
  try {
    // Whom the old process took in and never answered would wait for ever.
    const signal = AbortSignal.timeout(ANSWERS_WITHIN_MS);
    return (await fetch("/readyz", { cache: "no-store", signal })).ok;
  } catch {
    return false;
  }
}

const began = Date.now();
let wasAway = false;

async function look() {
  const ready = await isReady();
  wasAway ||= !ready;
  // Who never saw it away was too slow for that, or it runs without a supervisor.
  if (ready && (wasAway || Date.now() - began > RESTART_BEGINS_WITHIN_MS)) {
    location.replace(document.getElementById("go-on").href);
  } else {
    setTimeout(look, ASK_EVERY_MS);
  }
}

look();
