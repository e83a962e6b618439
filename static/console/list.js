import { $, $$, on, post, toast } from "./dom.js";
import { refreshTimes } from "./times.js";

const table = $("#incidents"), selection = $("#selection"), pill = $("#new-rows");
const place = `list:${location.pathname}${location.search}`;
document.documentElement.classList.add("js");

// --- where the reader was ---------------------------------------------------------------------------------------
const kept = JSON.parse(sessionStorage.getItem(place) ?? "null");
const read = new Set(JSON.parse(sessionStorage.getItem("read") ?? "[]"));
const teams = table?.dataset.teams?.split(" ");
function markRead(within = document) {
  $$("tr[data-incident]", within).forEach((row) => {
    row.classList.toggle("was-read", read.has(row.dataset.incident));
    row.classList.toggle("is-others", Boolean(teams && row.dataset.team && !teams.includes(row.dataset.team)));
  });
}
markRead();
if (kept && performance.getEntriesByType("navigation")[0]?.type !== "reload") {
  scrollTo(0, kept.y);
  const row = $(`#row-${kept.incident}`);
  if (row) { current(row); $(".row-link", row)?.focus({ preventScroll: true }); }
}
on("click", ".row-link", (_event, link) => {
  const row = link.closest("tr");
  read.add(row.dataset.incident);
  sessionStorage.setItem("read", JSON.stringify([...read].slice(-500)));
  sessionStorage.setItem(place, JSON.stringify({ y: scrollY, incident: row.dataset.incident }));
  sessionStorage.setItem("list", location.search);
  link.search = `?list=${encodeURIComponent(table.dataset.query)}`;
});

// --- selection --------------------------------------------------------------------------------------------------
const boxes = () => $$("tbody input[name=ids]", table);
let lastBox;
function count() {
  const chosen = boxes().filter((box) => box.checked).length;
  selection?.classList.toggle("is-on", chosen > 0);
  const label = $("[data-selected-count]", selection ?? document);
  if (label) label.textContent = chosen ? `${chosen} ✓` : "";
  const all = $("#select-page");
  if (all) { all.checked = chosen > 0 && chosen === boxes().length; all.indeterminate = chosen > 0 && !all.checked; }
}
on("change", "#select-page", (_event, all) => { boxes().forEach((box) => { box.checked = all.checked; }); count(); });
on("click", "tbody input[name=ids]", (event, box) => {
  if (event.shiftKey && lastBox?.isConnected) {
    const list = boxes(), [from, to] = [list.indexOf(lastBox), list.indexOf(box)].sort((one, other) => one - other);
    list.slice(from, to + 1).forEach((one) => { one.checked = box.checked; });
  }
  lastBox = box;
  count();
});
if (table) count();

// --- keyboard: j k o x, and a s h r on the current row or the selection ----------------------------------------------
function current(row) {
  $$("tr.is-current", table).forEach((one) => one.classList.remove("is-current"));
  row?.classList.add("is-current");
}
function move(step) {
  const rows = $$("tbody tr", table), now = rows.findIndex((row) => row.classList.contains("is-current"));
  const row = rows[Math.max(0, Math.min(rows.length - 1, now + step))];
  if (!row) return;
  current(row);
  $(".row-link", row).focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}
const STATUS = { a: "acknowledged", s: "in_progress", h: "on_hold", r: "resolved" };
document.addEventListener("keydown", (event) => {
  const isOff = document.documentElement.dataset.shortcuts === "off";
  if (!table || isOff || event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]") || event.defaultPrevented) return;
  if (event.target.matches("input:not([type=checkbox]), select, textarea, [contenteditable]")) return;
  const row = $("tr.is-current", table);
  if (event.key === "j" || event.key === "k") move(event.key === "j" ? 1 : -1);
  else if (event.key === "o" && row) $(".row-link", row).click();
  else if (event.key === "x" && row) { const box = $("input[name=ids]", row); box.checked = !box.checked; count(); }
  else if (event.key in STATUS && selection) {
    if (!boxes().some((box) => box.checked) && row) $("input[name=ids]", row).checked = true;
    count();
    if (!boxes().some((box) => box.checked)) return;
    selection.elements.status.value = STATUS[event.key];
    selection.elements[STATUS[event.key] === "on_hold" ? "note" : "status"].focus();
    if (STATUS[event.key] === "acknowledged") selection.requestSubmit();
  } else return;
  event.preventDefault();
});
table?.addEventListener("focusin", (event) => { const row = event.target.closest("tbody tr"); if (row) current(row); });

