// The composer's text survives reloads, failures and signing out: it is kept on the device until it was sent.
import { $, post } from "./dom.js";

const form = $("[data-composer]");
if (form) {
  const text = $("textarea", form), state = $("[data-composer-state]", form);
  const key = `update:${document.documentElement.dataset.person}:${form.dataset.composer}`;
  const uid = form.elements.client_uid; // the server takes the same words of one form once
  const renewed = () => globalThis.crypto?.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
  const visibility = () => $("input[name=visibility]:checked", form)?.value ?? "";
  let store;
  try { store = window.localStorage; } catch { store = null; }

  const kept = JSON.parse(store?.getItem(key) ?? "null");
  if (kept && !text.value) {
    text.value = kept.text;
    if (kept.uid) uid.value = kept.uid;
    const reader = $(`input[name=visibility][value="${CSS.escape(kept.visibility)}"]`, form);
    if (reader) reader.checked = true;
  }
  const keep = () => {
    try {
      if (text.value.trim()) store?.setItem(key, JSON.stringify({ text: text.value, visibility: visibility(), uid: uid.value }));
      else store?.removeItem(key);
    } catch { /* the device is full; the text stays in its place */ }
  };
  form.addEventListener("input", () => { keep(); state.replaceChildren(); });
  form.addEventListener("act:done", () => {
    text.value = "";
    uid.value = renewed();
    store?.removeItem(key);
    state.replaceChildren();
    showPreview(false);
    const then = $("select[name=then]", form);
    if (then) then.value = "";
  });
  form.addEventListener("act:failed", (event) => {
    keep();
    state.textContent = event.detail.text ?? "";
    if (event.detail.url) {
      const link = document.createElement("a");
      link.href = event.detail.url;
      link.textContent = new URL(event.detail.url, location).pathname;
      state.append(" ", link);
    }
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit(); }
    if (event.key === "Escape") text.blur();
  });

  const button = $("[data-preview-button]", form), shown = $("[data-preview-shown]", form);
  const showPreview = (isOn) => {
    button.setAttribute("aria-pressed", String(isOn));
    shown.hidden = !isOn;
    text.hidden = isOn;
  };
  button.hidden = false;
  button.addEventListener("click", async () => {
    if (!shown.hidden) { showPreview(false); text.focus(); return; }
    const response = await post(form.dataset.preview, { message: text.value }).catch(() => null);
    if (!response?.ok) return;
    shown.innerHTML = await response.text();
    showPreview(true);
  });
}
