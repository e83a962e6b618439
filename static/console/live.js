// Pages listen on `document` for live:event, live:state, live:resync and live:inbox.
import { $$ } from "./dom.js";
import { Connection } from "./live_connection.js";

const settings = document.querySelector("[data-live]")?.dataset;
const QUIET_MS = 4000;
let after, timer;

const tell = (name, detail) => document.dispatchEvent(new CustomEvent(`live:${name}`, { detail }));

function take({ type, detail }) {
  if (type === "event") {
    if (detail.feed_seq <= after) return;
    after = detail.feed_seq;
  } else if (type === "resync") after = detail;
  else if (type === "state") show(detail);
  tell(type, detail);
}

// Words change after a moment, so that a short break is not read out.
function show(state) {
  clearTimeout(timer);
  timer = setTimeout(() => $$("[data-live-state]").forEach((place) => {
    place.hidden = false;
    place.dataset.liveState = state;
    const word = place.dataset[`word${state}`] ?? "";
    const text = place.querySelector("[data-live-word]") ?? place;
    if (text.textContent !== word) text.textContent = word;
  }), document.querySelector("[data-live-state='']") ? 0 : state === "connected" ? 300 : QUIET_MS);
}

const said = () => ({ stream: settings.stream, poll: settings.poll, person: settings.person, after });

// One worker of all tabs.
function share() {
  const { port } = new SharedWorker(settings.worker, { name: `live-${settings.person}`, type: "module" });
  port.onmessage = ({ data }) => take(data);
  const hello = () => port.postMessage({ type: "hello", ...said() });
  addEventListener("pagehide", () => port.postMessage({ type: "bye" }));
  addEventListener("pageshow", (event) => event.persisted && hello());
  addEventListener("online", () => port.postMessage({ type: "wake" }));
  hello();
}

// One tab leads, and tells the others; when it closes, the next one goes on where they are.
function lead() {
  const name = `live-${settings.person}`, channel = new BroadcastChannel(name), me = crypto.randomUUID();
  let connection;
  const pass = (message) => { channel.postMessage({ message }); take(message); };
  const hello = () => channel.postMessage({ hello: after, from: me });
  channel.onmessage = ({ data }) => {
    if (data.message) (data.to ?? me) === me && take(data.message);
    else if (data.leads) hello();
    else if (connection) { connection.wake(); connection.missed(data.hello).forEach((message) => channel.postMessage({ message, to: data.from })); }
  };
  addEventListener("online", () => connection?.wake());
  addEventListener("pageshow", (event) => event.persisted && hello());
  hello();
  navigator.locks.request(name, () => {
    connection = new Connection({ ...said(), emit: pass });
    channel.postMessage({ leads: true });
    return new Promise(() => {});
  });
}

if (settings) {
  after = Number(settings.after);
  if (self.SharedWorker) share();
  else if (navigator.locks && self.BroadcastChannel) lead();
  else new Connection({ ...said(), emit: take });
}
