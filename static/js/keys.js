/*
 * Shortcuts of single keys for people at a desk, only where nobody types. They can be switched off in this browser
 * (WCAG 2.1.4); the help stays behind its button. Every one of them does what something on the page does at a click.
 */
"use strict";

(() => {
  const WISH = "single keys";
  const help = document.getElementById("keys");
  const opener = document.querySelector("[data-keys-open]");
  if (!help || !opener) return;
  const tick = help.querySelector("[data-keys-on]");
  const off = () => localStorage.getItem(WISH) === "off";

  function showHelp() {
    tick.checked = !off();
    help.showModal();
  }

  tick.addEventListener("change", () => {
    if (tick.checked) localStorage.removeItem(WISH);
    else localStorage.setItem(WISH, "off");
  });
  opener.addEventListener("click", showHelp);
  opener.hidden = false;

  const cards = () => [...document.querySelectorAll("#cases .card__link")];

  function step(by) {
    const all = cards();
    if (!all.length) return false;
    const here = all.indexOf(document.activeElement);
    const next = all[Math.min(all.length - 1, Math.max(0, here < 0 ? (by > 0 ? 0 : all.length - 1) : here + by))];
    next.focus();
    next.closest("li").scrollIntoView({ block: "nearest" });
    return true;
  }

  // A field of a form that may be folded away: unfold it, look there.
  function write(action) {
    const form = document.querySelector(`input[name="action"][value="${action}"]`)?.form;
    const field = form?.querySelector("textarea, select");
    if (!field) return false;
    for (let fold = form.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    field.focus();
    return true;
  }

  function press(selector) {
    const found = document.querySelector(selector);
    found?.click();
    return Boolean(found);
  }

  function submit(action) {
    const button = document.querySelector(`input[name="action"][value="${action}"]`)?.form?.querySelector("button");
    button?.click();
    return Boolean(button);
  }

  const doings = {
    j: () => step(1),
    k: () => step(-1),
    i: () => press(".case a.back, .kept a.back"),
    a: () => submit("acknowledge"),
    c: () => press("[data-begins]"),
    r: () => write("answer"),
    n: () => write("note"),
    e: () => write("resolve"),
    u: () => submit("undo"),
    "?": () => showHelp() || true,
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return;
    if (off() || help.open || event.target.closest("input, textarea, select, [contenteditable]")) return;
    const doing = doings[event.key.toLowerCase()];
    if (doing && doing() !== false) event.preventDefault();
  });
})();
