// The two ways out of this page: acts, and the stream of pushes. Both go to the same process that served the page.

import { state } from "./store.js";

export const viewer = () => new URLSearchParams(location.search).get("as") ?? "";

export async function act(what, more = {}) {
  try {
    const response = await fetch("/lab/act", {
      method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ user: state.me, do: what, ...more }),
    });
    return await response.json();
  } catch {
    return { ok: false, error: "offline", sentence: "The lab workspace does not answer. Is it still running?" };
  }
}

export async function loadState() {
  const response = await fetch(`/lab/state?as=${encodeURIComponent(viewer())}`);
  return response.json();
}

export async function loadLog(since) {
  const response = await fetch(`/lab/log?since=${since}`);
  const text = await response.text();
  return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
}

// Calls `onPush` for each push; connects again for ever, each time beginning with a push of kind "hello".
export function listen(onPush, onLost) {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/lab/ui?as=${encodeURIComponent(viewer())}`);
  socket.onmessage = (event) => onPush(JSON.parse(event.data));
  socket.onclose = () => { onLost(); setTimeout(() => listen(onPush, onLost), 1000); };
}
