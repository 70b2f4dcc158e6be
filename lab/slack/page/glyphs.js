// The emoji that bots use to show a state, drawn here: they look the same on a machine without emoji fonts.

import { h } from "./dom.js";
import { EMOJI } from "./emoji.js";

const SPACE = "http://www.w3.org/2000/svg";
const GREEN = "#2f9e6b", RED = "#d2452f", AMBER = "#f0b02e", BLUE = "#3b76d1", ORANGE = "#e8772e", VIOLET = "#8a5cc2", GREY = "#7d8894", INK = "#37424f", PALE = "#e9edf2", WHITE = "#fff", BROWN = "#a9713f";

const fill = (d, colour) => ["path", { d, fill: colour }];
const line = (d, colour, width = 2.4) => ["path", { d, fill: "none", stroke: colour, "stroke-width": width, "stroke-linecap": "round", "stroke-linejoin": "round" }];
const disc = (colour, r = 9.5, cx = 12, cy = 12) => ["circle", { cx, cy, r, fill: colour }];
const box = (colour) => ["rect", { x: 2.5, y: 2.5, width: 19, height: 19, rx: 4.5, fill: colour }];
const arrow = (d) => [box(BLUE), line(d, WHITE)];
const trend = (d, colour) => [box(PALE), line(d, colour, 2.6)];

