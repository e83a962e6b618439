import { $, $$, on } from "./dom.js";

const toBytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

function decoded(options) {
  const found = { ...options, challenge: toBytes(options.challenge) };
  if (options.user) found.user = { ...options.user, id: toBytes(options.user.id) };
  for (const list of ["excludeCredentials", "allowCredentials"]) {
    if (options[list]) found[list] = options[list].map((one) => ({ ...one, id: toBytes(one.id) }));
  }
  return found;
}

function encoded(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = toText(credential.response[name]);
  }
  return JSON.stringify({ id: credential.id, rawId: toText(credential.rawId), type: credential.type, response, clientExtensionResults: {} });
}

async function answer(form) {
  const asked = await fetch(form.dataset.options, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } });
  const options = await asked.json();
  if (!asked.ok) throw new Error(options.detail);
  const publicKey = decoded(options.publicKey);
  const how = form.dataset.webauthn === "create" ? "create" : "get";
  return encoded(await navigator.credentials[how]({ publicKey }));
}

on("submit", "form[data-webauthn]", async (event, form) => {
  event.preventDefault();
  const problem = $("[data-webauthn-problem]", form);
  const button = $("button", form);
  problem.hidden = true;
  button.disabled = true;
  try {
    form.elements.credential.value = await answer(form);
    form.submit();
  } catch (error) {
    const isDom = error instanceof DOMException;
    problem.textContent = isDom || error instanceof TypeError ? problem.dataset.webauthnProblem : error.message;
    problem.hidden = false;
    button.disabled = false;
  }
});

if (window.PublicKeyCredential) $$("[data-webauthn-only]").forEach((element) => { element.hidden = false; });
