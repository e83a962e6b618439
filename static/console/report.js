import { $, $$, on } from "./dom.js";
import { fileKeeper } from "./report_files.js";
import "./report_queue.js";

const queue = globalThis.reportQueue;
const form = $("#report"), status = $("#report-status"), progress = $("#report-progress"), button = $("#report-send");
const texts = JSON.parse($("#report-texts").textContent);
const plurals = new Intl.PluralRules(document.documentElement.lang);
const say = (text, words = {}) => Object.entries(words).reduce((said, [name, word]) => said.replace(`%(${name})s`, word), text).replace("%%", "%");
const sayCount = (forms, n) => say(forms[plurals.select(n)] ?? forms.other, { n });

let uid = queue.uuid(), createdAt = Date.now(), person = form.dataset.person, release = () => {}, keeps = true, saving = 0;
const files = fileKeeper({ form, texts, say, changed: () => save() });

const fields = () => [...form.elements].filter((one) => one.name && !/^(file|hidden|submit|button)$/.test(one.type));
const values = () => Object.fromEntries(fields().map((one) => [one.name, one.type === "checkbox" ? (one.checked ? "on" : "") : one.value]));
const isEmpty = () => !files.all().length && fields().every((one) => one.type === "checkbox" ? !one.checked : one.tagName === "SELECT" ? !one.value : !one.value.trim());

function fill(told) {
  for (const one of fields()) {
    if (!(one.name in told)) continue;
    if (one.type === "checkbox") one.checked = Boolean(told[one.name]); else one.value = told[one.name];
    if (told[one.name] && one.closest("details")) one.closest("details").open = true;
  }
}
const entry = (state) => ({ uid, person, state, createdAt, base: new URL(form.action).pathname, url: new URL(form.action).pathname, fields: values(), files: files.all(), title: values().title });

// Only one tab holds a draft.
function hold(id) {
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((resolve) => navigator.locks.request(`draft-${id}`, { ifAvailable: true }, (lock) => {
    resolve(Boolean(lock));
    return lock && new Promise((done) => { release = done; });
  }));
}
async function save() {
  clearTimeout(saving);
  $("#report-discard").hidden = isEmpty();
  if (!keeps) return;
  try {
    if (isEmpty()) await queue.remove(uid); else await queue.put(entry("draft"));
    status.textContent = isEmpty() ? "" : texts.saved;
  } catch {
    keeps = false;
    status.textContent = texts.not_saved;
  }
}
function soon() { clearTimeout(saving); saving = setTimeout(save, 300); }

async function take(kept) {
  release();
  uid = kept.uid; createdAt = kept.createdAt;
  fill(kept.fields);
  files.replace(kept.files);
  await hold(uid);
  if (kept.state === "refused") { showRefusals(kept.errors); await save(); }
  $("#report-discard").hidden = isEmpty();
}
async function restore() {
  let kept;
  try {
    if (person) await queue.setFact("person", person); else person = await queue.fact("person") ?? "";
    kept = await queue.all();
  } catch { keeps = false; return; }
  const mine = kept.filter((one) => one.person === person && one.state !== "queued").sort((one, two) => two.updatedAt - one.updatedAt);
  const typed = !isEmpty();
  for (const one of typed ? [] : mine) {
    if (!await hold(one.uid)) { status.textContent = texts.elsewhere; continue; }
    await take(one);
    status.textContent = texts.restored;
    break;
  }
  if (form.dataset.person) offer(kept.filter((one) => one.person === ""));
  await hold(uid);
  showWaiting();
  sendWaiting();
}
function offer(strays) {
  const box = $("#adopt");
  box.hidden = !strays.length;
  box.replaceChildren(...strays.flatMap((one) => [
    make("span", {}, texts.adopt, " ", make("bdi", {}, one.fields.title || texts.untitled)),
    make("button", { type: "button", className: "button", onclick: async () => { await queue.put({ ...one, person }); box.hidden = true; one.state === "queued" ? sendWaiting() : isEmpty() ? take({ ...one, person }) : showWaiting(); } }, texts.adopt_yes),
    make("button", { type: "button", className: "button button-quiet", onclick: async () => { await queue.remove(one.uid); box.hidden = true; } }, texts.discard),
  ]));
}
function make(name, properties, ...inside) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...inside);
  return made;
}

async function showWaiting() {
  const waiting = (await queue.all().catch(() => [])).filter((one) => one.person === person && one.uid !== uid && one.state !== "draft");
  $("#waiting").hidden = !waiting.length;
  $("#waiting-title").textContent = sayCount(texts.waiting, waiting.length);
  $("#waiting-list").replaceChildren(...waiting.map((one) => {
    const why = one.state === "refused" ? say(texts.refused_waiting, { why: one.errors.map((error) => error.message).join(" ") }) : texts[one.problem] ?? "";
    const line = make("p", { className: "report-why" }, why);
    if (one.problem === "signed_out" && form.dataset.signIn) line.append(" ", make("a", { href: form.dataset.signIn }, "→"));
    const act = (text, onclick) => make("button", { type: "button", className: "button", onclick }, text);
    const item = make("li", {}, make("bdi", { className: "report-title" }, one.fields.title || texts.untitled));
    if (one.state === "queued") item.append(act(texts.send_now, () => sendWaiting()));
    item.append(act(texts.edit, () => edit(one.uid)), act(texts.discard, () => discard(one.uid)), line);
    return item;
  }));
}
async function edit(id) {
  const kept = await queue.get(id);
  if (!kept) return showWaiting();
  await save();
  await queue.put({ ...kept, state: "draft" });
  await take({ ...kept, state: "draft" });
  showWaiting();
  $("#id_title").focus();
}
async function discard(id) {
  const kept = await queue.get(id);
  await queue.remove(id);
  await showWaiting();
  if (kept) undo(async () => { await queue.put(kept); showWaiting(); });
}
function undo(back) {
  const offered = make("button", { type: "button", className: "link", onclick: async () => { await back(); status.textContent = ""; } }, texts.undo);
  status.replaceChildren(texts.discarded, " ", offered);
}