const DRAWN = {
  white_check_mark: [box(GREEN), line("M7 12.4l3.6 3.6L17.2 8.6", WHITE, 2.8)],
  heavy_check_mark: [line("M4.5 13l5 5L19.5 6.5", GREEN, 3.4)],
  x: [line("M5.5 5.5l13 13M18.5 5.5l-13 13", RED, 3.6)],
  warning: [fill("M12 2.6 23 21.4H1z", AMBER), line("M12 9.2v5.4", INK, 2.4), disc(INK, 1.4, 12, 18)],
  no_entry: [disc(RED), line("M7 12h10", WHITE, 3.2)],
  no_entry_sign: [["circle", { cx: 12, cy: 12, r: 8.3, fill: "none", stroke: RED, "stroke-width": 3 }], line("M6.4 6.4l11.2 11.2", RED, 3)],
  octagonal_sign: [fill("M7.8 2h8.4L22 7.8v8.4L16.2 22H7.8L2 16.2V7.8z", RED), line("M7.5 12h9", WHITE, 3)],
  rotating_light: [fill("M6 17v-4a6 6 0 0 1 12 0v4z", RED), fill("M4 17.5h16v4H4z", INK), line("M12 2v2M4.2 5.2l1.4 1.4M19.8 5.2l-1.4 1.4", ORANGE, 2)],
  hourglass: [line("M6 3h12M6 21h12", BROWN), fill("M7.5 4.2h9c0 4.4-3 5.3-3 7.8s3 3.4 3 7.8h-9c0-4.4 3-5.3 3-7.800s-3-3.4-3-7.800z", "#d5e3f2"), fill("M8.3 19.800c.4-2.6 2.3-3.3 3.7-4.8 1.4 1.5 3.3 2.2 3.7 4.800z", AMBER)],
  hourglass_flowing_sand: [line("M6 3h12M6 21h12", BROWN), fill("M7.5 4.2h9c0 4.4-3 5.3-3 7.8s3 3.4 3 7.8h-9c0-4.4 3-5.3 3-7.800s-3-3.4-3-7.800z", "#d5e3f2"), fill("M8.6 6.500h6.800c-.6 2-2.4 2.6-3.4 4-1-1.4-2.8-2-3.4-4zM9.5 19.800c.4-1.4 1.6-1.8 2.5-2.8.9 1 2.1 1.4 2.5 2.800z", AMBER), line("M12 11v5", AMBER, 1)],
  alarm_clock: [disc(RED, 8.5, 12, 13), disc(WHITE, 6.3, 12, 13), line("M12 9.5V13l2.5 2", INK, 1.8), line("M4.5 4.5 7 3M19.5 4.5 17 3", RED, 2.6)],
  stopwatch: [disc(GREY, 8.5, 12, 13.5), disc(WHITE, 6.3, 12, 13.5), line("M12 9.800v3.7", RED, 1.9), line("M10 3h4", GREY, 2.4)],
  arrows_counterclockwise: arrow("M7 10a5.5 5.5 0 0 1 9.5-1.500M17 6v3h-3M17 14a5.5 5.5 0 0 1-9.5 1.500M7 18v-3h3"),
  repeat: arrow("M6 11V9h11m-2.5-2.500L17 9l-2.5 2.500M18 13v2H7m2.5 2.500L7 15l2.5-2.5"),
  arrow_right: arrow("M6.5 12h11m-4.5-4.5 4.5 4.5-4.5 4.5"),
  arrow_left: arrow("M17.5 12h-11m4.5-4.500L6.5 12l4.5 4.5"),
  leftwards_arrow_with_hook: arrow("M17.500 17v-3.500a3.5 3.5 0 0 0-3.500-3.500H7m3.5-3.500L7 10l3.5 3.5"),
  arrow_up: arrow("M12 17.500v-11M7.5 11 12 6.500l4.5 4.5"),
  arrow_down: arrow("M12 6.500v11M7.5 13l4.5 4.5 4.5-4.5"),
  arrow_forward: [box(BLUE), fill("M9 7l8.5 5L9 17z", WHITE)],
  double_vertical_bar: [box(BLUE), line("M9.3 8v8M14.7 8v8", WHITE, 2.8)],
  black_square_for_stop: [box(BLUE), fill("M8 8h8v8H8z", WHITE)],
  rocket: [fill("M12 1.500c4 3 5.5 7 5.5 10.500L15 16H9l-2.5-4C6.5 8.5 8 4.5 12 1.500z", "#cfd8e3"), disc(BLUE, 2.3, 12, 9), fill("M6.5 11.5 3.5 16l4.5.500zM17.5 11.500l3 4.5-4.5.500z", RED), fill("M9.5 17h5L12 22.500z", AMBER)],
  tada: [fill("M2.5 21.5 8 8.500l7.5 7.500z", AMBER), line("M12.5 9.500c0-3 1-4.5 3.5-5.500M15 12.500c3-1 4.5-.5 6 1.500M14 10.500l5-5", VIOLET, 1.9), disc(RED, 1.3, 10, 4), disc(BLUE, 1.3, 20.5, 9.5), disc(GREEN, 1.3, 21, 4)],
  eyes: [["ellipse", { cx: 7, cy: 12, rx: 5, ry: 7.5, fill: WHITE, stroke: GREY, "stroke-width": 1.2 }], ["ellipse", { cx: 17, cy: 12, rx: 5, ry: 7.5, fill: WHITE, stroke: GREY, "stroke-width": 1.2 }], disc(INK, 2.6, 6, 13.5), disc(INK, 2.6, 16, 13.5)],
  lock: [line("M8 11V8a4 4 0 0 1 8 0v3", GREY), fill("M5 10.500h14V21H5z", AMBER)],
  unlock: [line("M8 11V7.500a4 4 0 0 1 7.5-2", GREY), fill("M5 10.500h14V21H5z", AMBER)],
  bell: [fill("M12 3a6 6 0 0 1 6 6c0 5 2 6.5 2 8H4c0-1.5 2-3 2-8a6 6 0 0 1 6-6z", AMBER), disc(ORANGE, 2, 12, 19.5)],
  information_source: [box(BLUE), line("M12 11v6", WHITE), disc(WHITE, 1.5, 12, 7.3)],
  question: [line("M8 8a4 4 0 1 1 5.5 3.700c-1 .5-1.5 1.2-1.5 2.8", RED, 3), disc(RED, 1.8, 12, 19)],
  exclamation: [line("M12 4v10", RED, 3.4), disc(RED, 1.9, 12, 19)],
  bar_chart: [box(PALE), line("M7.5 17v-5", GREEN, 3), line("M12 17V7.5", RED, 3), line("M16.5 17v-7", BLUE, 3)],
  chart_with_upwards_trend: trend("M6 16.500l4-4 3 2.5 5-7.5", RED),
  chart_with_downwards_trend: trend("M6 7.500l4 4 3-2.5 5 7.5", BLUE),
  scales: [line("M12 4v15M7.5 20.500h9M5 7h14", BROWN, 2), fill("M1.5 13 5 7.5 8.5 13a3.5 3.5 0 0 1-7 0zM15.5 13 19 7.500l3.5 5.500a3.5 3.5 0 0 1-7 0z", AMBER)],
  thumbsup: [fill("M3 11h4v10H3z", BLUE), fill("M8 11l4-8.500c2 0 3 1.3 2.5 3.500L14 9.500h5.500c1.3 0 2 1 1.7 2.200l-1.7 7.500c-.2 1-1 1.8-2.2 1.800H8z", AMBER)],
  thumbsdown: [fill("M3 3h4v10H3z", BLUE), fill("M8 13l4 8.500c2 0 3-1.3 2.5-3.500l-.5-3.500h5.500c1.3 0 2-1 1.7-2.200l-1.7-7.500C19.3 3.8 18.5 3 17.3 3H8z", AMBER)],
  mag: [["circle", { cx: 10, cy: 10, r: 6.2, fill: "#dcebf7", stroke: INK, "stroke-width": 2.2 }], line("M15 15l6 6", INK, 3)],
  memo: [fill("M4 2.500h13v19H4z", PALE), line("M7 8h7M7 12h7M7 16h4", GREY, 1.6), line("M13 17l7.5-7.5", ORANGE, 2.8)],
  package: [fill("M2.5 7 12 2.5 21.5 7v10L12 21.5 2.5 17z", BROWN), line("M2.5 7 12 11.5 21.5 7M12 11.500v10", "#7c5230", 1.5)],
  wrench: [line("M6 18l8-8", GREY, 4), ["circle", { cx: 16.5, cy: 7.5, r: 4.2, fill: "none", stroke: GREY, "stroke-width": 3 }]],
  gear: [disc(GREY, 7), disc(WHITE, 3), line("M12 2.500v3M12 18.500v3M2.5 12h3M18.5 12h3M5.3 5.300l2 2M16.7 16.700l2 2M18.7 5.300l-2 2M7.3 16.700l-2 2", GREY, 3)],
  bulb: [fill("M12 2.500a7 7 0 0 1 4 12.700V17H8v-1.800a7 7 0 0 1 4-12.700z", AMBER), fill("M8.5 18h7v3.500h-7z", GREY)],
  pushpin: [line("M9 15l-5.5 5.5", GREY, 2), fill("M14 2.5 21.5 10l-3 .5-4 4-.5 5L4.5 10l5-.5 4-4z", RED)],
  camera: [fill("M2.5 7h5l1.5-2.500h6L16.5 7h5v13h-19z", INK), disc("#cfd8e3", 4.6, 12, 13.3), disc(BLUE, 2.6, 12, 13.3)],
  fire: [fill("M12 1.500c1 4.5 7 7 7 13a7 7 0 0 1-14 0c0-3 1.5-4.5 2.5-6 .5 2 1.5 2.5 2 2.500C9.5 7 10.5 4 12 1.500z", ORANGE), fill("M12 11c.5 2.5 3.5 3.5 3.5 6.500a3.5 3.5 0 0 1-7 0c0-2 2-3.5 3.5-6.500z", AMBER)],
  zap: [fill("M14 1.5 4 14h6.500L9 22.5 20 9.500h-7z", AMBER)],
  shield: [fill("M12 2 21 5v7c0 5.5-4 8.5-9 10.500C7 20.5 3 17.5 3 12V5z", BLUE), line("M8 12l3 3 5-6", WHITE, 2.3)],
  checkered_flag: [line("M5 2.500v19", BROWN, 2), fill("M6 3h14v11H6z", PALE), fill("M6 3h3.500v3.700H6zM13 3h3.500v3.700H13zM9.5 6.700H13v3.700H9.500zM16.5 6.700H20v3.700h-3.500zM6 10.400h3.500V14H6zM13 10.400h3.500V14H13z", INK)],
  no_bell: [fill("M12 3a6 6 0 0 1 6 6c0 5 2 6.5 2 8H4c0-1.5 2-3 2-8a6 6 0 0 1 6-6z", GREY), line("M3.5 3.500l17 17", RED)],
};
for (const [name, colour] of Object.entries({
  red_circle: RED, large_orange_circle: ORANGE, large_yellow_circle: AMBER, large_green_circle: GREEN,
  large_blue_circle: BLUE, large_purple_circle: VIOLET, white_circle: PALE, black_circle: INK,
})) DRAWN[name] = [disc(colour)];
for (const [name, colour] of Object.entries({
  large_red_square: RED, large_orange_square: ORANGE, large_yellow_square: AMBER, large_green_square: GREEN,
  large_blue_square: BLUE, white_large_square: PALE, black_large_square: INK,
})) DRAWN[name] = [box(colour)];
const SAME = { "+1": "thumbsup", "-1": "thumbsdown", stop_sign: "octagonal_sign", pause_button: "double_vertical_bar", balance_scale: "scales", mag_right: "mag", heavy_exclamation_mark: "exclamation", pencil: "memo", nut_and_bolt: "gear", hammer_and_wrench: "wrench", camera_with_flash: "camera", round_pushpin: "pushpin", negative_squared_cross_mark: "x", ballot_box_with_check: "white_check_mark", closed_lock_with_key: "lock", clock1: "alarm_clock" };

