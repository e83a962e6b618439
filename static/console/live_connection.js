// The browser's one stream. By fetch, because EventSource does not say why it was refused.
const SILENCE_MS = 40_000, FIRST_MS = 10_000, LONGEST_MS = 15_000, STREAM_AGAIN_MS = 60_000, KEPT = 200;
const sleep = (ms, signal) => new Promise((done) => { const timer = setTimeout(done, ms); signal.addEventListener("abort", () => { clearTimeout(timer); done(); }); });
const jittered = (ms) => ms * (0.5 + Math.random());

export class Connection {
  constructor({ stream, poll, person, after, emit }) {
    Object.assign(this, { stream, poll, person, after, emit, from: after, kept: [], state: "connecting", unread: null, retry: 1000, failures: 0 });
    this.run();
  }

  // What a page made at this place of the feed has missed.
  missed(after) {
    const told = [{ type: "state", detail: this.state }];
    if (this.unread !== null) told.push({ type: "inbox", detail: this.unread });
    if (after < this.from) told.push({ type: "resync", detail: this.after });
    else for (const detail of this.kept) if (detail.feed_seq > after) told.push({ type: "event", detail });
    return told;
  }

  // Somebody is back, or the network is: try at once.
  wake() {
    if (this.state === "signed_out") this.run();
    else if (this.state !== "connected") this.waiting?.abort();
  }

  address(url) { return `${url}?person=${this.person}&after=${this.after}`; }

  tell(type, detail) { this.emit({ type, detail }); }

  become(state) { if (state !== this.state) this.tell("state", this.state = state); }

  wait(ms) { this.waiting = new AbortController(); return sleep(ms, this.waiting.signal); }

  async run() {
    this.become("connecting");
    for (;;) {
      const outcome = await this.follow().catch(() => "lost");
      if (outcome === "signed_out") return this.become("signed_out");
      if (outcome === "refused") {
        if (await this.pollFor(STREAM_AGAIN_MS) === "signed_out") return this.become("signed_out");
        continue;
      }
      this.become("reconnecting");
      await this.wait(this.failures++ ? Math.min(LONGEST_MS, jittered(500 * 2 ** Math.min(this.failures, 6))) : this.retry);
    }
  }

  async follow() {
    const aborting = new AbortController();
    let timer;
    const watch = (ms) => { clearTimeout(timer); timer = setTimeout(() => aborting.abort(), ms); };
    try {
      watch(FIRST_MS);
      const response = await fetch(this.address(this.stream), { headers: { Accept: "text/event-stream" }, cache: "no-store", signal: aborting.signal });
      if (response.status === 401) return "signed_out";
      if ([502, 503, 504].includes(response.status)) return "lost";
      if (!response.ok || !response.headers.get("Content-Type")?.startsWith("text/event-stream")) return "refused";
      return await this.read(response.body.getReader(), watch);
    } finally {
      clearTimeout(timer);
      aborting.abort();
    }
  }

  async read(reader, watch) {
    const decoder = new TextDecoder();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return "lost";
      watch(SILENCE_MS);
      this.failures = 0;
      this.become("connected");
      const parts = (text + decoder.decode(value, { stream: true })).split("\n\n");
      text = parts.pop();
      for (const part of parts) if (this.take(part) === "signed_out") return "signed_out";
    }
  }

  take(part) {
    const fields = Object.fromEntries(part.split("\n").map((line) => { const at = line.indexOf(": "); return [line.slice(0, at), line.slice(at + 2)]; }));
    const data = fields.data ? JSON.parse(fields.data) : null;
    if (fields.retry) this.retry = Number(fields.retry);
    if (fields.event === "signed_out") return "signed_out";
    if (fields.event === "inbox") this.tell("inbox", this.unread = data.unread);
    else if (fields.event === "resync") this.resync(data.feed_seq);
    else if (data && !fields.event) this.keep(data);
    if (fields.id) this.after = Number(fields.id);
  }

  keep(detail) {
    if (detail.feed_seq <= this.after) return;
    this.after = detail.feed_seq;
    this.kept.push(detail);
    if (this.kept.length > KEPT) this.from = this.kept.shift().feed_seq;
    this.tell("event", detail);
  }

  resync(place) {
    Object.assign(this, { kept: [], after: place, from: place });
    this.tell("resync", place);
  }

  async pollFor(ms) {
    for (const until = Date.now() + ms; Date.now() < until;) {
      const response = await fetch(this.address(this.poll), { cache: "no-store" }).catch(() => null);
      if (response?.status === 401) return "signed_out";
      const news = response?.ok ? await response.json().catch(() => null) : null;
      this.become(news ? "polling" : "reconnecting");
      if (news) {
        if (news.is_resync) this.resync(news.feed_seq);
        news.events.forEach((detail) => this.keep(detail));
        this.after = Math.max(this.after, news.feed_seq);
        if (news.unread !== this.unread) this.tell("inbox", this.unread = news.unread);
      }
      await this.wait(jittered((news?.seconds ?? 10) * 1000));
    }
  }
}
