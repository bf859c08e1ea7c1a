// Charts of one scenario: plain SVG, as wide as there is room.

const CHART = { height: 270, top: 10, bottom: 40, left: 50 };

/** Axes with a grid; what maps values to pixels. */
function frame(width, right, x, y, height = CHART.height) {
  const box = { left: CHART.left, right: width - right, top: CHART.top, bottom: height - CHART.bottom };
  const share = x.log ? (v) => Math.log(v / x.low) / Math.log(x.high / x.low) : (v) => (v - x.low) / (x.high - x.low);
  const atX = (v) => box.left + share(v) * (box.right - box.left);
  const atY = (v) => box.bottom - ((v - y.low) / (y.high - y.low)) * (box.bottom - box.top);
  const picture = svg("svg", { width, height, role: "img" });
  const xTicks = x.ticks || (x.log ? logTicks(x.low, x.high) : ticks(x.low, x.high, Math.max(2, (box.right - box.left) / 70)));
  for (const value of xTicks) {
    picture.append(
      svg("line", { class: "grid", x1: atX(value), x2: atX(value), y1: box.top, y2: box.bottom }),
      svg("text", { class: "soft", x: atX(value), y: box.bottom + 16, "text-anchor": "middle" }, (x.words || String)(value)));
  }
  for (const value of ticks(y.low, y.high, 5)) {
    picture.append(
      svg("line", { class: "grid", x1: box.left, x2: box.right, y1: atY(value), y2: atY(value) }),
      svg("text", { class: "soft", x: box.left - 6, y: atY(value) + 4, "text-anchor": "end" }, String(value)));
  }
  picture.append(
    svg("path", { class: "axis", fill: "none", d: `M${box.left} ${box.top}V${box.bottom}H${box.right}` }),
    svg("text", { class: "soft", x: (box.left + box.right) / 2, y: height - 6, "text-anchor": "middle" }, x.title));
  return { picture, atX, atY, box };
}

/** Both ends of an axis with a margin. */
function spread(values, log = false) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (log) return { low: 10 ** Math.floor(Math.log10(low)), high: 10 ** Math.ceil(Math.log10(high * 1.001)), log };
  const margin = (high - low || Math.abs(high) || 1) * 0.08;
  return { low: low - margin, high: high + margin };
}

/** Which points no other dominates, both coordinates maximised. */
function nondominated(points) {
  return points.filter((p) => !points.some((q) => q.x >= p.x && q.y >= p.y && (q.x > p.x || q.y > p.y)));
}

/** Points with names at the right; `low` and `high` draw an interval, `front` joins what nobody dominates. */
function scatter(points, { x, y, log = false, front = false }, width) {
  const right = 24 + 6.9 * Math.max(...points.map((point) => point.name.length));
  const heights = points.flatMap((point) => [point.y, point.low ?? point.y, point.high ?? point.y]);
  const height = Math.max(CHART.height, 60 + 14 * points.length);
  const { picture, atX, atY, box } = frame(width, right, { ...spread(points.map((p) => p.x), log), title: x }, spread(heights), height);
  picture.setAttribute("aria-label", `${y} against ${x}, one point a policy; the table has the figures`);
  const best = front ? nondominated(points) : points;
  if (front) {
    const steps = [...best].sort((a, b) => a.x - b.x);
    const path = steps.map((p, k) => `${k ? `V${atY(p.y)}H${atX(p.x)}` : `M${box.left} ${atY(p.y)}H${atX(p.x)}`}`).join("");
    picture.append(svg("path", { d: `${path}V${box.bottom}`, fill: "none", stroke: "var(--line-2)", "stroke-width": 1.5, "stroke-dasharray": "5 3" }));
  }
  const places = [...points].sort((a, b) => atY(a.y) - atY(b.y)).map((point) => ({ point, at: atY(point.y) }));
  places.forEach((place, k) => { if (k) place.at = Math.max(place.at, places[k - 1].at + 14); });
  for (let k = places.length - 1, floor = box.bottom; k >= 0; k -= 1, floor -= 14) places[k].at = Math.min(places[k].at, floor);
  for (const { point, at } of places) {
    const [px, py] = [atX(point.x), atY(point.y)];
    const kept = best.includes(point);
    picture.append(
      svg("path", { class: "leader", d: `M${px + 5} ${py}L${box.right + 2} ${at}h6` }),
      ...(point.low === undefined ? [] : [svg("line", { x1: px, x2: px, y1: atY(point.low), y2: atY(point.high), stroke: "var(--line-0)", "stroke-width": 2 })]),
      svg("circle", { cx: px, cy: py, r: 4.5, fill: kept ? "var(--line-0)" : "var(--paper)", stroke: "var(--line-0)", "stroke-width": 2, "data-policy": point.name, "data-kept": kept }),
      svg("text", { x: box.right + 11, y: at + 4 }, point.name));
  }
  picture.append(svg("text", { class: "soft", x: 2, y: 9 }, y));
  return picture;
}

