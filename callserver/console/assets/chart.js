// Two plain charts in SVG: stacked columns over days, and lying bars. The table beside says the same.

import { el } from "./dom.js";
import { number } from "./texts.js";

const NS = "http://www.w3.org/2000/svg";

function svg(tag, attributes, text) {
  const made = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function frame(width, height, title) {
  const made = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", class: "bars" });
  made.append(svg("title", {}, title));
  return made;
}

// A round number at or above the highest column.
function roof(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].map((step) => step * power).find((one) => one >= value);
}

// columns: [{ label, values: [a, b] }]; names: what a and b are.
export function stacked(title, columns, names) {
  const [width, height, left, bottom] = [960, 260, 56, 30];
  const made = frame(width, height, title);
  const top = roof(Math.max(...columns.map((one) => one.values.reduce((a, b) => a + b, 0))));
  const scale = (height - bottom - 14) / top;
  for (const share of top % 2 ? [0, 1] : [0, 0.5, 1]) {
    const y = height - bottom - share * top * scale;
    made.append(svg("line", { class: "axis", x1: left, x2: width, y1: y, y2: y }));
    made.append(svg("text", { class: "soft", x: left - 8, y: y + 4, "text-anchor": "end" }, number(share * top)));
  }
  const step = (width - left) / columns.length;
  const every = Math.ceil(columns.length / 14);
  columns.forEach((one, at) => {
    let y = height - bottom;
    one.values.forEach((value, layer) => {
      const tall = value * scale;
      y -= tall;
      const bar = svg("rect", {
        class: "ab"[layer], x: left + at * step + step * 0.15, y, width: Math.min(step * 0.7, 60), height: tall,
      });
      bar.append(svg("title", {}, `${one.label}: ${names[layer]} ${number(value)}`));
      made.append(bar);
    });
    if (at % every === 0) {
      const x = left + at * step + step * 0.15 + Math.min(step * 0.7, 60) / 2;
      made.append(svg("text", { class: "soft", x, y: height - 10, "text-anchor": "middle" }, one.label));
    }
  });
  const legend = el("ul", { class: "legend" });
  names.forEach((name, layer) => {
    const mark = frame(10, 10, name);
    mark.append(svg("rect", { class: "ab"[layer], width: 10, height: 10 }));
    mark.setAttribute("aria-hidden", "true");
    legend.append(el("li", {}, mark, name));
  });
  return [made, legend];
}

// bars: [{ label, count }], the largest first.
export function lying(title, bars) {
  const tall = 34;
  const made = frame(480, Math.max(bars.length * tall, 1), title);
  const most = Math.max(...bars.map((one) => one.count), 1);
  bars.forEach((one, at) => {
    const y = at * tall;
    made.append(svg("text", { x: 0, y: y + 13 }, one.label));
    made.append(svg("rect", { class: "a", x: 0, y: y + 18, width: Math.max((one.count / most) * 400, 2), height: 9 }));
    made.append(svg("text", { class: "soft", x: (one.count / most) * 400 + 8, y: y + 27 }, number(one.count)));
  });
  return [made];
}
