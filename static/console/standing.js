// The slider over an incident's changes.
import { $, $$ } from "./dom.js";
import { language } from "./times.js";

const form = $("[data-standing]"), slider = $("[data-slider]");
const moments = $$("#moments option").map((option) => option.dataset.moment);
if (form && slider && moments.length > 1) {
  const input = $("input", slider);
  slider.hidden = false;
  const shown = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium", timeZone: document.documentElement.dataset.zone || "UTC" });
  const tell = () => input.setAttribute("aria-valuetext", shown.format(new Date(moments[input.value])));
  tell();
  input.addEventListener("input", tell);
  input.addEventListener("change", () => {
    const url = new URL(form.dataset.url, location);
    url.searchParams.set("as_of", moments[input.value]);
    if (form.dataset.list) url.searchParams.set("list", form.dataset.list);
    location.assign(url);
  });
}
