/*
 * The clocks of the cases. Nothing here counts ticks: each second, and whenever the page is looked at again, the time
 * left is computed anew from the moment it is due, so that a laptop that slept shows the right number at once.
 *
 * The server's time, not the laptop's: data-server-now (milliseconds) is the server's when it wrote the page, and the
 * offset is taken against the moment the page arrived. Polls bring it up to date by the header X-Server-Now.
 *
 * A clock stands while its store is closed. data-open lists the opening hours up to the due time as
 * "from-to from-to …" in milliseconds; what is left is the part of them that is still to come.
 */
"use strict";

(() => {
  const MINUTE = 60_000;
  let offset = 0;

  function arrived() {
    // A page that was kept on this device to be read without a connection arrived when it was kept.
    const kept = Number(document.documentElement.dataset.keptAt || 0);
    if (kept) return kept;
    const [load] = performance.getEntriesByType("navigation");
    return load && load.responseStart ? performance.timeOrigin + load.responseStart : Date.now();
  }

  function readServerTime() {
    const source = document.querySelector("[data-server-now]");
    if (source) offset = Number(source.dataset.serverNow) - arrived();
  }

  const serverNow = () => Date.now() + offset;

  function openTime(spans, from, to) {
    let left = 0;
    for (const [opens, closes] of spans) left += Math.max(0, Math.min(closes, to) - Math.max(opens, from));
    return left;
  }

  // A clock says by data-hours and data-days how its language writes them, # for the number.
  function shown(milliseconds, { hours: inHours, days: inDays }) {
    const seconds = Math.floor(milliseconds / 1000);
    const two = (number) => String(number).padStart(2, "0");
    if (seconds < 6000) return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
    const hours = Math.floor(seconds / 3600);
    return hours < 48 ? inHours.replace("#", hours) : inDays.replace("#", Math.floor(hours / 24));
  }

  function state(clock, now) {
    const due = Number(clock.dataset.due);
    if (now >= due) return { name: "overdue", text: `−${shown(now - due, clock.dataset)}`, part: 100 };
    const spans = clock.dataset.open
      .split(" ")
      .filter(Boolean)
      .map((span) => span.split("-").map(Number));
    const left = openTime(spans, now, due);
    const open = spans.some(([opens, closes]) => opens <= now && now < closes);
    return {
      name: open ? "running" : "closed",
      // The last second is a second, not zero.
      text: shown(left + 999, clock.dataset),
      part: Math.min(100, (left / (Number(clock.dataset.minutes) * MINUTE)) * 100),
    };
  }

  function show(clock, now) {
    const { name, text, part } = state(clock, now);
    const number = clock.querySelector("[data-number]");
    if (number.textContent !== text) number.textContent = text;
    const ring = clock.querySelector("[data-ring]");
    if (name !== "running") ring.removeAttribute("stroke-dasharray");
    else ring.setAttribute("stroke-dasharray", `${part.toFixed(2)} 100`);
    if (clock.dataset.state === name) return;
    const owner = clock.closest("[data-clock-owner]");
    for (const part of [clock, owner, ...owner.querySelectorAll("[data-due-texts]")]) part.dataset.state = name;
    for (const due of owner.querySelectorAll("[data-due-texts]")) due.textContent = due.dataset[name] || due.textContent;
  }

  function showAll() {
    const now = serverNow();
    for (const clock of document.querySelectorAll("[data-countdown]")) show(clock, now);
  }

  readServerTime();
  showAll();
  setInterval(showAll, 1000);
  document.addEventListener("visibilitychange", () => document.hidden || showAll());
  window.addEventListener("pageshow", showAll);
  document.addEventListener("htmx:afterRequest", (event) => {
    const now = Number(event.detail.xhr.getResponseHeader("X-Server-Now"));
    if (now) offset = now - Date.now();
  });
  document.addEventListener("htmx:afterSettle", showAll);
})();
