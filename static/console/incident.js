// The incident's page: actions in place, dialogs, live updates, uploads.
import { $, $$, csrf, isTyping, on, toast } from "./dom.js";
import { refreshClocks } from "./clocks.js";
import { refreshTimes } from "./times.js";

const page = $("[data-incident]");
const slot = (name) => $(`[data-slot="${name}"]`);
const dialog = $("#act");
let seen = Number(slot("header")?.dataset.seen ?? 0);

// --- Parts of the page that an answer changes ---

export function apply(html, { isLive = false } = {}) {
  const answer = document.createElement("template");
  answer.innerHTML = html;
  for (const part of $$("template[data-part]", answer.content)) {
    const name = part.dataset.part;
    if (name === "header") putHeader(part, isLive);
    else if (name === "entries") putEntries(part, isLive);
    else if (name === "toast") $("#toasts").append(part.content);
    else if (name === "then") putThen(part);
    else if (slot(name)) slot(name).replaceChildren(part.content);
  }
  refreshTimes();
  refreshClocks();
  loadWhenSeen();
}

let waitingHeader = null;
function putHeader(part, isLive) {
  const header = slot("header");
  seen = Number(part.dataset.seen);
  const isBusy = $("details[open]", header) || header.contains(document.activeElement);
  if (isLive && isBusy) { waitingHeader = part; return; }
  waitingHeader = null;
  const focused = header.contains(document.activeElement);
  header.replaceChildren(part.content);
  header.classList.toggle("is-done", !$(".status", header)?.matches(".status-open, .status-acknowledged, .status-in_progress, .status-on_hold"));
  if (focused) $("button, a, summary", $(".incident-actions", header))?.focus({ preventScroll: true });
  $$("input[name=seen]").forEach((input) => { if (!dialog.contains(input)) input.value = seen; });
}
function putWaitingHeader() {
  const header = slot("header");
  if (waitingHeader && !$("details[open]", header) && !header.contains(document.activeElement)) {
    putHeader(waitingHeader, true);
    refreshTimes(); refreshClocks();
  }
}
document.addEventListener("focusout", () => setTimeout(putWaitingHeader, 50));
document.addEventListener("toggle", () => setTimeout(putWaitingHeader, 50), true);

function putThen(part) {
  const select = slot("then");
  if (select && !select.value && document.activeElement !== select) select.replaceChildren(part.content);
}

// --- New entries: on top of their day, or behind a button while the reader is elsewhere ---

const held = [];
function putEntries(part, isLive) {
  if (page.dataset.show !== "all" || "isOlder" in page.dataset || "gap" in part.dataset) {
    if ($("[data-seq]", part.content)) hold(part);
    return;
  }
  const top = $("#timeline").getBoundingClientRect().top;
  if (isLive && $("[data-seq]", part.content) && top < -100) hold(part); else insert(part.content);
}
function hold(part) {
  held.push(part);
  const button = $("[data-new-entries]");
  const count = held.reduce((sum, one) => sum + $$("[data-seq]", one.content).length, 0);
  button.textContent = count === 1 ? button.dataset.one : button.dataset.many.replace("%s", count);
  button.hidden = count === 0;
}
on("click", "[data-new-entries]", (_event, button) => {
  if (page.dataset.show !== "all" || "isOlder" in page.dataset || held.some((part) => "gap" in part.dataset)) {
    const url = new URL(location);
    ["show", "before"].forEach((name) => url.searchParams.delete(name));
    url.hash = "timeline";
    if (url.href === location.href) location.reload(); else location.assign(url);
    return;
  }
  held.splice(0).forEach((part) => insert(part.content));
  button.hidden = true;
  $("#timeline").scrollIntoView();
});
function insert(content) {
  const days = slot("entries");
  for (const day of $$("[data-day]", content).reverse()) {
    const known = $(`[data-day="${day.dataset.day}"]`, days);
    const fresh = $$("[data-seq]", day).filter((entry) => !document.getElementById(entry.id));
    fresh.forEach((entry) => entry.classList.add("entry-new"));
    if (!fresh.length) continue;
    if (known) $(".entries", known).prepend(...fresh); else days.prepend(day);
  }
  $("[data-empty]")?.remove();
}

