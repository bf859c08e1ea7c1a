// The page from its data.

function weightsWords(weights) {
  const used = Object.entries(weights).filter(([, weight]) => weight !== 0);
  return used.map(([name, weight]) => `${weight === 1 ? "" : `${weight} `}${name}`).join(" + ");
}

function failuresList(failures) {
  return el("ul", { class: "failures", "aria-label": "without a row" },
    ...failures.map(({ policy, words }) => el("li", {}, el("strong", {}, policy), ` has no row: ${words}`)));
}

function scenarioSection(scenario, data) {
  const { traces, first_seed: first, last_seed: last, digest } = scenario.traces;
  const bound = scenario.rows[0].bound;
  const charts = scenarioCharts(scenario);
  const section = el("section", { id: scenario.label, "aria-label": scenario.label },
    el("h2", {}, scenario.label),
    el("p", { class: "note" }, `${traces} traces, seeds ${first} to ${last}, digest ${digest}. Objective: ${weightsWords(scenario.weights)}, with ${100 * data.evaluation.confidence} % bootstrap intervals; differences are paired on the same traces.${bound ? ` Clairvoyant bound ${bound[0].toFixed(4)}.` : ""}`),
    ...resultsTable(scenario, data),
    ...(scenario.failures.length ? [failuresList(scenario.failures)] : []),
    el("div", { class: "charts" }, ...charts.map((chart) => chart.node)));
  return { section, charts };
}

(function main() {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { processor, cores, python } = data.machine;
  document.getElementById("about").textContent = `mhgym ${data.version}. Times were measured on ${processor}, ${cores} cores, Python ${python}. Any row is played again by python -m experiments.leaderboard replay=scenario/policy.`;
  const names = [...data.scenarios.map((scenario) => scenario.label), ...(data.scenarios.some((s) => s.replays.length) ? ["replay"] : [])];
  document.getElementById("contents").append(...names.map((name) => el("a", { href: `#${name}` }, name)));
  const place = document.getElementById("scenarios");
  for (const scenario of data.scenarios) {
    const { section, charts } = scenarioSection(scenario, data);
    place.append(section);
    for (const chart of charts) whenever(chart.draw);
  }
  startReplay(data);
  document.body.dataset.ready = "";
})();
