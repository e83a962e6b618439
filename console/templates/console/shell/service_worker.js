const CACHE = "shell-{{ version }}";
const SHELL = [{% for url in shell %}"{{ url|escapejs }}"{% if not forloop.last %}, {% endif %}{% endfor %}];
const OFFLINE = SHELL[0], REPORT = SHELL[1], PATIENCE = 10000, IS_FROZEN = {{ is_frozen|yesno:"true,false" }};

importScripts("{{ queue|escapejs }}"{% if push %}, "{{ push|escapejs }}"{% endif %});

self.addEventListener("install", (event) => {
  const fresh = SHELL.map((url, number) => IS_FROZEN && number > 1 ? new Request(url) : new Request(url, { credentials: "omit", cache: "reload" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fresh)).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => {
  const old = async () => (await caches.keys()).filter((name) => name.startsWith("shell-") && name !== CACHE).map((name) => caches.delete(name));
  event.waitUntil(old().then((gone) => Promise.all(gone)).then(() => self.clients.claim()));
});

const kept = async (url) => (await caches.open(CACHE)).match(url, { ignoreVary: true });

async function page(request, path) {
  if (path !== "/report/") return fetch(request).catch(() => kept(OFFLINE));
  const slow = new Promise((resolve) => setTimeout(resolve, PATIENCE)).then(() => kept(REPORT));
  const fresh = fetch(request).then((answer) => [502, 503, 504].includes(answer.status) ? kept(REPORT) : answer);
  return Promise.race([fresh, slow]).catch(() => kept(REPORT));
}
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (url.origin !== location.origin) return;
  if (/(sign-out|logout)\/$/.test(url.pathname) && event.request.method === "POST") event.waitUntil(reportQueue.setFact("person", "").catch(() => {}));
  if (event.request.method !== "GET") return;
  if (event.request.mode === "navigate") event.respondWith(page(event.request, url.pathname));
  else if (SHELL.includes(url.pathname)) event.respondWith(IS_FROZEN ? kept(url.pathname).then((found) => found ?? fetch(event.request)) : fetch(event.request).catch(() => kept(url.pathname)));
});
self.addEventListener("sync", (event) => {
  if (event.tag === "reports") event.waitUntil(reportQueue.sendAll());
});
