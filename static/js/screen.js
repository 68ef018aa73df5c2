// One card after the other on the screen in the back office; without this script they stand below each other.
const CARD_SECS = 15;
const FRESH_MINUTES = 10;
let shown = 0;

const cards = () => [...document.querySelectorAll(".screen__card")];

const show = () => {
  const all = cards();
  shown %= Math.max(all.length, 1);
  all.forEach((card, number) => { card.hidden = number !== shown; });
};

// What hangs is kept when the network is away: a wall from an hour ago is better than an error.
const refresh = async () => {
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    if (answer.status === 404) return location.reload();
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("cards");
    if (fresh) document.getElementById("cards").replaceWith(fresh);
    show();
  } catch { /* tried again in ten minutes */ }
};

document.body.classList.add("screen--turning");
show();
setInterval(() => { shown += 1; show(); }, CARD_SECS * 1000);
setInterval(refresh, FRESH_MINUTES * 60 * 1000);
