// Reports on this device: drafts and those waiting to be sent, each with its files. Used by pages and the service worker.
globalThis.reportQueue ??= (() => {
  const NAME = "incident-response-reports", FLAG = "reports-waiting";
  const STALL = 60_000, ANSWER = 180_000;
  let opened;

  function database() {
    return opened ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(NAME, 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore("reports", { keyPath: "uid" });
        request.result.createObjectStore("facts");
      };
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    }).catch((error) => { opened = undefined; throw error; });
  }
  async function run(store, mode, work) {
    const transaction = (await database()).transaction(store, mode);
    const request = work(transaction.objectStore(store));
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  }

  const channel = globalThis.BroadcastChannel && new BroadcastChannel("reports");
  const listeners = new Set();
  const tell = (news) => { channel?.postMessage(news); listeners.forEach((listener) => listener(news)); };
  if (channel) channel.onmessage = (event) => listeners.forEach((listener) => listener(event.data));

  const uuid = () => {
    if (crypto.randomUUID) return crypto.randomUUID();
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = bytes[6] & 0x0f | 0x40; bytes[8] = bytes[8] & 0x3f | 0x80;
    const text = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return text.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
  };
  const all = () => run("reports", "readonly", (store) => store.getAll());
  const get = (uid) => run("reports", "readonly", (store) => store.get(uid));
  const fact = (name) => run("facts", "readonly", (store) => store.get(name));
  const setFact = (name, value) => run("facts", "readwrite", (store) => store.put(value, name));

  async function put(entry) {
    await run("reports", "readwrite", (store) => store.put({ ...entry, updatedAt: Date.now() }));
    await count();
  }
  async function remove(uid) {
    await run("reports", "readwrite", (store) => store.delete(uid));
    await count();
  }
  async function count() {
    const waiting = (await all()).filter((entry) => entry.state === "queued").length;
    if (typeof localStorage !== "undefined") waiting ? localStorage.setItem(FLAG, waiting) : localStorage.removeItem(FLAG);
  }

  async function who(url) {
    const answer = await fetch(new URL("token/", new URL(url, location.href)), { cache: "no-store", redirect: "manual", headers: { Accept: "application/json" } });
    if (!answer.ok) throw new TypeError(`token: ${answer.status}`);
    return answer.json();
  }

  function formOf(entry) {
    const form = new FormData();
    for (const [name, value] of Object.entries(entry.fields)) if (value !== "") form.append(name, value);
    for (const file of entry.files) form.append("attachments", file.blob, file.name);
    return form;
  }
  function upload(url, form, headers, onProgress) {
    if (typeof XMLHttpRequest === "undefined") {
      return fetch(url, { method: "POST", body: form, headers, redirect: "manual" })
        .then(async (answer) => ({ status: answer.status, body: await answer.json().catch(() => null) }));
    }
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      let timer;
      const wait = (time) => { clearTimeout(timer); timer = setTimeout(() => request.abort(), time); };
      request.open("POST", url);
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      request.upload.onprogress = (event) => { wait(STALL); if (event.lengthComputable) onProgress?.(Math.round(100 * event.loaded / event.total)); };
      request.upload.onload = () => wait(ANSWER);
      request.onload = () => {
        clearTimeout(timer);
        let body = null;
        try { body = JSON.parse(request.responseText); } catch { /* a page, not an answer to a script */ }
        resolve({ status: request.status, body });
      };
      request.onerror = request.onabort = () => { clearTimeout(timer); reject(new TypeError("no connection")); };
      wait(STALL);
      request.send(form);
    });
  }

  // The report stays here until the server says that it has it, under a key that makes a repeat the same report.
  async function send(entry, token, onProgress) {
    const headers = { Accept: "application/json", "X-CSRFToken": token, "Idempotency-Key": entry.uid, "X-Report-Person": entry.person };
    let answer;
    try {
      answer = await upload(entry.url, formOf(entry), headers, (percent) => onProgress?.(entry.uid, percent));
    } catch {
      return keep(entry, "queued");
    }
    const { status, body } = answer;
    if (status >= 200 && status < 300 && body?.reference) {
      await remove(entry.uid);
      const news = { kind: "sent", uid: entry.uid, person: entry.person, title: entry.fields.title, ...body };
      tell(news);
      return news;
    }
    if (status === 401) return keep(entry, "signed_out");
    if (body?.code === "other_person") return keep(entry, "other_person");
    const isRefused = status >= 400 && status < 500 && body?.errors && ![408, 425, 429].includes(status) && body.code !== "idempotency_in_progress";
    if (!isRefused) return keep(entry, "try_later");
    const again = { ...entry, uid: uuid(), state: "refused", errors: body.errors, problem: "" };
    await put(again);
    await remove(entry.uid);
    const news = { kind: "refused", uid: entry.uid, entry: again };
    tell({ kind: "refused", uid: entry.uid });
    return news;
  }
  async function keep(entry, problem) {
    await put({ ...entry, problem, attempts: (entry.attempts ?? 0) + 1 });
    const news = { kind: "kept", uid: entry.uid, problem };
    tell(news);
    return news;
  }

  // One sender in the whole browser: a second one would only repeat the first.
  async function sendAll({ onProgress } = {}) {
    const work = async () => {
      const results = [];
      const entries = (await all()).filter((entry) => entry.state === "queued").sort((one, two) => one.createdAt - two.createdAt);
      for (const entry of entries) {
        let me;
        try { me = await who(entry.base); } catch { results.push(await keep(entry, "queued")); break; }
        await setFact("person", me.person);
        if (entry.person !== me.person) { results.push(await keep(entry, me.person ? "other_person" : "signed_out")); continue; }
        const result = await send(entry, me.token, onProgress);
        results.push(result);
        if (result.kind === "kept") break;
      }
      return results;
    };
    if (!globalThis.navigator?.locks) return work();
    return navigator.locks.request("reports-send", work);
  }

  return { all, get, put, remove, uuid, fact, setFact, sendAll, tell, listen: (listener) => listeners.add(listener) };
})();
