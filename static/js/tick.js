// Ticks every box of the table at once. Without it, each is ticked by hand, or all that were found.
document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-tick-all]")) return;
  for (const box of event.target.closest("table").querySelectorAll('tbody input[type="checkbox"]')) {
    box.checked = event.target.checked;
  }
});

const show = () => {
  for (const box of document.querySelectorAll("[data-tick-all]")) box.hidden = false;
};
document.addEventListener("htmx:afterSwap", show);
show();
