// Two episodes on one trace, side by side, to scrub through event by event.

/** The columns of records, see experiments/page/record.py. */
const CONTACT = { arrived: 0, risk: 1, outcome: 2 };
const STARTS = { waiting: 1, zombies: 1, legs: 3, duty: 1, breaks: 1 };

/** Spans of a kind that have begun by a minute and not ended. */
function going(record, kind, minute) {
  const start = STARTS[kind];
  return record[kind].filter((span) => span[start] <= minute && minute < span[start + 1]);
}

/** Everything that happens, in order: minute, what, contact or null, counsellor or null, words. */
function eventsOf(record, staff, codes) {
  const events = [];
  const add = (minute, what, contact, counsellor, words) => {
    if (minute <= record.until) events.push({ minute, what, contact, counsellor, words });
  };
  const who = (counsellor) => staff[counsellor].short;
  record.contacts.forEach((contact, number) => {
    const turned = codes.outcome[contact[CONTACT.outcome]] === "rejected";
    add(contact[CONTACT.arrived], turned ? "reject" : "arrive", number, null, turned ? `#${number} comes and does not accept the terms` : `#${number} arrives`);
  });
  for (const [contact, start, end, how] of record.waiting) {
    const word = codes.spell[how];
    if (word === "abandoned") add(end, "abandon", contact, null, `#${contact} leaves after ${(end - start).toFixed(1)} min`);
    if (word === "unanswered") add(end, "close", contact, null, `#${contact} is unanswered at the close`);
  }
  for (const [contact, counsellor, kind, start, end] of record.legs) {
    const leg = codes.leg[kind];
    if (start === end && leg === "wrap up") continue; // a centre without wrap-up
    const begun = { service: `#${contact} goes to ${who(counsellor)}`, zombie: `${who(counsellor)} opens #${contact}, who has left` }[leg];
    if (begun) add(start, leg === "zombie" ? "open" : "answer", contact, counsellor, begun);
    else add(start, leg, contact, counsellor, `${who(counsellor)}: ${leg} of #${contact}`);
    add(end, "end", contact, counsellor, `${who(counsellor)} ends ${leg} of #${contact}`);
  }
  for (const [counsellor, start, end] of record.duty) {
    add(start, "sign-in", null, counsellor, `${who(counsellor)} signs in`);
    add(end, "sign-out", null, counsellor, `${who(counsellor)} signs out`);
  }
  for (const [counsellor, start, end] of record.breaks) {
    add(start, "break", null, counsellor, `${who(counsellor)} takes a break`);
    add(end, "return", null, counsellor, `${who(counsellor)} is back`);
  }
  for (const [minute, contact] of record.decisions) if (contact < 0) add(minute, "hold", null, null, "nobody is assigned");
  const order = ["end", "return", "sign-in", "arrive", "reject", "abandon", "break", "sign-out", "close"];
  const rank = (event) => (order.indexOf(event.what) + order.length + 1) % (order.length + 1);
  return events.sort((a, b) => a.minute - b.minute || rank(a) - rank(b));
}

const riskBadge = (risk, codes) => el("span", { class: `risk risk-${codes.risk[risk]}`, title: "risk" }, codes.risk[risk]);
const pairWords = (contact, counsellor, staff) => (contact < 0 ? "hold: assign nobody" : `#${contact} to ${staff[counsellor].short}`);

/** One policy's side: chooser, picture and what is so at a minute. */
function makeSide(root, label, onChange, onSeek) {
  const chooser = el("select", { "aria-label": `policy ${label}`, change: () => onChange() });
  const parts = Object.fromEntries(["figures", "picture", "scene"].map((name) => [name, el("div", { class: name })]));
  root.replaceChildren(el("h3", {}, chooser), parts.figures, parts.picture, parts.scene);
  const side = { chooser };

  side.load = (record, until, scenario, codes) => {
    Object.assign(side, { record, until, scenario, codes, events: eventsOf(record, scenario.staff, codes) });
    const changed = record.same ? "" : " Played anew it scores otherwise than in the table: it plans by the clock.";
    parts.figures.replaceChildren(el("p", { class: "note" }, `objective of this episode ${fixed(record.objective, 4)}.${changed}`));
    side.draw();
  };
  side.draw = () => {
    const drawn = replayPicture(side.record, side.until, side.scenario, side.codes, Math.max(260, parts.picture.clientWidth), onSeek);
    side.cursor = drawn.cursor;
    parts.picture.replaceChildren(drawn.picture);
  };
  side.show = (minute) => {
    side.cursor(minute);
    parts.scene.replaceChildren(...sceneAt(side, minute));
  };
  return side;
}

