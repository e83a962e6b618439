import { $, $$, on, post, toast } from "./dom.js";

// Dragging; the buttons beside each entry do the same without it.
let dragged = null, before = null, list = null;

on("dragstart", "[data-item]", (event, item) => {
  dragged = item;
  list = item.closest("[data-order]");
  before = $$("[data-item]", list);
  item.classList.add("is-dragged");
  event.dataTransfer.effectAllowed = "move";
});
on("dragover", "[data-item]", (event, item) => {
  if (!dragged || item.closest("[data-order]") !== list) return;
  event.preventDefault();
  if (item === dragged) return;
  const box = item.getBoundingClientRect();
  item[event.clientY > box.top + box.height / 2 ? "after" : "before"](dragged);
});
on("drop", "[data-order]", (event) => { if (dragged) event.preventDefault(); });
on("dragend", "[data-item]", async () => {
  dragged.classList.remove("is-dragged");
  dragged = null;
  if ($$("[data-item]", list).every((item, number) => item === before[number])) return;
  const form = list.closest("form");
  const answer = await post(form.action, new FormData(form)).catch(() => null);
  if (answer?.ok) return refreshButtons();
  list.append(...before);
  toast(list.dataset.failed || answer?.statusText || "", { isProblem: true });
});

function refreshButtons() {
  const items = $$("[data-item]", list);
  items.forEach((item, number) => {
    $("[name=up]", item).disabled = number === 0;
    $("[name=down]", item).disabled = number === items.length - 1;
  });
}
