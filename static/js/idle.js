/*
 * A store's shared device hides what it shows when nobody touches it. The server forgets the person by itself; this
 * covers the screen at the same time, and tells the server of touches so that it does not forget who is still there.
 */
"use strict";

(() => {
  const here = document.querySelector("[data-idle-secs]");
  if (!here) return;
  const idleMs = Number(here.dataset.idleSecs) * 1000;
  const tellEveryMs = Math.min(5000, idleMs / 4);
  const address = here.dataset.idleUrl;
  const headers = JSON.parse(document.body.getAttribute("hx-headers"));
  let touched = Date.now();
  let told = Date.now();
  let telling;
  let covered = false;

  const post = (action) =>
    fetch(address, { method: "POST", headers, body: new URLSearchParams({ action }), keepalive: true });

  function cover() {
    if (covered) return;
    covered = true;
    document.documentElement.dataset.covered = "";
    const leave = () => location.replace(`${address}?next=${encodeURIComponent(location.pathname)}`);
    post("leave").then(leave, leave);
  }

  async function tell() {
    told = Date.now();
    try {
      const answer = await post("touch");
      if (answer.status === 410) cover();
    } catch {
      // Not online: the server will forget, the screen covers itself in time.
    }
  }

  function touch() {
    if (covered) return;
    touched = Date.now();
    clearTimeout(telling);
    telling = setTimeout(tell, Math.max(0, told + tellEveryMs - touched));
  }

  function look() {
    if (Date.now() - touched >= idleMs) cover();
  }

  for (const kind of ["pointerdown", "keydown", "scroll", "wheel", "input"]) {
    document.addEventListener(kind, touch, { passive: true, capture: true });
  }
  document.addEventListener("visibilitychange", look);
  window.addEventListener("pageshow", (event) => event.persisted && cover());
  setInterval(look, 1000);
})();
