import { $, $$, on } from "./dom.js";

// A form's page, shown in a dialog; without scripts it is a page of its own.
on("click", "[data-dialog]", async (event, link) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  const dialog = $("#page-dialog");
  if (!dialog) return;
  event.preventDefault();
  const address = link.getAttribute("href");
  const answer = await fetch(address, { headers: { "HX-Request": "true" } });
  if (!answer.ok || answer.redirected) { location.href = address; return; }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const content = $("[data-dialog-content]", dialog);
  content.replaceChildren(...page.body.childNodes);
  const form = $("form", content);
  if (form && !form.getAttribute("action")) form.action = address;
  const back = form && $("input[name=next]", form);
  if (back) back.value = location.pathname + location.search;
  dialog.showModal();
  $("input:not([type=hidden]), select", content)?.focus();
});

// Turns and steps can be dragged; each has buttons too.
let dragged = null;
on("dragstart", "[draggable=true]", (event, item) => { dragged = item; event.dataTransfer.effectAllowed = "move"; event.dataTransfer.setData("text/plain", ""); });
on("dragover", "[draggable=true]", (event, item) => {
  if (!dragged || dragged === item || dragged.parentElement !== item.parentElement) return;
  event.preventDefault();
  item.classList.add("is-over");
});
on("dragleave", "[draggable=true]", (_event, item) => item.classList.remove("is-over"));
on("drop", "[draggable=true]", (event, item) => {
  if (!dragged || dragged.parentElement !== item.parentElement) return;
  event.preventDefault();
  item.classList.remove("is-over");
  const all = $$(":scope > [draggable=true]", item.parentElement);
  if (all.indexOf(dragged) < all.indexOf(item)) item.after(dragged); else item.before(dragged);
  item.closest("form")?.dispatchEvent(new Event("change", { bubbles: true }));
});
document.addEventListener("dragend", () => { dragged = null; });

if (matchMedia("(max-width: 719px)").matches) $$(".rota-list").forEach((list) => { list.open = true; });
