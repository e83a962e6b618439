// Pictures in a dialog: arrows, swipe and keys step through them.
import { $, $$, on } from "./dom.js";

const box = $("#lightbox");
let place = 0;
const pictures = () => $$("a[data-lightbox]");

function show(number) {
  const all = pictures();
  if (!all.length) { box.close(); return; }
  place = (number + all.length) % all.length;
  const link = all[place], image = $("img", box);
  image.src = link.href;
  image.alt = link.dataset.name;
  $("[data-lightbox-name]", box).textContent = link.dataset.name;
  const where = $("[data-lightbox-place]", box);
  where.textContent = where.dataset.lightboxPlace.replace("%(number)s", place + 1).replace("%(count)s", all.length);
  $$("[data-lightbox-step]", box).forEach((button) => { button.hidden = all.length < 2; });
}

if (box) {
  on("click", "a[data-lightbox]", (event, link) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    show(pictures().indexOf(link));
    box.showModal();
  });
  on("click", "[data-lightbox-step]", (_event, button) => show(place + Number(button.dataset.lightboxStep)));
  box.addEventListener("click", (event) => { if (event.target === box || event.target.matches(".lightbox-body, figure")) box.close(); });
  box.addEventListener("keydown", (event) => {
    const forward = document.dir === "rtl" ? "ArrowLeft" : "ArrowRight", back = document.dir === "rtl" ? "ArrowRight" : "ArrowLeft";
    if (event.key === forward || event.key === back) { event.preventDefault(); show(place + (event.key === forward ? 1 : -1)); }
  });
  let begun = null;
  box.addEventListener("pointerdown", (event) => { begun = event.clientX; });
  box.addEventListener("pointerup", (event) => {
    if (begun !== null && Math.abs(event.clientX - begun) > 60) show(place + (event.clientX < begun ? 1 : -1));
    begun = null;
  });
  box.addEventListener("close", () => { $("img", box).removeAttribute("src"); pictures()[place]?.focus(); });
}
