/* "Alerts on this device": asks the browser, then sends what it says in an ordinary form. */
"use strict";

(() => {
  const form = document.querySelector("[data-push]");
  if (!form) return;
  const note = form.querySelector("[data-push-note]");
  const say = (name) => {
    note.textContent = note.dataset[name];
    note.hidden = false;
  };
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) {
    form.querySelector("button").disabled = true;
    say("unable");
    return;
  }
  const bytes = (text) => {
    const raw = atob(text.replace(/-/g, "+").replace(/_/g, "/").padEnd(Math.ceil(text.length / 4) * 4, "="));
    return Uint8Array.from(raw, (c) => c.charCodeAt(0));
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if ((await Notification.requestPermission()) !== "granted") return say("denied");
    try {
      await navigator.serviceWorker.register("/sw.js");
      const worker = await navigator.serviceWorker.ready;
      const key = bytes(form.dataset.push);
      const found = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
      const { endpoint, keys } = found.toJSON();
      form.elements.endpoint.value = endpoint;
      form.elements.p256dh.value = keys.p256dh;
      form.elements.auth.value = keys.auth;
      form.submit();
    } catch {
      say("failed");
    }
  });
})();
