import { $$ } from "./dom.js";

const root = document.documentElement;
const zone = root.dataset.zone || "UTC";
export const language = root.lang === "en" ? "en-GB" : root.lang; // dates as the server writes them: the day first
const relative = new Intl.RelativeTimeFormat(root.lang, { numeric: "auto", style: "short" });
const DAY = 86400;

function show(element) {
  const moment = new Date(element.dateTime), age = (Date.now() - moment) / 1000;
  const { style } = element.dataset, isShort = style === "short" || style === "brief";
  if (isShort && age >= -60 && age < DAY) {
    const text = age < 60 ? relative.format(0, "second") : age < 3600 ? relative.format(-Math.floor(age / 60), "minute") : relative.format(-Math.floor(age / 3600), "hour");
    if (element.textContent !== text) element.textContent = text;
  } else if (isShort && element.dataset.is !== "absolute") {
    element.dataset.is = "absolute";
    const year = moment.getFullYear() === new Date().getFullYear() ? {} : { year: "numeric" };
    const clock = style === "brief" && age >= DAY ? {} : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    element.textContent = new Intl.DateTimeFormat(language, { ...year, day: "numeric", month: "short", ...clock, timeZone: zone }).format(moment);
  }
}

export function refreshTimes(within = document) { $$("time[data-style]", within).forEach(show); }
refreshTimes();
setInterval(refreshTimes, 30_000);
document.addEventListener("htmx:after:swap", () => refreshTimes());
