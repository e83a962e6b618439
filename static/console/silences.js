import { $, $$, on } from "./dom.js";

// Times in these inputs are the person's, whatever the browser's zone: reckon with their digits.
const pad = (number) => String(number).padStart(2, "0");
const digits = (moment) => `${moment.getUTCFullYear()}-${pad(moment.getUTCMonth() + 1)}-${pad(moment.getUTCDate())}T${pad(moment.getUTCHours())}:${pad(moment.getUTCMinutes())}`;
const now = () => {
  const parts = Object.fromEntries(new Intl.DateTimeFormat("en-GB", { timeZone: document.documentElement.dataset.zone || "UTC", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).formatToParts(new Date()).map((part) => [part.type, part.value]));
  return `${parts.year}-${parts.month}-${parts.day}T${parts.hour}:${parts.minute}`;
};

$$("[data-hours-choice]").forEach((choice) => { choice.hidden = false; });
on("click", "[data-hours]", (_event, button) => {
  const start = $("#id_starts_at").value || now();
  $("#id_ends_at").value = digits(new Date(Date.parse(`${start}:00Z`) + Number(button.dataset.hours) * 3600000));
});
