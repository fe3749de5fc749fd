// Two charts: stacked columns over days, and horizontal bars. A table beside them has the same figures.

import { el } from "../dom.js";
import { number, t } from "../texts.js";

const NS = "http://www.w3.org/2000/svg";
const HEIGHT = 280;
const LEFT = 64;
const BOTTOM = 34;
const WIDEST_COLUMN = 60;
const LABEL = 58; // pixels that a day's label needs

function svg(tag, attributes, text) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function frame(width, height, title) {
  const element = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", class: "bars" });
  element.append(svg("title", {}, title));
  return element;
}

// A round number at or above `value`.
function axisMaximum(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].map((step) => step * power).find((maximum) => maximum >= value);
}

// columns: [{ label, values: [a, b] }], one for each day in a row; names: what a and b are; `width` is
// in pixels, so that the labels have the size of the text around the chart.
export function stacked(title, columns, names, width) {
  const chart = frame(width, HEIGHT, title);
  const top = axisMaximum(Math.max(...columns.map((column) => column.values.reduce((a, b) => a + b, 0))));
  const scale = (HEIGHT - BOTTOM - 14) / top;
  for (const share of top % 2 ? [0, 1] : [0, 0.5, 1]) {
    const y = HEIGHT - BOTTOM - share * top * scale;
    chart.append(svg("line", { class: "axis", x1: LEFT, x2: width, y1: y, y2: y }));
    chart.append(
      svg("text", { class: "soft", x: LEFT - 8, y: y + 4, "text-anchor": "end" }, number(share * top)),
    );
  }
  const step = (width - LEFT) / columns.length;
  const wide = Math.min(step * 0.7, WIDEST_COLUMN);
  const every = Math.ceil(LABEL / step);
  columns.forEach((column, at) => {
    const middle = LEFT + (at + 0.5) * step;
    let y = HEIGHT - BOTTOM;
    column.values.forEach((value, layer) => {
      const tall = value * scale;
      y -= tall;
      const bar = svg("rect", { class: "ab"[layer], x: middle - wide / 2, y, width: wide, height: tall });
      bar.append(
        svg("title", {}, t("reports.bar", { day: column.label, name: names[layer], count: number(value) })),
      );
      chart.append(bar);
    });
    if (at % every === 0) {
      const tick = HEIGHT - BOTTOM;
      chart.append(svg("line", { class: "axis", x1: middle, x2: middle, y1: tick, y2: tick + 6 }));
      chart.append(
        svg("text", { class: "soft", x: middle, y: HEIGHT - 8, "text-anchor": "middle" }, column.label),
      );
    }
  });
  const legend = el("ul", { class: "legend" });
  names.forEach((name, layer) => {
    const mark = frame(10, 10, name);
    mark.append(svg("rect", { class: "ab"[layer], width: 10, height: 10 }));
    mark.setAttribute("aria-hidden", "true");
    legend.append(el("li", {}, mark, name));
  });
  return [chart, legend];
}

// bars: [{ label, count }], the largest first.
export function horizontalBars(title, bars) {
  if (!bars.length) return [el("p", { class: "soft" }, t("reports.nothing"))];
  const most = Math.max(...bars.map((bar) => bar.count));
  const items = bars.map(({ label, count }) => {
    const bar = el("span", { class: "bar", "aria-hidden": "true" });
    bar.style.width = `${(count / most) * 85}%`;
    return el(
      "li",
      {},
      el("span", {}, label),
      el("span", { class: "measure" }, bar, el("b", { class: "number" }, number(count))),
    );
  });
  return [el("ul", { class: "lying", "aria-label": title }, ...items)];
}
