// Renews the part of a page that changes by itself: every few seconds while something is under way, seldom otherwise.
// Without scripts the page is as it was loaded.

const PART = { headers: { "X-Tieout-Part": "1" } };
const SECONDS_BUSY = 2;
const SECONDS_IDLE = 20;

for (const part of document.querySelectorAll("[data-live]")) {
  watch(part);
}

function watch(part) {
  let seconds = Number(part.dataset.seconds);
  let failures = 0;
  const again = () => setTimeout(look, seconds * 1000 * 2 ** Math.min(failures, 4));

  async function look() {
    // A page that nobody sees asks for nothing.
    if (document.hidden) {
      document.addEventListener("visibilitychange", look, { once: true });
      return;
    }
    try {
      const answer = await fetch(part.dataset.live, PART);
      if (answer.redirected || answer.status === 401 || answer.status === 404) return; // signed out, or gone
      if (!answer.ok) throw new Error(String(answer.status));
      show(part, await answer.text());
      failures = 0;
      const isBusy = part.querySelector("[data-running=yes]") !== null;
      seconds = isBusy ? SECONDS_BUSY : SECONDS_IDLE;
    } catch {
      failures += 1; // no network for a moment; the next look finds out
    }
    again();
  }
  again();
}

function show(part, text) {
  // Whoever is in the middle of something keeps it.
  if (part.dataset.last === text || part.contains(document.activeElement)) return;
  const open = new Set([...part.querySelectorAll("details")].map((each, at) => (each.open ? at : -1)));
  part.innerHTML = text;
  part.dataset.last = text;
  part.querySelectorAll("details").forEach((each, at) => { if (open.has(at)) each.open = true; });
}