// --- Actions: forms are sent in place; what fails keeps what was written ---

on("submit", "form[data-act], form[data-undo]", async (event, form) => {
  if (event.defaultPrevented) return;
  event.preventDefault();
  await send(form, event.submitter);
});

export async function send(form, submitter) {
  if (form.dataset.isSending) return false;
  form.dataset.isSending = "1";
  if (submitter) submitter.disabled = true;
  const data = new FormData(form);
  if (submitter?.name) data.set(submitter.name, submitter.value);
  if (!data.has("seen")) data.set("seen", seen);
  form.dispatchEvent(new CustomEvent("act:start", { bubbles: true }));
  try {
    const response = await fetch(form.action, { method: "POST", body: data, headers: { "HX-Request": "true", "X-CSRFToken": csrf() } });
    return await settle(form, response);
  } catch {
    fail(form, form.dataset.kept || offline());
    return false;
  } finally {
    delete form.dataset.isSending;
    if (submitter) submitter.disabled = false;
  }
}

async function settle(form, response) {
  const target = response.headers.get("HX-Redirect");
  if (target && response.status === 401) { fail(form, form.dataset.signedOut || offline(), target); return false; }
  if (target) { form.dispatchEvent(new CustomEvent("act:done", { bubbles: true })); location.assign(target); return true; }
  const html = await response.text();
  if (response.ok) {
    form.dispatchEvent(new CustomEvent("act:done", { bubbles: true }));
    if (dialog.contains(form)) dialog.close();
    form.closest("[data-toast]")?.remove();
    const menu = form.closest("details[data-menu]");
    if (menu) menu.open = false;
    apply(html);
    return true;
  }
  form.dispatchEvent(new CustomEvent("act:failed", { bubbles: true, detail: {} }));
  if (response.headers.get("HX-Retarget")) { $("#toasts").insertAdjacentHTML("beforeend", html); return false; }
  if (html.includes("act-title")) openDialog(html, form);
  else fail(form, form.dataset.kept || offline());
  return false;
}
const offline = () => $("[data-composer]")?.dataset.kept || "—";
function fail(form, text, url = "") {
  form.dispatchEvent(new CustomEvent("act:failed", { bubbles: true, detail: { text, url } }));
  if (!form.matches("[data-composer]")) toast(text, { isProblem: true });
}

// --- Dialogs: the same forms as pages of their own ---

