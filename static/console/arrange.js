import { $, $$, on } from "./dom.js";

// Dragging is a shortcut for the buttons; Save stores the order.
const list = $("[data-cards]");
let dragged = null;
$$("li", list).forEach((card) => { card.draggable = true; });
on("dragstart", ".arrange-card", (_event, card) => { dragged = card; card.classList.add("is-dragged"); });
on("dragend", ".arrange-card", (_event, card) => { dragged = null; card.classList.remove("is-dragged"); number(); });
list.addEventListener("dragover", (event) => {
  const over = event.target.closest(".arrange-card");
  if (!dragged || !over || over === dragged) return;
  event.preventDefault();
  const { top, height } = over.getBoundingClientRect();
  over[event.clientY < top + height / 2 ? "before" : "after"](dragged);
});

function number() {
  const cards = $$("li", list);
  cards.forEach((card, place) => {
    const [up, down] = $$("button", card);
    up.disabled = place === 0;
    down.disabled = place === cards.length - 1;
  });
}
