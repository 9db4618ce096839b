// Before HTTPS: hands a demo's secret and the page that was wanted on, and goes on by itself where the phone trusts already.

const open = document.getElementById("open");
const { secure } = open.dataset;
// "#secret", "#/join/…" or "#secret/join/…": it was not sent here, and goes on by HTTPS only.
const [, secret, path] = location.hash.match(/^#?([^/]*)(.*)$/);
if (secret) open.href = `${secure}/lan/enter/?key=${encodeURIComponent(secret)}&next=${asNext(path)}`;
else if (path) open.href = secure + path;

// With its slashes as they are: logs leave secrets out by what stands before them.
function asNext(path) {
  return encodeURIComponent(path || "/").replaceAll("%2F", "/");
}

// The page in the other language has to know it too.
document.querySelector("[data-language]").hash = location.hash;

async function goOnIfTrusted() {
  try {
    // Whatever it answers: that it can be asked at all says that the certificate is trusted.
    await fetch(`${secure}/lan/trusted`, { mode: "no-cors", cache: "no-store", credentials: "omit" });
  } catch {
    return;
  }
  location.replace(open.href);
}

goOnIfTrusted();
// Who comes back from the settings finds it open.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") goOnIfTrusted();
});
