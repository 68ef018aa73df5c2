/*
 * Open cases can be read without a connection, on a phone that is somebody's own: where the pages are installed as an
 * app, alerts were switched on, or the phone is enrolled. The worker keeps them (worker.js); this tells it for whom,
 * says how old a kept page is, and lets nothing that is typed there get lost.
 */
"use strict";

(() => {
  const about = document.querySelector("[data-keep]");
  if (!about || !("serviceWorker" in navigator)) return;
  const keptAt = Number(document.documentElement.dataset.keptAt || 0);
  const banner = document.querySelector("[data-kept]");

  function age() {
    const minutes = Math.max(0, Math.round((Date.now() - keptAt) / 60_000));
    const place = banner.querySelector("[data-kept-age]");
    const [text, n] = minutes < 120 ? [place.dataset.minutes, minutes] : [place.dataset.hours, Math.round(minutes / 60)];
    place.textContent = text.replace("%n", n);
  }

  if (keptAt && banner) {
    banner.hidden = false;
    age();
    setInterval(age, 30_000);
    window.addEventListener("online", () => {
      // live.js puts it back.
      const typed = [...document.querySelectorAll("textarea")].filter((area) => area.value);
      const words = JSON.stringify(typed.map((area) => [area.id, area.value]));
      if (typed.length) sessionStorage.setItem(`typed ${location.pathname}`, words);
      location.reload();
    });
    // A form of a kept page must not lead to the browser's own page of despair: its words stay where they are.
    document.addEventListener("submit", (event) => {
      event.preventDefault();
      event.stopImmediatePropagation();
      banner.scrollIntoView({ block: "center" });
    }, true);
    return;
  }

  const own = matchMedia("(display-mode: standalone)").matches || "enrolled" in about.dataset;

  async function keep() {
    const known = await navigator.serviceWorker.getRegistration("/");
    if (!known && !own) return;
    if (!known) await navigator.serviceWorker.register("/sw.js");
    const { active } = await navigator.serviceWorker.ready;
    active.postMessage({ keep: about.dataset.keep, url: about.dataset.keptUrl || "", page: location.href });
  }

  let last = 0;
  const soon = () => {
    if (Date.now() - last < 20_000 || !navigator.onLine) return;
    last = Date.now();
    keep().catch(() => {});
  };
  soon();
  // The list has changed: so has what is to be kept.
  document.addEventListener("htmx:afterSwap", (event) => event.target.id === "cases" && soon());
})();
