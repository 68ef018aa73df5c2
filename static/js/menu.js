/* Menus made of <details> close like menus: by Escape and by a click elsewhere. */
"use strict";

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// On a phone a row of tabs is longer than the screen: the open one is what one sees first.
for (const open of document.querySelectorAll(".tabs [aria-current]")) {
  const row = open.closest(".tabs");
  const middle = open.offsetLeft - row.offsetLeft - (row.clientWidth - open.offsetWidth) / 2;
  row.scrollTo({ left: middle, behavior: "instant" });
}
