import { Connection } from "./live_connection.js";

const ports = new Set();
let connection;
const emit = (message) => ports.forEach((port) => port.postMessage(message));

function hear(port, { type, ...said }) {
  if (type === "bye") { ports.delete(port); return; }
  if (connection) connection.wake();
  if (type !== "hello") return;
  connection ??= new Connection({ ...said, emit });
  connection.missed(said.after).forEach((message) => port.postMessage(message));
  ports.add(port);
}

self.addEventListener("connect", ({ ports: [port] }) => { port.onmessage = ({ data }) => hear(port, data); });
