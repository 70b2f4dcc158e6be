// The lab drawer: what went over the wire, for people who build the app.

import { byId, fill, h, icon } from "./dom.js";
import { loadLog } from "./net.js";

const ROWS_MAX = 150;
const POLL_MILLISECONDS = 1500;
const SHOWN = new Set(["api", "delivery", "response_url", "fault", "socket", "lint", "upload"]);
let rows = [];
let last = 0;
let timer = 0;

export function toggleDrawer() {
  const drawer = byId("drawer");
  drawer.hidden = !drawer.hidden;
  clearInterval(timer);
  if (drawer.hidden) return;
  refresh();
  timer = setInterval(refresh, POLL_MILLISECONDS);
}

async function refresh() {
  const fresh = await loadLog(last).catch(() => []);
  if (last && !fresh.length) return;
  last = fresh.at(-1)?.n ?? last;
  rows = [...rows, ...fresh.filter((entry) => SHOWN.has(entry.kind))].slice(-ROWS_MAX);
  fill(byId("drawer"),
    h("header", {}, h("h2", {}, "On the wire"), h("button", { type: "button", class: "plain", "aria-label": "Close", onclick: toggleDrawer }, icon("close"))),
    h("div", { class: "rows" }, rows.length ? [...rows].reverse().map(row) : h("p", { class: "quiet" }, "Nothing has gone over the wire yet.")));
}

function row(entry) {
  const status = entry.status ?? entry.event ?? "";
  const bad = entry.ok === false || ["timeout", "no_connection", "given up", 400, 404, 429].includes(status);
  const title = entry.method ?? entry.type ?? entry.action ?? entry.kind;
  const details = Object.entries(entry).filter(([name]) => !["n", "at", "kind"].includes(name));
  return h("details", { class: bad ? "row bad" : "row", data: { qa: "delivery-row", type: entry.type ?? entry.kind, status: String(status) } },
    h("summary", {}, h("time", {}, new Date(entry.at * 1000).toLocaleTimeString("en-GB")), h("b", {}, title),
      h("span", {}, entry.error ?? String(status === 200 ? "ok" : status))),
    h("pre", {}, JSON.stringify(Object.fromEntries(details), null, 2)));
}