function drawing(name) {
  const shapes = DRAWN[SAME[name] ?? name];
  if (!shapes) return null;
  const svg = document.createElementNS(SPACE, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  for (const [tag, attributes] of shapes) {
    const shape = document.createElementNS(SPACE, tag);
    for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
    svg.append(shape);
  }
  return h("span", { class: "emoji", role: "img", "aria-label": name.replaceAll("_", " "), title: `:${name}:` }, svg);
}

// By its short name: drawn, or the character, or the name as typed.
export function emojiNode(name) {
  const bare = name.replace(/::skin-tone-\d$/, "");
  return drawing(bare) ?? EMOJI.get(bare) ?? `:${name}:`;
}

const BY_CHARACTER = new Map([...EMOJI].filter(([name]) => DRAWN[SAME[name] ?? name]).map(([name, character]) => [character.replace("\uFE0F", ""), name]));
const CHARACTERS = new RegExp(`(${[...BY_CHARACTER.keys()].filter((one) => one.codePointAt(0) > 0x2300 || one === "↩").join("|")})\uFE0F?`, "u");

// Plain text whose emoji characters are drawn as well.
export function withGlyphs(text) {
  return text.split(CHARACTERS).map((part, place) => (place % 2 ? drawing(BY_CHARACTER.get(part)) : part)).filter((part) => part !== "");
}

export const withEmoji = (text) => text.split(/:([a-z0-9_+'-]+):/).flatMap((part, place) => {
  if (place % 2 === 0) return withGlyphs(part);
  return EMOJI.has(part) || DRAWN[part] ? [emojiNode(part)] : [`:${part}:`];
});
