import { $$ } from "./dom.js";
import { refreshTimes } from "./times.js";

// Shown anew every so many seconds, unless somebody is at it or nobody looks.
$$("[data-refresh]").forEach((part) => setInterval(async () => {
  const chosen = getSelection();
  const isBusy = part.contains(document.activeElement) || (!chosen.isCollapsed && part.contains(chosen.anchorNode));
  if (document.hidden || isBusy) return;
  const answer = await fetch(location.href, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (!answer?.ok || part.contains(document.activeElement)) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  part.replaceChildren(...page.body.childNodes);
  refreshTimes(part);
}, Number(part.dataset.refresh) * 1000));