/** Curves by name over common places; null leaves a gap. */
function curves(places, byName, { x, y, step = false, tickPlaces, words }, width) {
  const ends = { low: places[0], high: places[places.length - 1], title: x, ticks: tickPlaces, words };
  const seen = Object.values(byName).flat().filter((value) => value !== null);
  const heights = { low: Math.floor(10 * Math.min(1, ...seen)) / 10, high: Math.max(0.1, Math.ceil(10 * Math.max(0, ...seen)) / 10) };
  const { picture, atX, atY } = frame(width, 22, ends, heights);
  picture.setAttribute("aria-label", `${y} against ${x}, one line a policy`);
  Object.entries(byName).forEach(([name, values], number) => {
    let path = "";
    values.forEach((value, k) => {
      if (value === null) return;
      const joined = k > 0 && values[k - 1] !== null;
      path += `${joined ? (step ? "V" + atY(value) : `L${atX(places[k])} ${atY(value)}`) : `M${atX(places[k])} ${atY(value)}`}`;
      if (step) path += `H${atX(places[k + 1])}`;
    });
    picture.append(svg("path", { ...lineLook(number), d: path }, svg("title", {}, name)));
  });
  return picture;
}

const lineLegend = (names) => el("ul", { class: "legend" }, ...names.map((name, number) =>
  el("li", {}, svg("svg", { width: 30, height: 8, "aria-hidden": "true" }, svg("line", { ...lineLook(number), x1: 0, x2: 30, y1: 4, y2: 4 })), name)));

/** A figure that is drawn again when its width changes; its caption and what stands below. */
function figure(caption, draw, ...below) {
  const place = el("div");
  const node = el("figure", {}, el("figcaption", {}, ...[caption].flat()), place, ...below);
  return { node, draw: () => place.replaceChildren(draw(Math.max(260, place.clientWidth))) };
}

function latencyChart(scenario) {
  const points = scenario.rows.filter((row) => row.latency).map((row) => ({ name: row.policy, x: row.latency.median_ms, y: row.objective.estimate, low: row.objective.low, high: row.objective.high }));
  return points.length ? figure("Score against what a decision takes, asked from Python", (width) => scatter(points, { x: "median ms a decision", y: "objective", log: true }, width)) : null;
}

/** The front of two objectives, which the reader chooses. */
function frontChart(scenario) {
  const names = Object.keys(scenario.weights);
  const weighed = names.filter((name) => scenario.weights[name] > 0);
  const order = [...weighed, ...names.filter((name) => !weighed.includes(name))];
  const alike = (name) => scenario.rows.every((row) => row.means[name] === row.means[order[0]]);
  const start = [order[0], order.slice(1).find((name) => !alike(name)) || order[1]];
  const choose = (label, chosen) => el("select", { "aria-label": label, change: () => chart.draw() }, ...names.map((name) => el("option", name === chosen ? { selected: "" } : {}, name)));
  const [across, up] = [choose("objective across", start[0]), choose("objective up", start[1])];
  const chart = figure(["Front of two objectives: filled is what no other policy dominates. Across ", across, ", up ", up], (width) =>
    scatter(scenario.rows.map((row) => ({ name: row.policy, x: row.means[across.value], y: row.means[up.value] })), { x: across.value, y: up.value, front: true }, width));
  chart.node.classList.add("front");
  return chart;
}

function scenarioCharts(scenario) {
  const waits = scenario.waits;
  const names = Object.keys(waits.shares);
  const hours = Math.max(...Object.values(scenario.occupancy).map((curve) => curve.length));
  const edges = Array.from({ length: hours + 1 }, (_, hour) => hour * 60);
  const step = clockStep(hours * 60, 8);
  const clocked = { tickPlaces: edges.filter((edge) => edge % step === 0), words: clock };
  return [
    latencyChart(scenario),
    frontChart(scenario),
    figure("Share of offered contacts that were answered within a wait", (width) => curves(waits.minutes, waits.shares, { x: "wait, minutes", y: "share answered" }, width), lineLegend(names)),
    figure("Occupancy by time of the episode's day: busy of staffed minutes", (width) => curves(edges, scenario.occupancy, { x: "hh:mm", y: "occupancy", step: true, ...clocked }, width), lineLegend(names)),
  ].filter(Boolean);
}