/** The whole episode: the queue above, a lane for each slot of each counsellor below; and what moves the cursor. */
function replayPicture(record, until, scenario, codes, width, onSeek) {
  const staffed = [...new Set(record.duty.map((span) => span[0]))].sort((a, b) => a - b);
  const depth = Math.max(0, ...record.waiting.map((span) => span[4])) + 1;
  const lane = Math.max(2.5, Math.min(8, 90 / depth));
  const tall = staffed.length > 8 ? 7 : 13;
  const left = 44;
  const queueEnd = 16 + depth * lane;
  const tops = {};
  let bottom = queueEnd + 10;
  for (const counsellor of staffed) {
    tops[counsellor] = bottom;
    bottom += scenario.staff[counsellor].capacity * tall + 4;
  }
  const at = (minute) => left + (Math.min(minute, until) / until) * (width - left - 6);
  const bar = (span, start, top, height, fill, extra = {}) =>
    svg("rect", { x: at(span[start]), width: Math.max(0.8, at(span[start + 1]) - at(span[start])), y: top, height, fill, ...extra });
  const seek = (event) => onSeek(((event.clientX - picture.getBoundingClientRect().left - left) / (width - left - 6)) * until);
  const picture = svg("svg", { class: "picture", width, height: bottom + 20, role: "img", click: seek,
    "aria-label": `the episode of ${record.policy}: callers waiting above, counsellors below; what is so at the time chosen stands below in words` });
  const step = clockStep(until, Math.max(3, width / 90));
  for (let minute = 0; minute <= until; minute += step) {
    picture.append(svg("line", { class: "grid", x1: at(minute), x2: at(minute), y1: 12, y2: bottom }),
      svg("text", { class: "soft", x: at(minute), y: bottom + 14, "text-anchor": minute === 0 ? "start" : at(minute) > width - 24 ? "end" : "middle" }, clock(minute)));
  }
  picture.append(svg("text", { class: "soft", x: 0, y: 10 }, "waiting"));
  const tint = { answered: "var(--line-0)", "answered after transfer": "var(--line-2)", abandoned: "var(--line-1)", unanswered: "currentColor" };
  for (const span of record.waiting) {
    const [y, colour] = [16 + span[4] * lane, tint[codes.spell[span[3]]]];
    picture.append(bar(span, 1, y, Math.max(1.5, lane - 2), colour));
    if (codes.spell[span[3]] === "abandoned" && span[2] <= record.until) {
      const [x, m] = [at(span[2]), y + lane / 2 - 1];
      picture.append(svg("path", { d: `M${x - 3} ${m - 3}l6 6m0 -6l-6 6`, stroke: colour, "stroke-width": 1.5 }));
    }
  }
  for (const span of record.zombies) {
    const y = 16 + span[3] * lane + lane / 2 - 1;
    picture.append(svg("line", { x1: at(span[1]), x2: at(span[2]), y1: y, y2: y, stroke: "var(--grey)", "stroke-dasharray": "2 2" }));
  }
  for (const counsellor of staffed) {
    const height = scenario.staff[counsellor].capacity * tall;
    picture.append(svg("rect", { x: left, width: width - left - 6, y: tops[counsellor], height, fill: "var(--off)" }),
      svg("text", { x: 0, y: tops[counsellor] + Math.min(height - 2, height / 2 + 4) }, scenario.staff[counsellor].short));
  }
  for (const span of record.duty) picture.append(bar(span, 1, tops[span[0]], scenario.staff[span[0]].capacity * tall, "var(--paper)"));
  for (const span of record.breaks) picture.append(bar(span, 1, tops[span[0]], scenario.staff[span[0]].capacity * tall, "var(--break)"));
  const looks = { service: { fill: "var(--service)", stroke: "var(--line-0)" }, "wrap up": { fill: "var(--wrap)", stroke: "var(--line-0)" },
    zombie: { fill: "var(--paper)", stroke: "var(--grey)", "stroke-dasharray": "2 2" }, bridge: { fill: "var(--paper)", stroke: "var(--line-2)" } };
  for (const span of record.legs) {
    const look = looks[codes.leg[span[2]]] || looks.service;
    picture.append(bar(span, 3, tops[span[1]] + span[5] * tall + 1, tall - 2, look.fill, { ...look, "stroke-width": 0.7 }));
  }
  const line = svg("line", { y1: 2, y2: bottom, stroke: "var(--line-4)", "stroke-width": 2 });
  picture.append(line);
  return { picture, cursor: (minute) => { line.setAttribute("x1", at(minute)); line.setAttribute("x2", at(minute)); } };
}

