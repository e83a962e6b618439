import { $, $$, isTyping, on } from "./dom.js";
import "./palette.js";
import "./times.js";
import "./live.js";

const keyboardIsOn = () => document.documentElement.dataset.shortcuts !== "off";

// Toasts go after their seconds, unless somebody is at them.
new MutationObserver((changes) => {
  for (const added of changes.flatMap((change) => [...change.addedNodes])) {
    if (added.dataset?.toast) expire(added, Number(added.dataset.toast) * 1000);
  }
}).observe($("#toasts"), { childList: true });
$$("#toasts > [data-toast]").forEach((shown) => expire(shown, Number(shown.dataset.toast) * 1000));

function expire(shown, milliseconds) {
  setTimeout(() => (shown.matches(":hover, :focus-within") && !$("[data-undo]", shown) ? expire(shown, 2000) : shown.remove()), milliseconds);
}
on("click", "[data-dismiss]", (_event, button) => button.closest("[data-toast], .banner").remove());

// Menus close when the focus or a click goes elsewhere, and on Escape.
const openMenus = () => $$("details[data-menu][open]");
document.addEventListener("click", (event) => openMenus().forEach((menu) => menu.contains(event.target) || (menu.open = false)));
document.addEventListener("focusin", (event) => openMenus().forEach((menu) => menu.contains(event.target) || (menu.open = false)));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  openMenus().forEach((menu) => { menu.open = false; $("summary", menu).focus(); });
});

on("click", "[data-copy]", async (_event, button) => {
  const source = button.dataset.copy.startsWith("#") ? $(button.dataset.copy) : null;
  await navigator.clipboard.writeText(source ? source.value ?? source.textContent : button.dataset.copy);
  button.dataset.copied = "";
  setTimeout(() => delete button.dataset.copied, 1500);
});
on("click", "[data-open-dialog]", (event, button) => { event.preventDefault(); $(button.dataset.openDialog)?.showModal(); });
on("click", "[data-close-dialog]", (event, button) => { event.preventDefault(); button.closest("dialog").close(); });
on("click", "[data-print]", () => window.print());
on("change", "[data-submit-on-change]", (_event, control) => control.form.requestSubmit());

// One way in for shortcuts: what has `data-key` is clicked, or focused where it takes text.
let goesTo = 0;
document.addEventListener("keydown", (event) => {
  if (!keyboardIsOn() || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || $("dialog[open]")) return;
  if (Date.now() < goesTo) {
    goesTo = 0;
    const link = $(`[data-go="${CSS.escape(event.key)}"]`);
    if (link) { event.preventDefault(); link.click(); }
    return;
  }
  if (event.key === "g") { goesTo = Date.now() + 1500; return; }
  if (event.key === "?") { event.preventDefault(); $("#shortcuts").showModal(); return; }
  if (event.key === "z") { const undo = $$("[data-undo] button").at(-1); if (undo) { event.preventDefault(); undo.click(); } return; }
  const found = $$(`[data-key="${CSS.escape(event.key)}"]`).find((one) => one.checkVisibility());
  if (!found || found.disabled) return;
  event.preventDefault();
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(found.tagName) && found.type !== "submit") found.focus(); else found.click();
});

document.addEventListener("live:inbox", (event) => {
  $$("[data-unread]").forEach((badge) => { badge.hidden = !event.detail; $("[data-unread-count]", badge).textContent = event.detail; });
});

// The shell, for pages without a network; and reports that wait on this device.
navigator.serviceWorker?.register("/service-worker.js").catch(() => {});
function sendReports() { if (localStorage.getItem("reports-waiting")) import("./report_queue.js").then(() => globalThis.reportQueue.sendAll()); }
addEventListener("online", sendReports);
sendReports();
