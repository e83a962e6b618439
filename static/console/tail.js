import { $, $$, on } from "./dom.js";

// New lines go on top while nobody reads; else they wait behind a button. At most MOST stay on the page.
const MOST = 500, EVERY = 1500, LATER = 5000;
const list = $("[data-lines]"), button = $("[data-follow]"), pill = $("[data-show-lines]");
let isOn = false, after = Number(list.dataset.after), waiting = [], timer;

button.hidden = false;
button.addEventListener("click", () => {
  isOn = !isOn;
  button.setAttribute("aria-pressed", String(isOn));
  $$("[data-when]", button).forEach((word) => { word.hidden = (word.dataset.when === "on") !== isOn; });
  clearTimeout(timer);
  if (isOn) ask(); else showPill();
});
on("click", "[data-show-lines]", () => { put(); scrollTo({ top: 0 }); });
document.addEventListener("visibilitychange", () => { if (isOn && !document.hidden) { clearTimeout(timer); ask(); } });

const isRead = () => list.matches(":hover, :focus-within") || scrollY > list.getBoundingClientRect().top + scrollY || !getSelection().isCollapsed;

async function ask() {
  if (!isOn || document.hidden) return;
  const answer = await fetch(`${list.dataset.url}${list.dataset.url.endsWith("?") ? "" : "&"}after=${after}`, { headers: { "HX-Request": "true" } }).catch(() => null);
  $("[data-follow-failed]").hidden = Boolean(answer?.ok);
  if (answer?.ok) take(new DOMParser().parseFromString(await answer.text(), "text/html"));
  if (isOn) timer = setTimeout(ask, answer?.ok ? EVERY : LATER);
}

function take(page) {
  const found = $("table", page);
  if (!found) return;
  after = Number(found.dataset.after);
  $("[data-lines-cut]").hidden = !("cut" in found.dataset);
  const known = new Set(waiting.map((row) => row.id));
  waiting = [...$$("tr", found).filter((row) => !known.has(row.id) && !document.getElementById(row.id)), ...waiting].slice(0, MOST);
  if (isRead()) showPill(); else put();
}

function put() {
  list.prepend(...waiting.map((row) => document.adoptNode(row)));
  $$("tr", list).slice(MOST).forEach((row) => row.remove());
  waiting = [];
  showPill();
}

function showPill() {
  pill.hidden = !waiting.length;
  $("[data-count]", pill).textContent = waiting.length;
}
