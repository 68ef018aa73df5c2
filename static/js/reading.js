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

// Nor does a key that is held down say one thing and take it back, over and over.
document.addEventListener("keydown", (event) => {
  if (event.repeat && event.target.closest(".understood button")) event.preventDefault();
});

// What had the focus is found again by its id. Where it is gone, as an "Undo" is, one goes on from the same reading; but
// only who had the focus there, for some browsers give none to what is clicked.
let hadFocus = false;
document.addEventListener("htmx:beforeSwap", (event) => {
  hadFocus = event.target.closest?.(".understood")?.contains(document.activeElement) ?? false;
});
document.addEventListener("htmx:afterSettle", (event) => {
  if (!hadFocus || document.activeElement !== document.body) return;
  event.target.closest?.(".understood")?.querySelector("summary")?.focus({ preventScroll: true });
});
