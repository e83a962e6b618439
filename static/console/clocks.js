// The time left until, or passed since, a due time.
import { $$ } from "./dom.js";

const language = document.documentElement.lang || "en";
const unit = (number, name) => new Intl.NumberFormat(language, { style: "unit", unit: name, unitDisplay: "short" }).format(number);

function length(seconds) {
  const minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60), days = Math.floor(hours / 24);
  if (days) return `${unit(days, "day")} ${unit(hours % 24, "hour")}`;
  if (hours) return `${unit(hours, "hour")} ${unit(minutes % 60, "minute")}`;
  if (minutes) return `${unit(minutes, "minute")} ${unit(Math.floor(seconds % 60), "second")}`;
  return unit(Math.floor(seconds), "second");
}

export function refreshClocks() {
  for (const clock of $$("[data-due]")) {
    const left = (new Date(clock.dataset.due) - Date.now()) / 1000;
    const words = left >= 0 ? clock.dataset.left : clock.dataset.over;
    const text = words.replace("%s", length(Math.abs(left)));
    if (clock.textContent !== text) clock.textContent = text;
    clock.closest(".clock")?.classList.toggle("clock-late", left < 0);
  }
}
refreshClocks();
setInterval(refreshClocks, 1000);
