// Before HTTPS: hands a demo's secret on, and goes on by itself where the phone trusts already.

const open = document.getElementById("open");
const { secure } = open.dataset;
// Behind the "#" it was not sent here, and goes on by HTTPS only.
const secret = location.hash.slice(1);
if (secret) open.href = `${secure}/lan/enter/?key=${encodeURIComponent(secret)}`;

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