/** What is so at a minute, in words. */
function sceneAt({ record, scenario, codes, events }, minute) {
  const past = events.filter((event) => event.minute <= minute);
  const count = (...kinds) => past.filter((event) => kinds.includes(event.what)).length;
  const risk = (contact) => riskBadge(record.contacts[contact][CONTACT.risk], codes);
  const waiting = going(record, "waiting", minute);
  const zombies = going(record, "zombies", minute);
  const allotted = record.decisions.filter(([when, contact, counsellor]) => when <= minute && contact >= 0 && scenario.staff[counsellor].inbox);
  const owners = new Map(allotted.map(([, contact, counsellor]) => [contact, scenario.staff[counsellor].short]));
  const inbox = (contact) => (owners.has(contact) ? ` for ${owners.get(contact)}` : "");
  const chips = [
    ...waiting.map(([contact, start]) => ({ start, contact, words: `#${contact} ${(minute - start).toFixed(1)} min${inbox(contact)}`, kind: "waits" })),
    ...zombies.map(([contact, left]) => ({ start: left, contact, words: `#${contact} zombie, left ${(minute - left).toFixed(1)} min ago`, kind: "zombie" })),
  ].sort((a, b) => a.contact - b.contact);
  const queue = el("ul", { class: "queue" }, ...chips.map(({ contact, words, kind }) => el("li", { class: kind, "data-contact": contact }, risk(contact), words)));
  const counted = `waiting ${waiting.length}${scenario.zombies ? `, zombies ${zombies.length}` : ""}; so far ${count("arrive")} came, ${count("answer")} times somebody answered, ${count("abandon")} left`;
  return [
    el("p", { class: "counted" }, counted),
    queue,
    el("div", { class: "scenes" },
      el("div", {}, el("h3", {}, "Counsellors"), staffAt(record, scenario, codes, minute)),
      el("div", {}, el("h3", {}, "Last decision"), ...decisionAt(record, scenario, minute))),
    el("h3", {}, "Latest events"),
    el("ol", { class: "events" }, ...past.slice(-6).reverse().map((event) =>
      el("li", { "data-minute": event.minute, "data-what": event.what, "data-contact": event.contact, "data-counsellor": event.counsellor }, `${clock(event.minute, true)} ${event.words}`))),
  ];
}

function staffAt(record, scenario, codes, minute) {
  const legs = going(record, "legs", minute);
  const away = new Map(going(record, "breaks", minute).map((span) => [span[0], span[2]]));
  const duty = new Set(going(record, "duty", minute).map((span) => span[0]));
  const present = scenario.staff.map((_, index) => index).filter((index) => duty.has(index) || legs.some((leg) => leg[1] === index));
  const rows = present.map((index) => {
    const own = legs.filter((leg) => leg[1] === index);
    const words = own.map(([contact, , kind, start]) => `${codes.leg[kind]} #${contact}, ${(minute - start).toFixed(1)} min`);
    const state = away.has(index) ? `on a break until ${clock(away.get(index))}` : words.join("; ") || "free";
    const late = duty.has(index) ? "" : " (overtime)";
    return el("li", { "data-counsellor": index, "data-contacts": own.map((leg) => leg[0]).join(" ") },
      el("span", { class: "who", title: scenario.staff[index].name }, scenario.staff[index].short), state + late);
  });
  const off = scenario.staff.length - present.length;
  return el("ul", { class: "staff" }, ...rows, off ? el("li", { class: "note" }, `${off} off duty`) : null);
}

/** The last decision by a minute, and its candidates with what they were worth to the policy. */
function decisionAt(record, scenario, minute) {
  const taken = record.decisions.filter((decision) => decision[0] <= minute);
  if (!taken.length) return [el("p", { class: "note" }, "none yet")];
  const [when, contact, counsellor, candidates, number] = taken[taken.length - 1];
  const head = el("p", { class: "decision", "data-minute": when, "data-contact": contact, "data-counsellor": counsellor },
    `${clock(when, true)} ${pairWords(contact, counsellor, scenario.staff)}`);
  if (!candidates.length) return [head, el("p", { class: "note" }, record.measure || `${record.policy} does not say why.`)];
  const rows = candidates.map(([caller, server, value]) => {
    const chosen = caller === contact && server === counsellor;
    return el("tr", chosen ? { class: "chosen" } : {}, el("td", {}, `${chosen ? "✓ " : ""}${pairWords(caller, server, scenario.staff)}`), el("td", { "data-value": value }, String(value)));
  });
  const left = number - candidates.length;
  return [head, el("table", { class: "why" }, el("caption", {}, `${record.measure}${left > 0 ? `; ${left} more candidates` : ""}`), el("tbody", {}, ...rows))];
}

