import { $, $$, on } from "./dom.js";

const SMALLER = 3000;  // pixels on the longer side of a picture that is too large as it came

// The files of the report on the page, with thumbnails.
export function fileKeeper({ form, texts, say, changed }) {
  const list = $("#files"), errors = $("#file-errors"), area = $("#report-files");
  const most = Number(form.dataset.most), bytes = Number(form.dataset.bytes), megabytes = form.dataset.megabytes;
  const accepted = form.dataset.accept.split(",");
  let kept = [], last = 0, working = Promise.resolve();

  const complain = (text) => { const line = document.createElement("li"); line.textContent = text; errors.append(line); };
  const isAccepted = (file) => !file.type || accepted.includes(file.type) || file.type.startsWith("text/") || accepted.includes(`.${file.name.split(".").pop().toLowerCase()}`);

  async function smaller(file) {
    if (file.size <= bytes || !/^image\/(jpeg|png|webp|hei[cf]|avif)$/.test(file.type)) return file;
    try {
      const picture = await createImageBitmap(file), scale = Math.min(1, SMALLER / Math.max(picture.width, picture.height));
      const canvas = document.createElement("canvas");
      canvas.width = picture.width * scale; canvas.height = picture.height * scale;
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.85));
      complain(say(texts.shrunk, { file: file.name }));
      return new File([blob], file.name.replace(/\.\w+$/, "") + ".jpg", { type: "image/jpeg" });
    } catch {
      return file;
    }
  }
  async function add(chosen) {
    errors.replaceChildren();
    for (const original of chosen) {
      const words = { file: original.name, megabytes, most };
      if (kept.length >= most) { complain(say(texts.too_many, words)); continue; }
      if (!original.size) { complain(say(texts.empty, words)); continue; }
      if (!isAccepted(original)) { complain(say(texts.wrong_kind, words)); continue; }
      const file = await smaller(original);
      if (file.size > bytes) { complain(say(texts.too_large, words)); continue; }
      kept.push({ id: ++last, name: file.name || "picture.png", type: file.type, blob: file });
      show();
    }
    changed();
  }
  const later = (chosen) => { const some = [...chosen]; if (some.length) working = working.then(() => add(some)); };

  function show() {
    const shown = new Map($$("li", list).map((item) => [Number(item.dataset.file), item]));
    list.replaceChildren(...kept.map((file) => shown.get(file.id) ?? item(file)));
  }
  function item(file) {
    const line = document.createElement("li"), name = document.createElement("bdi"), remove = document.createElement("button");
    line.dataset.file = file.id;
    name.textContent = file.name;
    remove.type = "button"; remove.className = "button"; remove.dataset.remove = file.id;
    remove.textContent = texts.remove;
    remove.setAttribute("aria-label", say(texts.remove_file, { file: file.name }));
    line.append(name, remove);
    if (/^image\/(jpeg|png|webp|gif|avif)$/.test(file.type)) {
      const picture = new Image();
      picture.alt = ""; picture.src = URL.createObjectURL(file.blob);
      picture.onload = () => URL.revokeObjectURL(picture.src);
      picture.onerror = () => picture.remove();
      line.prepend(picture);
    }
    return line;
  }
  function refuse(told) {
    errors.replaceChildren();
    for (const error of told) {
      complain(error.message);
      $$("li", list)[error.index]?.setAttribute("data-refused", "");
    }
  }

  on("change", "[data-files]", (_event, input) => { later(input.files); input.value = ""; });
  on("click", "[data-remove]", (_event, button) => {
    const place = kept.findIndex((file) => file.id === Number(button.dataset.remove));
    kept.splice(place, 1);
    errors.replaceChildren();
    show(); changed();
    ($$("[data-remove]", list)[Math.min(place, kept.length - 1)] ?? $("[data-files]", form)).focus();
  });
  document.addEventListener("paste", (event) => { if (event.clipboardData?.files.length) { event.preventDefault(); later(event.clipboardData.files); } });
  document.addEventListener("dragover", (event) => { if (event.dataTransfer?.types.includes("Files")) { event.preventDefault(); area.dataset.over = ""; } });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) delete area.dataset.over; });
  document.addEventListener("drop", (event) => { delete area.dataset.over; if (event.dataTransfer?.files.length) { event.preventDefault(); later(event.dataTransfer.files); } });

  return {
    all: () => kept.slice(),
    replace: (files) => { kept = files.slice(); last = Math.max(last, 0, ...kept.map((file) => file.id)); list.replaceChildren(); errors.replaceChildren(); show(); },
    refuse,
    settled: () => working,
  };
}
