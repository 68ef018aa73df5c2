/* The buttons that correct a reading (templates/sentiment/_reading.html). Without this script they work all the same. */
"use strict";

// The answer is in place before the second click of a double one, and the button there may take back what the first said.
document.addEventListener(
  "click",
  (event) => {
    if (event.detail > 1 && event.target.closest(".understood button")) event.preventDefault();
  },
  true,
);

// What had the focus is found again by its id. Where it is gone, as an "Undo" is, one goes on from the same reading.
document.addEventListener("htmx:afterSettle", (event) => {
  if (document.activeElement !== document.body) return;
  event.target.closest?.(".understood")?.querySelector("summary")?.focus({ preventScroll: true });
});
