import { $ } from "./dom.js";

// The strip follows the feed, at most every three seconds; nobody's menus or selections are in it.
const now = $("#now");
let waiting = 0;
const refresh = () => { waiting = 0; if (!document.hidden) now.dispatchEvent(new CustomEvent("dashboard:refresh")); };
const soon = () => { waiting ||= setTimeout(refresh, 3000 + Math.random() * 1000); };

for (const kind of ["live:event", "live:resync"]) document.addEventListener(kind, soon);
document.addEventListener("visibilitychange", () => document.hidden || soon());
setInterval(soon, 60_000);
