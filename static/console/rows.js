import { $, $$, on } from "./dom.js";

const ready = (within) => $$("[data-add-row], [data-remove-row]", within).forEach((button) => { button.hidden = false; });
ready(document);

on("click", "[data-add-row]", (_event, button) => {
  const rows = button.closest("[data-rows]");
  const row = $("template", rows).content.firstElementChild.cloneNode(true);
  button.before(row);
  ready(row);
  $("input", row).focus();
});
on("click", "[data-remove-row]", (_event, button) => {
  const row = button.closest("[data-row]"), rows = row.closest("[data-rows]");
  row.remove();
  $("[data-add-row]", rows)?.focus();
});