function showRefusals(errors) {
  const box = $("#report-refused");
  const of_files = errors.filter((error) => error.field === "attachments");
  files.refuse(of_files);
  for (const error of errors) {
    const control = form.elements[error.field];
    if (!control?.setAttribute || error.field === "attachments") continue;
    control.setAttribute("aria-invalid", "true");
    if (control.closest("details")) control.closest("details").open = true;
  }
  box.hidden = false;
  box.textContent = [texts.refused, ...errors.filter((error) => !of_files.includes(error)).map((error) => error.message)].join(" ");
  box.focus();
}
function clearRefusals() {
  $("#report-refused").hidden = true;
  $$("[aria-invalid]", form).forEach((control) => control.removeAttribute("aria-invalid"));
}
function fresh() {
  release();
  form.reset();
  files.replace([]);
  uid = queue.uuid(); createdAt = Date.now();
  hold(uid);
  $("#similar").replaceChildren();
  $("#report-discard").hidden = true;
  if (form.elements.client_uid) form.elements.client_uid.value = uid;
}

async function sendWaiting() {
  const results = await queue.sendAll({ onProgress: (id, percent) => id === sent && showProgress(percent) });
  showWaiting();
  return results;
}
let sent = "";
function showProgress(percent) {
  progress.hidden = false; progress.value = percent;
  status.textContent = say(texts.uploaded, { percent });
}
function busy(is) {
  button.disabled = is;
  progress.hidden = true;
  if (is) { progress.value = 0; status.textContent = texts.sending; }
}

form.addEventListener("submit", async (event) => {
  if (!keeps) return;
  event.preventDefault();
  if (button.disabled) return;
  clearTimeout(saving);
  clearRefusals();
  busy(true);
  await files.settled();
  const going = entry("queued");
  if (event.submitter?.dataset.same) going.url = new URL(event.submitter.formAction).pathname;
  sent = uid;
  try {
    await queue.put(going);
  } catch {
    keeps = false; busy(false);
    form.requestSubmit(event.submitter ?? button);
    return;
  }
  const result = (await sendWaiting()).find((one) => one.uid === going.uid);
  if (!result && !await queue.get(going.uid)) return busy(false);  // another tab sent it, and told
  after(result ?? { kind: "kept", problem: "try_later" });
});
async function after(result) {
  busy(false);
  if (result.kind === "sent") { form.reset(); files.replace([]); location.assign(result.url); return; }
  if (result.kind === "refused") { uid = result.entry.uid; await take(result.entry); return showWaiting(); }
  fresh();
  status.textContent = texts[result.problem] ?? texts.queued;
  await showWaiting();
  navigator.serviceWorker?.ready.then((registration) => registration.sync?.register("reports")).catch(() => {});
}

queue.listen((news) => {
  if (news.kind === "sent" && news.uid === sent) { location.assign(news.url); return; }
  if (news.kind === "sent" && news.person === person) status.replaceChildren(make("a", { href: news.url }, say(texts.sent, { reference: news.reference })), " ", make("bdi", {}, news.title ?? ""));
  showWaiting();
});
// What is asked while somebody writes goes into an address.
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  const asked = ctx.request.body;
  if (ctx.sourceElement.id === "id_title") asked.set("description", (asked.get("description") ?? "").slice(0, 1000));
});
on("click", "[data-suggest]", (_event, button) => {
  const control = form.elements[button.dataset.suggest];
  if (!control || control.value) return;
  control.value = button.dataset.value;
  control.closest("details").open = true;
  control.dispatchEvent(new Event("change", { bubbles: true }));
});
form.addEventListener("input", soon);
form.addEventListener("change", soon);
on("click", "#report-discard", async () => {
  const kept = entry("draft");
  await queue.remove(uid);
  fresh();
  undo(async () => { await queue.put(kept); await take(kept); });
});
addEventListener("online", sendWaiting);
addEventListener("pagehide", () => { if (!isEmpty() && !button.disabled) save(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) sendWaiting(); else if (!isEmpty() && !button.disabled) save(); });
setInterval(() => { if (!$("#waiting").hidden && !document.hidden) sendWaiting(); }, 30_000);

form.dataset.enhanced = "";
$$("[data-needs-script]").forEach((one) => { one.hidden = false; });
$("#id_title")?.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); $("#id_description").focus(); } });
restore();
