/* Fields for a store's code offer those that fit what is typed. Without this the code is typed in full. */
"use strict";

(() => {
  const offered = document.getElementById("store-codes");
  if (!offered) return;
  let waiting;
  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-stores]")) return;
    clearTimeout(waiting);
    const typed = event.target.value;
    waiting = setTimeout(async () => {
      const address = `${offered.dataset.url}?store=${encodeURIComponent(typed)}`;
      const answer = await fetch(address, { headers: { "HX-Request": "true" } });
      if (answer.ok && !answer.redirected) offered.innerHTML = await answer.text();
    }, 200);
  });
})();
