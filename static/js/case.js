/*
 * At a case. A prepared reply goes into the field at a tap: what was typed before stays in front of it. A tap on "call"
 * or "text" tells the server that somebody is on it; how it went is asked when they look at the page again.
 */
"use strict";

(() => {
  // What a reply has put into the field, to be replaced by the next one; what was typed is not.
  let put = "";

  function choose(link) {
    const form = link.closest("form");
    const area = form.querySelector("textarea");
    const { text, reading, reply, language } = link.dataset;
    const own = area.value === put ? "" : area.value.trimEnd();
    area.value = own ? `${own}\n\n${text}` : text;
    put = own ? "" : text;
    area.lang = language;
    form.elements.template.value = reply;
    const place = form.querySelector("[data-reading-place]");
    place.hidden = !reading;
    place.querySelector("[data-reading-text]").textContent = reading;
    for (const one of form.querySelectorAll("[data-reply]")) one.toggleAttribute("aria-current", one === link);
    area.focus();
    area.setSelectionRange(0, 0);
    area.scrollTop = 0;
  }

  function begin(link) {
    const form = document.querySelector("[data-begin]");
    if (!form || form.dataset.sent) return;
    form.dataset.sent = "1";
    form.elements.channel.value = link.dataset.begins;
    const headers = { ...JSON.parse(document.body.getAttribute("hx-headers")), "HX-Request": "true" };
    // Its address: `form.action` is the field of that name.
    const address = form.getAttribute("action");
    fetch(address, { method: "POST", headers, body: new URLSearchParams(new FormData(form)), keepalive: true })
      // Not through: the next tap tries again. Nothing is lost but a line in the history.
      .then((answer) => answer.ok || delete form.dataset.sent, () => delete form.dataset.sent);
    const asked = document.querySelector('input[name="action"][value="contact"]')?.form;
    const fold = asked?.closest("details");
    if (fold) fold.open = true;
  }

  document.addEventListener("click", (event) => {
    const reply = event.target.closest("[data-reply]");
    if (reply && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      choose(reply);
      return;
    }
    const way = event.target.closest("[data-begins]");
    if (way) begin(way);
  });
})();
