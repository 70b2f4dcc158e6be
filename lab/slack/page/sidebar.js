// Channels, who I am, and whether the app is connected.

import { byId, fill, h, icon } from "./dom.js";
import { avatar } from "./message.js";
import { me, person, shownName, state, unread } from "./store.js";

let switcherOpen = false;
let archivedOpen = false;

export function renderSidebar({ openChannel, toggleDrawer }) {
  const channels = [...state.channels.values()];
  const named = channels.filter((channel) => !channel.is_im).sort((a, b) => a.name.localeCompare(b.name));
  const mine = named.filter((channel) => !channel.is_archived && channel.members.includes(state.me));
  const others = named.filter((channel) => !channel.is_archived && !channel.members.includes(state.me));
  const archived = named.filter((channel) => channel.is_archived);
  const again = () => renderSidebar({ openChannel, toggleDrawer });
  fill(byId("sidebar"),
    h("div", { class: "team" }, h("b", {}, state.team.name), h("small", {}, "lab workspace")),
    h("div", { class: "places" },
      group("Channels", mine, openChannel),
      others.length > 0 && group("Not joined", others, openChannel),
      direct(channels.filter((channel) => channel.is_im), openChannel),
      archived.length > 0 && h("button", { type: "button", class: "fold", "aria-expanded": String(archivedOpen), onclick: () => { archivedOpen = !archivedOpen; again(); } }, icon("archive"), `Archived (${archived.length})`),
      archivedOpen && group("", archived, openChannel)),
    h("button", { type: "button", class: "connection", data: { qa: "conn-count", count: state.connections }, onclick: toggleDrawer },
      h("span", { class: state.connections ? "dot on" : "dot" }), state.connections ? `${state.app.name} is connected` : `${state.app.name} is not connected`, icon("wire")),
    switcher(again));
}

function group(title, channels, openChannel) {
  return h("section", {}, title && h("h2", {}, title), channels.map((channel) => item(channel, openChannel, icon(channel.is_archived ? "archive" : channel.is_private ? "lock" : "hash"), channel.name)));
}

function direct(channels, openChannel) {
  if (!channels.length) return null;
  return h("section", {}, h("h2", {}, "Direct messages"), channels.map((channel) => {
    const other = person(channel.members.find((id) => id !== state.me) ?? state.me);
    return item(channel, openChannel, avatar(other, "tiny"), shownName(other));
  }));
}

function item(channel, openChannel, sign, name) {
  const news = channel.id === state.channel ? { count: 0, mentions: 0 } : unread(channel);
  return h("button", {
    type: "button", class: "place", "aria-current": channel.id === state.channel ? "page" : null, onclick: () => openChannel(channel.id),
    data: { qa: "channel-item", channel: channel.id, unread: String(news.count > 0), mentions: news.mentions },
  }, sign, h("span", {}, name), news.mentions > 0 && h("b", { class: "count" }, String(news.mentions)));
}

function switcher(again) {
  const mine = me();
  const people = [...state.people.values()].filter((one) => one.kind !== "bot");
  return h("div", { class: "switcher" },
    switcherOpen && h("div", { class: "switcher-menu" },
      h("p", {}, "Be somebody else here, or open a second window as them."),
      people.map((one) => h("div", { class: "switcher-row" },
        h("a", { class: "user-option", href: one.deleted ? null : `/?as=${one.id}${location.hash}`, "aria-disabled": one.deleted ? "true" : null, data: { qa: "user-option", user: one.id, name: one.name } },
          avatar(one, "small"), h("span", {}, h("b", {}, one.real_name), h("small", {}, one.deleted ? `${one.role} · deactivated` : one.role))),
        !one.deleted && h("a", { class: "plain", href: `/?as=${one.id}${location.hash}`, target: "_blank", title: `Open a window as ${one.name}`, "aria-label": `Open a window as ${one.name}` }, icon("window"))))),
    h("button", { type: "button", class: "user-switcher", data: { qa: "user-switcher", user: mine.id }, "aria-expanded": String(switcherOpen), onclick: () => { switcherOpen = !switcherOpen; again(); } },
      avatar(mine, "small"), h("span", {}, h("b", {}, mine.real_name), h("small", {}, mine.role)), icon("people")));
}
