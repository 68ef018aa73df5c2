/*
 * Passkey ceremonies. A form with data-passkey ("create", "get" or "enter") gets the browser's answer into its field
 * "credential" and is sent as any other; "enter" fetches its options when it begins, since nobody is known yet.
 * What is marked data-passkey-only appears where passkeys can work at all.
 */
"use strict";

(() => {
  // An address of numbers cannot own passkeys (WebAuthn, 5.1.2), and neither can a page without TLS.
  const can = Boolean(window.PublicKeyCredential) && window.isSecureContext && !/^[\d.]+$|:/.test(location.hostname);

  function bytes(text) {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (character) => character.charCodeAt(0));
  }

  function text(buffer) {
    if (!buffer) return null;
    const plain = String.fromCharCode(...new Uint8Array(buffer));
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  function withBytes(options) {
    const key = { ...options.publicKey, challenge: bytes(options.publicKey.challenge) };
    for (const list of ["allowCredentials", "excludeCredentials"]) {
      if (key[list]) key[list] = key[list].map((one) => ({ ...one, id: bytes(one.id) }));
    }
    if (key.user) key.user = { ...key.user, id: bytes(key.user.id) };
    return key;
  }

  async function create(options) {
    const publicKey = withBytes(options);
    // Where the device can keep it and ask for finger, face or PIN, the passkey is both factors at once.
    publicKey.authenticatorSelection = {
      ...publicKey.authenticatorSelection,
      residentKey: "preferred",
      requireResidentKey: false,
      userVerification: "preferred",
    };
    const made = await navigator.credentials.create({ publicKey });
    return {
      id: made.id,
      rawId: text(made.rawId),
      type: made.type,
      authenticatorAttachment: made.authenticatorAttachment,
      clientExtensionResults: made.getClientExtensionResults(),
      response: {
        clientDataJSON: text(made.response.clientDataJSON),
        attestationObject: text(made.response.attestationObject),
        transports: made.response.getTransports ? made.response.getTransports() : [],
      },
    };
  }

  async function get(options) {
    const shown = await navigator.credentials.get({ publicKey: withBytes(options) });
    return {
      id: shown.id,
      rawId: text(shown.rawId),
      type: shown.type,
      authenticatorAttachment: shown.authenticatorAttachment,
      clientExtensionResults: shown.getClientExtensionResults(),
      response: {
        clientDataJSON: text(shown.response.clientDataJSON),
        authenticatorData: text(shown.response.authenticatorData),
        signature: text(shown.response.signature),
        userHandle: text(shown.response.userHandle),
      },
    };
  }

  async function fetched(form) {
    const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`options: ${answer.status}`);
    return (await answer.json()).request_options;
  }

  async function hold(form) {
    const options = form.dataset.options ? JSON.parse(form.dataset.options) : await fetched(form);
    const credential = form.dataset.passkey === "create" ? await create(options) : await get(options);
    form.elements.credential.value = JSON.stringify(credential);
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const button = form.querySelector("button");
    button.hidden = !can;
    const cannot = form.querySelector("[data-cannot]");
    if (cannot) cannot.hidden = can;
    form.addEventListener("submit", async (event) => {
      if (form.elements.credential.value) return;
      event.preventDefault();
      const failed = form.querySelector("[data-failed]");
      if (failed) failed.hidden = true;
      button.disabled = true;
      try {
        await hold(form);
        form.submit();
      } catch {
        // Cancelled, timed out or not possible here: the browser has said which.
        form.elements.credential.value = "";
        if (failed) failed.hidden = false;
      } finally {
        button.disabled = false;
      }
    });
  }

  for (const element of document.querySelectorAll("[data-passkey-only]")) element.hidden = !can;
})();
