// What this window knows, and how pushes of the server change it. Rendering happens elsewhere.

export const state = {
  seq: 0, me: "", team: {}, app: {}, people: new Map(), groups: new Map(), channels: new Map(),
  commands: [], messages: new Map(), modals: [], connections: 0,
  channel: "", thread: "", newLine: {}, failure: null,
};

export function takeSnapshot(snapshot) {
  const ephemerals = [...state.messages.values()].flatMap((held) => [...held.values()].filter((m) => m.is_ephemeral)
    .map((message) => ({ channel: message.lab_channel, message })));
  Object.assign(state, {
    seq: snapshot.seq, me: snapshot.me, team: snapshot.team, app: snapshot.app,
    commands: snapshot.commands, modals: snapshot.modals, connections: snapshot.connections,
    people: new Map(snapshot.people.map((person) => [person.id, person])),
    groups: new Map(snapshot.groups.map((group) => [group.id, group])),
    channels: new Map(snapshot.channels.map((channel) => [channel.id, channel])),
  });
  state.messages = new Map(Object.entries(snapshot.messages)
    .map(([id, list]) => [id, new Map(list.map((message) => [message.ts, message]))]));
  // A lost connection is not a reload: what only I saw stays.
  for (const held of ephemerals) putMessage(held.channel, held.message);
}

function putMessage(channel, message) {
  if (!state.messages.has(channel)) state.messages.set(channel, new Map());
  state.messages.get(channel).set(message.ts, { ...message, lab_channel: channel });
}

// True when the push asks for a fresh snapshot.
export function takePush(push) {
  if (push.seq < state.seq) return false;
  state.seq = push.seq;
  if (push.kind === "message") putMessage(push.channel, push.message);
  if (push.kind === "message_removed") state.messages.get(push.channel)?.delete(push.ts);
  if (push.kind === "modals") state.modals = push.modals;
  return push.kind === "refresh" || push.kind === "reset" || (push.kind === "message" && !state.channels.has(push.channel));
}

const stamps = (a, b) => (a.ts < b.ts ? -1 : 1);
export const allOf = (channel) => [...(state.messages.get(channel)?.values() ?? [])].sort(stamps);
const isRoot = (m) => !m.thread_ts || m.thread_ts === m.ts || m.subtype === "thread_broadcast";
export const topLevel = (channel) => allOf(channel).filter(isRoot);
export const threadOf = (channel, ts) => allOf(channel).filter((m) => m.ts === ts || m.thread_ts === ts);

export const me = () => state.people.get(state.me);
export const channelNow = () => state.channels.get(state.channel);
export const person = (id) => state.people.get(id) ?? { id, name: id, real_name: id, color: "8a93a0", role: "" };
export const isMember = (channel) => channel?.members.includes(state.me);

export function authorOf(message) {
  const found = person(message.user);
  if (message.user === "USLACKBOT") return { ...found, name: "deleted", real_name: "Deleted message", color: "9aa3ad" };
  return message.username ? { ...found, name: message.username, real_name: message.username } : found;
}

export const shownName = (someone) => (someone.kind === "bot" ? someone.real_name : someone.real_name || someone.name);

export function unread(channel) {
  const since = topLevel(channel.id).filter((m) => m.ts > channel.last_read && m.user !== state.me && !m.is_ephemeral);
  const mention = `<@${state.me}`;
  return { count: since.length, mentions: since.filter((m) => JSON.stringify([m.text, m.blocks]).includes(mention)
    || JSON.stringify(m.blocks ?? []).includes(`"user_id":"${state.me}"`)).length };
}