// --- acting on a row, and what others do --------------------------------------------------------------------------
function parseRow(html) {
  const holder = document.createElement("tbody");
  holder.innerHTML = html;
  return holder.firstElementChild;
}
function replaceRow(row, html) {
  const fresh = parseRow(html);
  if (!fresh || Number(fresh.dataset.version) < Number(row.dataset.version)) return;
  const box = $("input[name=ids]", row), held = row.contains(document.activeElement) ? document.activeElement : null;
  $("input[name=ids]", fresh).checked = box.checked;
  fresh.classList.toggle("is-current", row.classList.contains("is-current"));
  // In place, cell by cell, so that focus and pointer stay where they are.
  [...row.cells].forEach((cell, index) => {
    if (cell.contains(box) || cell.isEqualNode(fresh.cells[index])) return;
    if (held && cell.contains(held) && cell.classList.contains("col-title")) { $(".row-link", cell).replaceChildren(...$(".row-link", fresh.cells[index]).childNodes); return; }
    cell.replaceChildren(...fresh.cells[index].childNodes);
  });
  row.className = fresh.className;
  Object.assign(row.dataset, fresh.dataset);
  markRead(row.parentElement);
  refreshTimes(row);
}
on("submit", "#row-act", async (event, form) => {
  event.preventDefault();
  const button = event.submitter, row = button.closest("tr");
  button.disabled = true;
  const answer = await post(form.action, { [button.name]: button.value }).catch(() => null);
  button.disabled = false;
  if (answer?.ok) { replaceRow(row, await answer.text()); $(".row-link", row).focus({ preventScroll: true }); return; }
  if (answer?.headers.get("HX-Redirect")) { location.href = answer.headers.get("HX-Redirect"); return; }
  if (answer) $("#toasts").insertAdjacentHTML("beforeend", await answer.text());
  else toast(navigator.onLine ? "…" : "offline", { isProblem: true });
});

// Out of sight from now on; the rows below stay where they are.
function blank(row) {
  row.classList.add("is-done");
  $(".col-title", row).textContent = "—";
  $$("input, button", row).forEach((control) => { control.checked = false; control.disabled = true; });
}

const waiting = new Set();
let asking;
document.addEventListener("live:event", (event) => {
  const { incident, row: html, is_gone: isGone } = event.detail;
  const row = table && $(`#row-${incident}`, table);
  if (isGone) { if (row) blank(row); return; }
  if (row) { if (html) replaceRow(row, html); return; }
  waiting.add(incident);
  clearTimeout(asking);
  asking = setTimeout(showPill, 300 + Math.random() * 300);
});
document.addEventListener("live:resync", () => { waiting.clear(); showPill(true); });

async function showPill(isCertain = false) {
  if (!pill) return;
  const link = $("[data-new-rows]", pill);
  if (isCertain !== true) {
    const address = table?.dataset.matching ?? `${pill.dataset.matching}`;
    const answer = await fetch(`${address}&ids=${[...waiting].slice(-200).join(",")}`).catch(() => null);
    if (!answer?.ok) return;
    const found = (await answer.json()).ids.filter((id) => !$(`#row-${id}`));
    if (!found.length) return;
    link.textContent = pill.dataset.label.replace("{n}", found.length);
  } else link.textContent = pill.dataset.again;
  pill.hidden = false;
}
