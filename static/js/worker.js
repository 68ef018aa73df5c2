/*
 * Shows what the chain pushes to this phone, and opens the case at a tap. Keeps the open cases to be read without a
 * connection: for the person who is signed in, for a day, until they sign out. Answers no form.
 */
"use strict";

const PAGES = "kept pages ";
const FILES = "kept files";
const LONGEST = 24 * 60 * 60 * 1000;
const KEPT = "/inbox/kept/";
const isInbox = (url) => url.pathname === "/inbox/" || url.pathname === KEPT;
const isCase = (url) => /^\/cases\/[0-9a-f-]{36}\/$/.test(url.pathname);
const isWayOut = (url) => /^\/accounts\/(login|logout)\//.test(url.pathname);

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

// --- keeping -----------------------------------------------------------------------------------------------------
async function forget(except = "") {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PAGES) && name !== PAGES + except).map((name) => caches.delete(name)));
}

// Counts sign-outs: what was asked for before one must not be kept after it, when the network was slow.
let left = 0;
function leave() {
  left += 1;
  return forget();
}

// A page may be kept only if the server says for whom. `before` is what `left` was when it was asked for.
async function keep(response, before) {
  const keeper = response.headers.get("X-Keep-For");
  if (!keeper || !response.ok || response.redirected) return;
  await forget(keeper);
  const cache = await caches.open(PAGES + keeper);
  const headers = new Headers({ "Content-Type": response.headers.get("Content-Type"), "X-Kept-At": String(Date.now()) });
  for (const name of ["Content-Security-Policy", "X-Frame-Options", "Referrer-Policy"]) {
    if (response.headers.has(name)) headers.set(name, response.headers.get(name));
  }
  const { pathname } = new URL(response.url);
  await cache.put(pathname, new Response(await response.text(), { headers }));
  if (before !== left) {
    await forget();
    return;
  }
  // No more than the present cases: what was kept longest goes first.
  const all = await cache.keys();
  for (const old of all.slice(0, Math.max(0, all.length - 60))) await cache.delete(old);
}

async function keepAll(url) {
  const before = left;
  const answer = await fetch(url, { credentials: "same-origin" });
  await keep(answer, before);
}

async function found(path) {
  for (const name of await caches.keys()) {
    if (!name.startsWith(PAGES)) continue;
    const kept = await (await caches.open(name)).match(path);
    if (!kept) continue;
    const at = Number(kept.headers.get("X-Kept-At"));
    if (Date.now() - at > LONGEST) {
      await caches.delete(name);
      continue;
    }
    const html = (await kept.text()).replace("<html ", `<html data-kept-at="${at}" `);
    return new Response(html, { headers: kept.headers });
  }
  return undefined;
}

async function navigate(event, url) {
  const before = left;
  try {
    const answer = await fetch(event.request);
    if (isWayOut(new URL(answer.url))) await leave();
    else if (isCase(url)) event.waitUntil(keep(answer.clone(), before));
    return answer;
  } catch (error) {
    const same = isCase(url) ? await found(url.pathname) : undefined;
    const kept = same || (await found(KEPT));
    if (kept) return kept;
    throw error;
  }
}

// Files of the pages: what the server has, else what is kept.
async function file(request) {
  const cache = await caches.open(FILES);
  try {
    const answer = await fetch(request);
    if (answer.ok) await cache.put(request, answer.clone());
    return answer;
  } catch (error) {
    const kept = await cache.match(request);
    if (kept) return kept;
    throw error;
  }
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (url.origin !== self.location.origin) return;
  if (event.request.method !== "GET") {
    // Signing out deletes what is kept first, connection or not.
    if (isWayOut(url)) event.waitUntil(leave());
    return;
  }
  if (event.request.mode === "navigate") {
    if (isInbox(url) || isCase(url) || isWayOut(url)) event.respondWith(navigate(event, url));
    return;
  }
  if (url.pathname.startsWith("/static/") || url.pathname === "/theme.css") event.respondWith(file(event.request));
});

self.addEventListener("message", (event) => {
  const { keep: keeper, url, page } = event.data || {};
  if (!keeper) return;
  const urls = [url, page].filter((one) => one && new URL(one, self.location.origin).origin === self.location.origin);
  event.waitUntil(forget(keeper).then(() => Promise.allSettled(urls.map((one) => keepAll(one)))));
});

// --- alerts ------------------------------------------------------------------------------------------------------
self.addEventListener("push", (event) => {
  const news = event.data ? event.data.json() : {};
  event.waitUntil(
    self.registration.showNotification(news.title || "", {
      body: news.body || "",
      tag: news.tag || undefined,
      data: { url: news.url || "/" },
      icon: "/static/icon.svg",
      requireInteraction: true,
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const url = new URL(event.notification.data.url, self.location.origin);
  if (url.origin !== self.location.origin) return;
  event.waitUntil(
    self.clients.matchAll({ type: "window", includeUncontrolled: true }).then((open) => {
      const same = open.find((client) => new URL(client.url).pathname === url.pathname);
      return same ? same.focus() : self.clients.openWindow(url.href);
    }),
  );
});
