/* Shows what the chain pushes to this phone, and opens the case at a tap. Keeps nothing. */
"use strict";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

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