on("click", "a[data-dialog]", async (event, link) => {
  if (event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  const menu = link.closest("details[data-menu]");
  if (menu) menu.open = false;
  try {
    const response = await fetch(link.href, { headers: { "HX-Request": "true" } });
    const html = await response.text();
    if (response.headers.get("HX-Redirect")) location.assign(response.headers.get("HX-Redirect"));
    else if (html.includes("act-title")) openDialog(html);
    else if (response.headers.get("HX-Retarget")) $("#toasts").insertAdjacentHTML("beforeend", html);
    else location.assign(link.href);
  } catch { location.assign(link.href); }
});
let origin = null;
function openDialog(html, form = null) {
  if (form && !dialog.contains(form)) origin = form;
  if (!form) origin = null;
  const body = slot("dialog");
  body.innerHTML = html;
  if (!dialog.open) dialog.showModal();
  ($(".banner[role=alert] ~ form button[type=submit]", body) || $("textarea, input:not([type=hidden]), select", body) || $("button", body))?.focus();
}
document.addEventListener("act:done", (event) => {
  if (origin && dialog.contains(event.target)) { origin.dispatchEvent(new CustomEvent("act:done", { bubbles: true })); origin = null; }
});

// --- Keys of what waits in the menu ---

document.addEventListener("keydown", (event) => {
  const isOff = document.documentElement.dataset.shortcuts === "off";
  if (event.defaultPrevented || isOff || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || $("dialog[open]")) return;
  const found = $(`[data-menu-key="${CSS.escape(event.key)}"]`);
  if (found) { event.preventDefault(); found.click(); }
});

// --- Live: others' changes of this incident ---

let isAsking = false, isAgain = false;
async function refresh() {
  if (isAsking) { isAgain = true; return; }
  isAsking = true;
  await new Promise((go) => setTimeout(go, Math.random() * 300));
  try {
    const response = await fetch(`${page.dataset.updates}?after=${newest()}`, { headers: { "HX-Request": "true" } });
    if (response.ok) apply(await response.text(), { isLive: true });
    else if (response.status === 404) location.reload();
  } catch { /* the next event or the polling asks again */ }
  isAsking = false;
  if (isAgain) { isAgain = false; refresh(); }
}
const newest = () => Math.max(seen, ...held.flatMap((part) => $$("[data-seq]", part.content).map((entry) => Number(entry.dataset.seq))));
if (page?.dataset.updates) {
  document.addEventListener("live:event", (event) => { if (Number(event.detail?.incident) === Number(page.dataset.incident)) refresh(); });
  document.addEventListener("live:resync", refresh);
}

// --- What surrounds the incident comes when it is looked at ---

const whenSeen = new IntersectionObserver((entries) => entries.filter((entry) => entry.isIntersecting).forEach(async ({ target }) => {
  whenSeen.unobserve(target);
  try {
    const response = await fetch(target.dataset.load, { headers: { "HX-Request": "true" } });
    if (response.ok) { target.innerHTML = await response.text(); refreshTimes(); }
  } catch { /* its link stays */ }
}));
function loadWhenSeen() {
  $$("[data-load]:not([data-is-observed])").forEach((element) => { element.dataset.isObserved = ""; whenSeen.observe(element); });
}
loadWhenSeen();

// --- Uploads: button, drop and paste, each file by itself ---

const upload = $("[data-upload]");
if (upload) {
  const list = $("[data-uploads]"), zone = $("[data-drop]"), input = $("input[type=file]", upload);
  $("[data-drop-hint]", upload).hidden = false;
  upload.addEventListener("submit", (event) => { event.preventDefault(); sendFiles(input.files); input.value = ""; });
  input.addEventListener("change", () => { sendFiles(input.files); input.value = ""; });
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length && !$("dialog[open]")) { event.preventDefault(); sendFiles(files); }
  });
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => { if (hasFiles(event)) { event.preventDefault(); zone.classList.add("is-over"); } });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) zone.classList.remove("is-over"); });
  document.addEventListener("drop", (event) => {
    zone.classList.remove("is-over");
    if (hasFiles(event)) { event.preventDefault(); sendFiles(event.dataTransfer.files); }
  });

  let queue = Promise.resolve();
  const sendFiles = (files) => { for (const file of [...files]) queue = queue.then(() => sendFile(file)); };

  const sendFile = (file) => new Promise((settled) => {
    const row = document.createElement("li"), name = document.createElement("bdi"), bar = document.createElement("progress");
    name.textContent = file.name; bar.max = 1; bar.value = 0; bar.setAttribute("aria-label", file.name);
    row.className = "row small"; row.append(name, bar); list.append(row);
    const data = new FormData(upload);
    data.delete("files");
    data.set("seen", seen);
    data.append("files", file, file.name);
    const request = new XMLHttpRequest();
    request.open("POST", upload.action);
    request.setRequestHeader("HX-Request", "true");
    request.upload.onprogress = (event) => { if (event.lengthComputable) bar.value = event.loaded / event.total; };
    const failed = (reason) => {
      const text = document.createElement("span");
      text.className = "late";
      text.textContent = upload.dataset.failed.replace("%(file)s", () => file.name).replace("%(reason)s", () => reason);
      row.replaceChildren(text);
    };
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) { row.remove(); apply(request.responseText); }
      else {
        const answer = document.createElement("template");
        answer.innerHTML = request.responseText;
        failed($("span", answer.content)?.textContent.trim() || upload.dataset.broken);
      }
      settled();
    };
    request.onerror = () => { failed(upload.dataset.broken); settled(); };
    request.send(data);
  });
}
