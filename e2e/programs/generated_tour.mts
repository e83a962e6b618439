// The README's first tour, typed by the OpenAPI document. Arguments: the server, an administrator's token.
import createClient from "openapi-fetch";
import type { paths } from "./api.js";

const [address, token] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl: address });

function known<T>(answer: { data?: T; error?: unknown }): T {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.data;
}

const email = `typescript${Date.now()}@example.org`;
const password = "tall-blue-kettle";
known(await client.POST("/api/v1/auth/register/", { body: { email, password, name: "TypeScript" } }));
const pair = known(await client.POST("/api/v1/auth/token/", { body: { email, password } }));
const reporter = { Authorization: `Bearer ${pair.access}` };
const admin = { Authorization: `Token ${token}` };

const form = new FormData();
form.append("title", "Lift is stuck");
form.append("severity", "high");
form.append("attachments", new Blob(["The lift says: door.\n"], { type: "text/plain" }), "lift.txt");
const incident = known(
  await client.POST("/api/v1/incidents/", {
    headers: reporter,
    body: { title: "Lift is stuck", severity: "high" },
    bodySerializer: () => form,
  }),
);
const params = { path: { id: incident.reference } };
const first = known(
  await client.PATCH("/api/v1/incidents/{id}/", { headers: admin, params, body: { status: "acknowledged" } }),
);
known(
  await client.POST("/api/v1/incidents/{id}/timeline/", {
    headers: admin,
    params,
    body: { message: "On the way.", visibility: "public" },
  }),
);
const last = known(
  await client.PATCH("/api/v1/incidents/{id}/", {
    headers: admin,
    params,
    body: { status: "resolved", note: "Door sensor cleaned." },
  }),
);
const events = known(await client.GET("/api/v1/incidents/{id}/timeline/", { headers: reporter, params })).results;
const kinds = events.map((event) => event.kind);
console.log(first.status, last.status, kinds.join(","), incident.attachments.length);
