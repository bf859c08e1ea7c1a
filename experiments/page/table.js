// The table of one scenario: sortable by any column, cards on a narrow screen.

/** What a column is called, sorts by, and shows. */
function columnsOf(scenario, data) {
  const reference = data.evaluation.reference;
  const ends = scenario.rows.flatMap((row) => [row.objective.low, row.objective.high]);
  const scale = [Math.min(...ends), Math.max(...ends)];
  const range = (own) => own && `[${fixed(own.low, 4)}, ${fixed(own.high, 4)}]`;
  const interval = (own) => (own ? [fixed(own.estimate, 4), el("span", { class: "range" }, range(own))] : []);
  const number = (title, value, digits, unit = null) => ({ title, value, unit, show: (row) => [fixed(value(row), digits)] });
  return [
    { title: "policy", value: (row) => row.policy, show: (row) => [row.policy] },
    {
      title: "objective",
      value: (row) => row.objective.estimate,
      show: (row) => [...interval(row.objective), intervalBar(row.objective, scale)],
    },
    { title: `minus ${reference}`, value: (row) => row.difference && row.difference.estimate, show: (row) => interval(row.difference) },
    { title: "p (Holm)", value: (row) => row.p_value, show: (row) => (row.p_value === null ? [] : [row.p_value.toPrecision(2)]) },
    ...(scenario.rows.some((row) => row.share)
      ? [{ title: "way to the bound", value: (row) => row.share && row.share.estimate, show: (row) => interval(row.share) }]
      : []),
    ...Object.keys(scenario.rows[0].means).map((name) => number(name.replaceAll("_", " "), (row) => row.means[name], 3, data.units[name])),
    number("ms a decision", (row) => row.latency && row.latency.median_ms, 2),
    number("simulations", (row) => row.simulations, 0),
  ];
}

function intervalBar({ low, estimate, high }, [first, last]) {
  const at = (value) => 3 + (94 * (value - first)) / (last - first || 1);
  const line = { x1: at(low), x2: at(high), y1: 5, y2: 5, stroke: "var(--line-0)", "stroke-width": 3, "vector-effect": "non-scaling-stroke" };
  const mark = { x1: at(estimate), x2: at(estimate), y1: 0, y2: 10, stroke: "currentColor", "stroke-width": 2, "vector-effect": "non-scaling-stroke" };
  return svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" }, svg("line", line), svg("line", mark));
}

/** A name that may go on in the next line after each underscore. */
function breakable(name) {
  return name.split("_").flatMap((part, k) => (k ? ["_", el("wbr"), part] : [part]));
}

function resultsTable(scenario, data) {
  const columns = columnsOf(scenario, data);
  const body = el("tbody", { role: "rowgroup" });
  const heads = columns.map((column, k) =>
    el("th", { scope: "col", role: "columnheader", "aria-sort": k === 1 ? "descending" : "none" },
      el("button", { type: "button", title: column.unit, click: () => sortBy(k) }, column.title)));
  const spoken = el("p", { class: "note", role: "status" });

  function fill(rows) {
    body.replaceChildren(...rows.map((row) => el("tr", { role: "row", "data-policy": row.policy }, ...columns.map((column, k) =>
      k === 0
        ? el("th", { scope: "row", role: "rowheader" }, ...breakable(row.policy))
        : el("td", { role: "cell", "data-title": column.title, "data-value": column.value(row) }, ...column.show(row))))));
  }

  function sortBy(k) {
    const before = heads[k].getAttribute("aria-sort");
    const order = before === "none" ? (k === 0 ? "ascending" : "descending") : before === "ascending" ? "descending" : "ascending";
    for (const head of heads) head.setAttribute("aria-sort", head === heads[k] ? order : "none");
    const sign = order === "ascending" ? 1 : -1;
    const missing = (value) => value === null || value === undefined;
    const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b) : a - b);
    fill([...scenario.rows].sort((one, other) => {
      const [a, b] = [columns[k].value(one), columns[k].value(other)];
      return missing(a) || missing(b) ? missing(a) - missing(b) : sign * compare(a, b);
    }));
    spoken.textContent = `sorted by ${columns[k].title}, ${order}`;
  }

  fill(scenario.rows);
  const head = el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...heads));
  const table = el("table", { class: "results", role: "table", "aria-label": `results in ${scenario.label}` }, head, body);
  return [table, spoken];
}
