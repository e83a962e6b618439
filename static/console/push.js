import { $, post, toast } from "./dom.js";

const card = $("[data-push]"), button = $("[data-push-add]", card), words = $("[data-push-words]", card).dataset;
const say = (word) => { $("[data-push-said]", card).textContent = words[word]; };
const isPhoneOfApple = /iPad|iPhone/.test(navigator.userAgent);

const bytesOf = (base64) => Uint8Array.from(atob(base64.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
const isSame = (one, other) => one && new Uint8Array(one).join() === other.join();

async function subscription() {
  const { pushManager } = await navigator.serviceWorker.ready;
  const applicationServerKey = bytesOf(card.dataset.key), present = await pushManager.getSubscription();
  if (present && isSame(present.options.applicationServerKey, applicationServerKey)) return present;
  await present?.unsubscribe(); // it was for another key
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
}

function nameOf({ userAgentData, userAgent }) {
  const brand = userAgentData?.brands.find(({ brand }) => !/not.?a|chromium/i.test(brand))?.brand ?? userAgent.match(/(Firefox|Edg|Chrome|Safari)\//)?.[1] ?? "";
  return [brand, userAgentData?.platform ?? userAgent.match(/\(([^;)]+)/)?.[1]].filter(Boolean).join(", ");
}

async function add() {
  button.disabled = true;
  say("asking");
  try {
    if (await Notification.requestPermission() !== "granted") { say("denied"); return; }
    const response = await post(card.dataset.add, { subscription: JSON.stringify(await subscription()), label: nameOf(navigator) });
    const { next, sentence } = await response.json();
    if (next) { location.href = next; return; }
    say("ready");
    toast(sentence, { isProblem: true });
  } catch {
    say("failed");
  } finally {
    button.disabled = false;
  }
}

async function start() {
  if (!("serviceWorker" in navigator && "PushManager" in self && "Notification" in self)) { say(isPhoneOfApple ? "home" : "missing"); return; }
  if (Notification.permission === "denied") { say("denied"); return; }
  button.disabled = false;
  button.addEventListener("click", add);
  const registration = await navigator.serviceWorker.getRegistration();
  say(await registration?.pushManager.getSubscription() ? "there" : "ready");
}
start();
