/*
 * Keeps a list up to date. An element with data-live fetches itself by the htmx trigger "look": every few seconds
 * while somebody can see it, and at once when they look again. "Nothing changed" is an empty answer (204).
 */
"use strict";

(() => {
  const title = document.title.replace(/^\(\d+\) /, "");
  let busy = false;
  let known = ids();

  function live() {
    return document.querySelector("[data-live]");
  }

  function ids() {
    return new Set([...document.querySelectorAll("[data-case]")].map((card) => card.dataset.case));
  }

  function look() {
    const list = live();
    if (!list || document.hidden || busy || !window.htmx) return;
    busy = true;
    window.htmx.trigger(list, "look");
  }

  function said(text) {
    const voice = document.querySelector("[data-voice]");
    if (voice) voice.textContent = text;
  }

  function offline(since) {
    const banner = document.querySelector("[data-offline]");
    if (!banner) return;
    banner.hidden = !since;
    if (since && !banner.dataset.since) {
      banner.dataset.since = since;
      banner.querySelector("time").textContent = new Date(since).toLocaleTimeString(document.documentElement.lang, {
        hour: "2-digit",
        minute: "2-digit",
      });
    }
    if (!since) delete banner.dataset.since;
  }

  function showCount() {
    const count = Number(live()?.dataset.openCount || 0);
    document.title = count ? `(${count}) ${title}` : title;
  }

  // What was typed when the session ended waits in this tab until the page opens again after signing in.
  const drafts = `typed ${location.pathname}`;

  function keepTyped() {
    const typed = [...document.querySelectorAll("textarea")].filter((area) => area.value);
    if (typed.length) sessionStorage.setItem(drafts, JSON.stringify(typed.map((area) => [area.id, area.value])));
  }

  function putBack() {
    for (const [id, text] of JSON.parse(sessionStorage.getItem(drafts) || "[]")) {
      const area = document.getElementById(id);
      if (!area) continue;
      area.value = text;
      const fold = area.closest("details");
      if (fold) fold.open = true;
    }
    sessionStorage.removeItem(drafts);
  }

  const isLook = (event) => event.detail.elt?.matches?.("[data-live]");

  document.addEventListener("htmx:afterRequest", (event) => {
    if (!isLook(event)) return;
    busy = false;
    offline(event.detail.successful ? 0 : Date.now());
  });
  // What was said of the last one is not said of the next.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!isLook(event)) document.getElementById("said")?.replaceChildren();
  });
  // A form that did not get through keeps what was typed, and says so.
  document.addEventListener("htmx:afterRequest", (event) => {
    const place = document.getElementById("said");
    if (event.detail.successful || event.detail.xhr.status === 422 || isLook(event) || !place) return;
    const notice = document.createElement("p");
    notice.className = "notice notice--refused";
    notice.textContent = place.dataset.failed;
    place.replaceChildren(notice);
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    // The session ended: the answer is the sign-in page, which belongs into the window and not into the list.
    const asked = new URL(event.detail.xhr.responseURL, location.href).pathname;
    if (asked === new URL(event.detail.pathInfo.requestPath, location.href).pathname) return;
    event.detail.shouldSwap = false;
    keepTyped();
    location.reload();
  });
  document.addEventListener("htmx:afterSettle", () => {
    const now = ids();
    const fresh = [...now].filter((id) => !known.has(id));
    const list = live();
    if (list && fresh.length) said(list.dataset.announce.replace("%n", fresh.length));
    known = now;
    showCount();
  });
  document.addEventListener("visibilitychange", look);
  window.addEventListener("online", look);
  putBack();
  showCount();
  const first = live();
  if (first) setInterval(look, Number(first.dataset.live));
})();
