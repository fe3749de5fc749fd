// Icons in the colour of the text around them; that text says what they mean.

const SVG = "http://www.w3.org/2000/svg";
const PATHS = {
  ear: "M6 10a6 6 0 1 1 12 0c0 4-4 5-4 8a3 3 0 0 1-5.5 1.7M9 10a3 3 0 1 1 6 0c0 2-3 2-3 4",
  hand: "M8 13V5.5a1.5 1.5 0 0 1 3 0V11m0-6.5a1.5 1.5 0 0 1 3 0V11m0-5a1.5 1.5 0 0 1 3 0v8c0 4-2 7-6 7-3 0-4.5-1.5-6-4l-2-3.5a1.5 1.5 0 0 1 2.5-1.5L8 14",
  unplugged: "M5 5l14 14M9 9c-1 3 3 7 6 6l2 2c-1 2-3 2-5 1-4-2-6-5-7-8 0-2 0-3 1-4l2 1M14 6a5 5 0 0 1 4 4",
};

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