function replayLegend({ zombies, staff }) {
  const key = (words, draw) => el("li", {}, svg("svg", { width: 22, height: 10, "aria-hidden": "true" }, draw), words);
  const box = (fill, stroke = "none", dash = "none") => svg("rect", { x: 1, y: 1, width: 20, height: 8, fill, stroke, "stroke-dasharray": dash });
  const bar = (fill) => svg("rect", { x: 1, y: 3, width: 20, height: 4, fill });
  const cross = svg("path", { d: "M1 5h14m0 -4l7 7m0 -7l-7 7", stroke: "var(--line-1)", "stroke-width": 2 });
  return [
    key("waits, then answered", bar("var(--line-0)")), key("waits, then leaves", cross), key("answered after a transfer", bar("var(--line-2)")),
    key("unanswered at the close", bar("currentColor")), key("service", box("var(--service)", "var(--line-0)")),
    key("wrap-up", box("var(--wrap)", "var(--line-0)")), key("break", box("var(--break)")), key("off duty", box("var(--off)")),
    ...(zombies ? [key("zombie: left, and still in the queue or opened", box("var(--paper)", "var(--grey)", "2 2"))] : []),
    ...(staff.some((person) => person.inbox) ? [key("bridge of a wait", box("var(--paper)", "var(--line-2)"))] : []),
  ];
}

function startReplay(data) {
  const scenarios = data.scenarios.filter((scenario) => scenario.replays.length);
  if (!scenarios.length) return;
  const find = (id) => document.getElementById(id);
  const [place, trace, scrub] = [find("replay-scenario"), find("replay-trace"), find("scrub")];
  let [scenario, moments, timer] = [null, [0], null];
  const sides = [makeSide(find("left"), "left", load, seek), makeSide(find("right"), "right", load, seek)];
  const options = (names) => [...names].map((name) => el("option", {}, String(name)));

  function chooseScenario() {
    scenario = scenarios.find((own) => own.label === place.value);
    trace.replaceChildren(...options(new Set(scenario.replays.map((record) => record.seed))));
    const names = [...new Set(scenario.replays.map((record) => record.policy))];
    const reference = names.includes(data.evaluation.reference) ? data.evaluation.reference : names[names.length - 1];
    sides.forEach((side, k) => {
      side.chooser.replaceChildren(...options(names));
      side.chooser.value = k ? names.find((name) => name !== reference) || reference : reference;
    });
    find("replay-legend").replaceChildren(...replayLegend(scenario));
    load();
  }

  function load() {
    const records = sides.map((side) => scenario.replays.find((own) => String(own.seed) === trace.value && own.policy === side.chooser.value));
    const until = Math.max(...records.map((record) => record.until));
    sides.forEach((side, k) => side.load(records[k], until, scenario, data.codes));
    moments = [...new Set([0, ...sides.flatMap((side) => side.events.map((event) => event.minute))])].sort((a, b) => a - b);
    scrub.max = moments.length - 1;
    find("replay-note").textContent = until < records[0].end ? `The first ${clock(until)} hours of ${clock(records[0].end)}.` : "";
    go(0);
  }

  function go(number) {
    scrub.value = Math.max(0, Math.min(moments.length - 1, number));
    const minute = moments[Number(scrub.value)];
    find("scrub-time").textContent = clock(minute, true);
    scrub.setAttribute("aria-valuetext", clock(minute, true));
    for (const side of sides) side.show(minute);
  }

  function seek(minute) {
    go(moments.filter((moment) => moment <= minute).length - 1);
  }

  function play(on) {
    clearInterval(timer);
    timer = on ? setInterval(() => (Number(scrub.value) < moments.length - 1 ? go(Number(scrub.value) + 1) : play(false)), 350) : null;
    find("scrub-play").setAttribute("aria-pressed", String(on));
    find("scrub-play").textContent = on ? "pause" : "play";
  }

  /** The first decision that the two take otherwise. */
  function differ() {
    const [one, other] = sides.map((side) => side.record.decisions);
    const k = one.findIndex((decision, row) => !other[row] || [0, 1, 2].some((column) => decision[column] !== other[row][column]));
    if (k >= 0) seek(Math.min(one[k][0], other[k] ? other[k][0] : one[k][0]));
    else find("replay-note").textContent = "They decide alike.";
  }

  find("replay").hidden = false;
  place.replaceChildren(...options(scenarios.map((own) => own.label)));
  place.addEventListener("change", chooseScenario);
  trace.addEventListener("change", load);
  scrub.addEventListener("input", () => go(Number(scrub.value)));
  find("scrub-back").addEventListener("click", () => go(Number(scrub.value) - 1));
  find("scrub-on").addEventListener("click", () => go(Number(scrub.value) + 1));
  find("scrub-play").addEventListener("click", () => play(timer === null));
  find("scrub-differ").addEventListener("click", differ);
  chooseScenario();
  redraws.push(() => { for (const side of sides) side.draw(); go(Number(scrub.value)); });
}
