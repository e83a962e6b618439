import { $, $$, on } from "./dom.js";

const dialog = $("#palette"), input = $("input", dialog), list = $("ul", dialog);
let asked = 0, waiting;

function open() { if (!dialog.open) { dialog.showModal(); input.select(); search(); } }
$$("[data-palette]").forEach((button) => { button.hidden = false; });
on("click", "[data-palette]", open);
document.addEventListener("keydown", (event) => {
  if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k" && !event.shiftKey && !event.altKey) { event.preventDefault(); open(); }
});

async function search() {
  const number = ++asked;
  const answer = await fetch(`${dialog.dataset.search}?q=${encodeURIComponent(input.value)}`, { headers: { "HX-Request": "true" } });
  if (number !== asked || !answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  list.replaceChildren(...$$("li", page.body));
  mark(0);
}
function mark(index) {
  const rows = $$("[role=option]", list);
  rows.forEach((row, number) => row.setAttribute("aria-selected", String(number === index)));
  rows[index]?.scrollIntoView({ block: "nearest" });
  rows[index] ? input.setAttribute("aria-activedescendant", rows[index].id) : input.removeAttribute("aria-activedescendant");
}
const go = (row) => { if (row?.dataset.href) location.href = row.dataset.href; };
on("click", "#palette [role=option]", (_event, row) => go(row));
input.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(search, 120); });
input.addEventListener("keydown", (event) => {
  const rows = $$("[role=option]", list), now = rows.findIndex((row) => row.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); mark((now + (event.key === "ArrowDown" ? 1 : -1) + rows.length) % (rows.length || 1)); }
  if (event.key === "Enter") { event.preventDefault(); go(rows[now] ?? rows[0]); }
});
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
