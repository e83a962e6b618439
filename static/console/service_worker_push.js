// Loaded by the service worker: shows what is pushed, and opens what it is about.
self.addEventListener("push", (event) => {
  let shown = {};
  try {
    shown = event.data?.json().notification ?? {};
  } catch {
    shown = { body: event.data.text() };
  }
  const { title, actions = [], navigate = "/", data = {}, ...options } = shown;
  const targets = Object.fromEntries(actions.map((action) => [action.action, action.navigate]));
  event.waitUntil(self.registration.showNotification(title || self.location.hostname, {
    ...options,
    actions: actions.map(({ action, title }) => ({ action, title })),
    data: { ...data, navigate, targets },
  }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { navigate = "/", targets = {} } = event.notification.data ?? {};
  const target = new URL(targets[event.action] || navigate, self.location.origin);
  event.waitUntil(open(target));
});

async function open(target) {
  const pages = await self.clients.matchAll({ type: "window" });
  const page = pages.find(({ url }) => url === target.href);
  return page ? page.focus() : self.clients.openWindow(target.href);
}
