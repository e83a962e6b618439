// The alarm: sounds until nothing of what a person chose is unacknowledged, in one tab of the browser.
import { $, $$, on } from "./dom.js";

const controls = $$("[data-sound]"), settings = controls[0]?.dataset ?? {};
const name = `sound-${settings.person}`;
const RANK = { low: 1, medium: 2, high: 3, critical: 4 };
const LOOP_SECONDS = 4, TONES = [[0, 880], [0.22, 660], [0.6, 880], [0.82, 660]];
const open = new Map();
let chosen = stored(), teams = [], context, playing, release, isAsking = false, isElsewhere = false;

function stored() {
  try {
    return { isArmed: false, scope: "teams", least: "high", ...JSON.parse(localStorage.getItem(name) ?? "{}") };
  } catch {
    return { isArmed: false, scope: "teams", least: "high" };
  }
}

function choose(change) {
  chosen = { ...chosen, ...change };
  localStorage.setItem(name, JSON.stringify(chosen));
  follow();
}

const matches = ({ severity, team, assignee }) => RANK[severity] >= RANK[chosen.least]
  && (chosen.scope === "everything" || (chosen.scope === "assigned" ? String(assignee) === settings.person : teams.includes(team)));

function melody() {
  const buffer = context.createBuffer(1, context.sampleRate * LOOP_SECONDS, context.sampleRate), samples = buffer.getChannelData(0);
  for (const [start, pitch] of TONES) {
    const length = 0.2 * context.sampleRate, first = Math.round(start * context.sampleRate);
    for (let at = 0; at < length; at++) samples[first + at] = 0.5 * Math.sin(Math.PI * at / length) * Math.sin(2 * Math.PI * pitch * at / context.sampleRate);
  }
  return buffer;
}

function play(isRepeated) {
  const source = context.createBufferSource();
  Object.assign(source, { buffer: melody(), loop: isRepeated });
  source.connect(context.destination);
  source.start();
  return source;
}

function update() {
  const isDue = chosen.isArmed && release && [...open.values()].some(matches);
  if (isDue && !playing) playing = play(true);
  if (!isDue && playing) { playing.stop(); playing = null; }
  show(!chosen.isArmed ? "off" : isDue ? "sounding" : release ? "on" : isElsewhere ? "elsewhere" : "blocked");
}

function show(state) {
  for (const control of controls) {
    control.hidden = false;
    control.dataset.sound = state;
    const word = $("[data-sound-word]", control), text = control.dataset[`word${state}`];
    if (word.textContent !== text) word.textContent = text;
    $("[data-sound-toggle]", control).setAttribute("aria-pressed", chosen.isArmed);
    $$("[data-sound-when]", control).forEach((one) => { one.hidden = (one.dataset.soundWhen === "on") !== chosen.isArmed; });
    $$("[data-sound-choice]", control).forEach((select) => { select.value = chosen[select.dataset.soundChoice]; });
  }
}

async function load() {
  const response = await fetch(settings.alarms, { cache: "no-store" }).catch(() => null);
  if (!response?.ok) return;
  const found = await response.json();
  teams = found.teams;
  open.clear();
  found.incidents.forEach((incident) => open.set(incident.incident, incident));
  update();
}

// A tab that the browser lets sound waits for its turn to be the one that does.
async function lead() {
  if (isAsking || context?.state !== "running") return;
  isAsking = true;
  const hold = () => new Promise((done) => {
    release = done;
    isElsewhere = false;
    update();
    load();
  });
  await (navigator.locks ? navigator.locks.request(name, () => (chosen.isArmed ? hold() : null)) : hold());
  isAsking = false;
}

function stop() {
  release?.();
  release = null;
}

async function follow() {
  if (!chosen.isArmed) stop();
  else if (!release) {
    if (!context) {
      context = new AudioContext();
      context.addEventListener("statechange", () => (context.state === "running" ? lead() : stop(), update()));
    }
    lead();
    const held = await navigator.locks?.query();
    isElsewhere = Boolean(held?.held.some((lock) => lock.name === name)) && !release;
  }
  update();
}

async function allow() {
  if (!chosen.isArmed || release) return;
  await context?.resume().catch(() => null);
  follow();
}

if (controls.length && self.AudioContext) {
  on("click", "[data-sound-toggle]", () => { choose({ isArmed: !chosen.isArmed }); allow(); });
  on("click", "[data-sound-test]", async () => {
    context ??= new AudioContext();
    await context.resume();
    play(false);
  });
  on("change", "[data-sound-choice]", (_event, select) => choose({ [select.dataset.soundChoice]: select.value }));
  addEventListener("storage", (event) => { if (event.key === name) { chosen = stored(); follow(); } });
  for (const type of ["pointerdown", "keydown"]) document.addEventListener(type, allow);
  document.addEventListener("live:event", ({ detail }) => {
    if (detail.status === "open") open.set(detail.incident, detail); else open.delete(detail.incident);
    update();
  });
  document.addEventListener("live:resync", () => release && load());
  document.addEventListener("live:state", ({ detail }) => (detail === "connected" && release ? load() : detail === "signed_out" && stop(), update()));
  setInterval(follow, 30_000);
  follow();
}
