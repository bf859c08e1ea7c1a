// Elements, numbers and axes that the table, the charts and the replay share.

const SVG = "http://www.w3.org/2000/svg";

function fillIn(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const el = (tag, attributes = {}, ...children) => fillIn(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) => fillIn(document.createElementNS(SVG, tag), attributes, children);

const fixed = (value, digits) => (value === null || value === undefined ? "" : value.toFixed(digits));

/** Minutes as hh:mm, with seconds if asked. */
function clock(minutes, seconds = false) {
  const total = Math.round(minutes * 60);
  const parts = [Math.floor(total / 3600), Math.floor(total / 60) % 60, ...(seconds ? [total % 60] : [])];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

/** Round numbers between two ends, about so many. */
function ticks(low, high, number) {
  const rough = (high - low) / number || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: Math.max(count, 0) }, (_, k) => Number(((first + k) * step).toPrecision(12)));
}

/** Powers of ten and their halves of a logarithmic axis. */
function logTicks(low, high) {
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    found.push(10 ** power);
  }
  return found.filter((value) => value >= low * 0.999 && value <= high * 1.001).map((value) => Number(value.toPrecision(6)));
}

/** Minutes between the ticks of a clock axis. */
const clockStep = (span, most) => [5, 10, 15, 30, 60, 120, 180, 240, 360].find((step) => span <= most * step) || 720;

/** Colour and dashes that tell one of several lines apart. */
const lineLook = (number) => ({
  stroke: `var(--line-${number % 7})`,
  "stroke-dasharray": ["none", "7 3", "2 2", "7 2 2 2"][number % 4],
  "stroke-width": 2,
  fill: "none",
});

/** Redraws what depends on the width whenever that changes. */
const redraws = [];
function whenever(draw) {
  redraws.push(draw);
  draw();
}
let wide = 0;
addEventListener("resize", () => {
  if (document.documentElement.clientWidth !== wide) {
    wide = document.documentElement.clientWidth;
    for (const draw of redraws) draw();
  }
});
