// Slack's native charts as SVG: lines, areas, bars and pies, with a legend and a value on hover.

import { h } from "./dom.js";

const SPACE = "http://www.w3.org/2000/svg";
const COLOURS = ["#2a5db0", "#c2571a", "#1f7a54", "#8a4fa3", "#b93a2b", "#5b6775"];
const SIZE = { width: 520, height: 200, left: 60, right: 12, top: 12, ticks: 26, label: 18 };

function s(tag, props = {}, ...children) {
  const node = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(props)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const words = (text, props) => s("text", props, document.createTextNode(text));
const hover = (node, text) => { node.append(s("title", {}, document.createTextNode(text))); return node; };

export function chart(block) {
  const drawn = block.chart.type === "pie" ? pie(block.chart) : axes(block.chart);
  const names = block.chart.type === "pie"
    ? block.chart.segments.map((one) => one.label) : block.chart.series.map((one) => one.name);
  return h("figure", { class: "chart" }, h("figcaption", {}, block.title), drawn, legend(names));
}

function legend(names) {
  return h("div", { class: "chart-legend" }, names.map((name, place) =>
    h("span", {}, h("i", { style: { background: COLOURS[place] } }), name)));
}

// Round steps, so that the axis reads 0, 500, 1,000 whatever the values are.
function scale(values) {
  const low = Math.min(0, ...values), high = Math.max(...values, low + 1e-9);
  const rough = (high - low) / 4, unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * unit).find((one) => one >= rough) ?? 10 * unit;
  const bottom = Math.floor(low / step) * step, top = Math.max(Math.ceil(high / step) * step, bottom + step);
  const ticks = [];
  for (let at = bottom; at <= top + step / 2; at += step) ticks.push(at);
  return { bottom, top, ticks };
}

const short = (value) => {
  const size = Math.abs(value);
  if (size >= 1e9) return `${+(value / 1e9).toPrecision(3)} G`;
  if (size >= 1e6) return `${+(value / 1e6).toPrecision(3)} M`;
  if (size >= 1e4) return `${+(value / 1e3).toPrecision(3)} k`;
  return String(+value.toPrecision(3));
};

function axes(one) {
  const names = one.axis_config.categories;
  const series = one.series.map((line) => ({ name: line.name, values: names.map((name) => line.data.find((point) => point.label === name).value) }));
  const { bottom, top, ticks } = scale(series.flatMap((line) => line.values));
  const below = SIZE.ticks + (one.axis_config.x_label ? SIZE.label : 0);
  const height = SIZE.height + below - SIZE.ticks;
  const wide = SIZE.width - SIZE.left - SIZE.right, high = height - SIZE.top - below;
  const slot = wide / names.length;
  const x = (place) => SIZE.left + slot * (place + 0.5);
  const y = (value) => SIZE.top + high * (1 - (value - bottom) / (top - bottom));
  const svg = s("svg", { viewBox: `0 0 ${SIZE.width} ${height}`, class: "chart-drawing", role: "img" });
  for (const tick of ticks) {
    svg.append(s("line", { x1: SIZE.left, x2: SIZE.width - SIZE.right, y1: y(tick), y2: y(tick), class: tick === 0 ? "chart-zero" : "chart-grid" }));
    svg.append(words(short(tick), { x: SIZE.left - 7, y: y(tick) + 4, class: "chart-tick", "text-anchor": "end" }));
  }
  const room = Math.ceil(names.length / Math.max(1, Math.floor(wide / (9 + 6.2 * Math.max(...names.map((name) => name.length))))));
  names.forEach((name, place) => {
    if (place % room === 0) svg.append(words(name, { x: x(place), y: height - below + 17, class: "chart-tick", "text-anchor": "middle" }));
  });
  if (one.axis_config.x_label) svg.append(words(one.axis_config.x_label, { x: SIZE.left + wide / 2, y: height - 6, class: "chart-label", "text-anchor": "middle" }));
  if (one.axis_config.y_label) svg.append(words(one.axis_config.y_label, { x: -(SIZE.top + high / 2), y: 12, transform: "rotate(-90)", class: "chart-label", "text-anchor": "middle" }));
  series.forEach((line, place) => svg.append(...DRAW[one.type](line, place, { names, x, y, slot, count: series.length, floor: y(Math.max(0, bottom)) })));
  return svg;
}

const told = (line, names, place) => `${line.name} · ${names[place]}: ${line.values[place].toLocaleString("en")}`;

function bars(line, number, { names, x, y, slot, count, floor }) {
  const each = Math.min(46, (slot * 0.72) / count);
  return line.values.map((value, place) => hover(s("rect", {
    x: x(place) - (each * count) / 2 + each * number, width: each * 0.92, rx: 2, fill: COLOURS[number],
    y: Math.min(y(value), floor), height: Math.max(1, Math.abs(floor - y(value))),
  }), told(line, names, place)));
}

function curve(line, number, { names, x, y }) {
  const points = line.values.map((value, place) => `${x(place)},${y(value)}`).join(" ");
  const dots = line.values.map((value, place) => hover(s("circle", { cx: x(place), cy: y(value), r: 2.6, fill: COLOURS[number] }), told(line, names, place)));
  return [s("polyline", { points, fill: "none", stroke: COLOURS[number], "stroke-width": 2, "stroke-linejoin": "round" }), ...dots];
}

function area(line, number, frame) {
  const edge = line.values.map((value, place) => `${frame.x(place)},${frame.y(value)}`).join(" ");
  const points = `${frame.x(0)},${frame.floor} ${edge} ${frame.x(line.values.length - 1)},${frame.floor}`;
  return [s("polygon", { points, fill: COLOURS[number], "fill-opacity": 0.18 }), ...curve(line, number, frame)];
}

const DRAW = { bar: bars, line: curve, area };

function pie(one) {
  const total = one.segments.reduce((sum, part) => sum + part.value, 0);
  const svg = s("svg", { viewBox: "-110 -110 220 220", class: "chart-drawing chart-pie", role: "img" });
  let from = -Math.PI / 2;
  one.segments.forEach((part, place) => {
    const share = part.value / total, to = from + share * 2 * Math.PI;
    const at = (angle) => `${(100 * Math.cos(angle)).toFixed(2)},${(100 * Math.sin(angle)).toFixed(2)}`;
    const path = share > 0.999 ? s("circle", { r: 100, fill: COLOURS[place] })
      : s("path", { d: `M0,0L${at(from)}A100,100 0 ${share > 0.5 ? 1 : 0} 1 ${at(to)}Z`, fill: COLOURS[place], stroke: "#fff", "stroke-width": 2 });
    svg.append(hover(path, `${part.label}: ${(100 * share).toFixed(1)} %`));
    from = to;
  });
  return svg;
}
