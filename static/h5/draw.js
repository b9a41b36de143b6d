// The page of a draw checks itself: a worker draws again (draw_worker.js), this shows what it found. Without scripts the
// page says how to check elsewhere.
(() => {
  "use strict";
  const page = document.getElementById("draw");
  if (!page || !window.Worker || !page.querySelector("[data-pool]")) return;
  const { source, worker: program, sha256, place, given, amount, turn } = page.dataset;
  const words = JSON.parse(document.getElementById("draw-words").textContent);
  const rows = [...page.querySelectorAll("[data-pool]")];
  const own = page.querySelector("[data-own]"), start = page.querySelector("[data-start]"), kept = page.querySelector("[data-kept]");
  const number = new Intl.NumberFormat(document.documentElement.lang);
  const fill = (text, facts) => text.replace(/\{(\w+)\}/g, (_, name) => facts[name]);
  const show = (element, text, tone) => {
    if (!element) return;
    element.querySelector(".notice__text").textContent = text;
    element.className = `notice notice_${tone}`;
    element.hidden = false;
  };
  const worth = (kind, value) => {
    const n = kind === "red_packet" ? (value / 100).toFixed(2) : number.format(value);
    return fill(words[kind] || words.thanks, { n });
  };
  const fail = () => {
    show(own, words.broken, "warning");
    rows.forEach((row) => show(row.querySelector("[data-committed]"), words.broken, "warning"));
    if (start) start.hidden = true;
  };

  let pools = null, running = null, began = 0;
  // Asks a worker of its own; it ends with its last word, or when somebody stops it.
  const ask = (all, hear) => {
    const worker = new Worker(program);
    const end = () => { worker.terminate(); if (running === worker) { running = null; start.querySelector("span").textContent = words.start; } };
    worker.onerror = () => { end(); fail(); };
    worker.onmessage = ({ data }) => { if (data.broken) fail(); else hear(data); if (data.end || data.broken) end(); };
    const places = place ? [place.split(":").map(Number)] : [];
    worker.postMessage({ sha256, pools, places, all });
    return worker;
  };

  // What the wheel or the table gives, beside what its owner was given.
  const compare = (found) => {
    if (!found) { show(own, words.stranger, "warning"); return; }
    const { prizes } = pools[found.pool].table;
    const said = found.turns.map(([line, value]) => worth(line === null ? "thanks" : prizes[line][0], value));
    if (!given) { show(own, fill(words.holds, { prize: said.join(" → ") }), "info"); return; }
    const nth = Number(turn), [line, value] = found.turns[nth - 1] || [null, 0];
    const kind = line === null ? "thanks" : prizes[line][0], paid = Number(amount);
    const prize = said[nth - 1] || words.thanks, times = value ? paid / value : 1;
    if (kind === given && paid === value) show(own, fill(words.same, { prize }), "success");
    else if (kind === "points" && given === "points" && [2, 3, 4, 5].includes(times)) show(own, fill(words.times, { prize, factor: times }), "success");
    else if (given === "thanks" && pools[found.pool].table.mode === "odds") show(own, fill(words.gone, { prize }), "info");
    else show(own, fill(words.other, { prize }), "danger");
  };

  const hear = (data) => {
    if (data.committed) data.committed.forEach((good, place) => show(rows[place].querySelector("[data-committed]"), good ? words.committed : words.uncommitted, good ? "success" : "danger"));
    if (data.drawn && place) compare(data.drawn[0]);
    const row = rows[data.pool];
    if (!row) return;
    const bar = row.querySelector("progress"), size = Number(row.dataset.size);
    if ("done" in data) {
      if (bar.hidden) began = performance.now() - 150; // the worker tells so often
      bar.hidden = false;
      bar.value = data.done;
      const left = Math.ceil(((performance.now() - began) / 1000) * (size / Math.max(data.done, 1) - 1));
      show(row.querySelector("[data-counted]"), fill(words.running, { done: number.format(data.done), size: number.format(size), left: number.format(left) }), "info");
      return;
    }
    bar.hidden = true;
    const cells = row.querySelectorAll("[data-drawn]");
    data.counts.forEach((count, line) => { cells[line].textContent = number.format(line === cells.length - 1 && row.dataset.mode === "odds" ? count + data.beyond : count); });
    if (row.dataset.mode === "odds") show(row.querySelector("[data-counted]"), words.odds, "success");
    else show(row.querySelector("[data-counted]"), data.wrong.length ? words.wrong : words.sound, data.wrong.length ? "danger" : "success");
  };

  const stop = () => {
    running.terminate();
    running = null;
    start.querySelector("span").textContent = words.start;
    rows.forEach((row) => { const bar = row.querySelector("progress"); if (!bar.hidden) { bar.hidden = true; row.querySelector("[data-counted]").hidden = true; } });
  };

  if (kept) kept.addEventListener("input", () => {
    const text = kept.value.replace(/\s/g, "").toLowerCase(), note = page.querySelector("[data-kept-note]");
    if (text.length < 64) { note.hidden = true; return; }
    const at = rows.findIndex((row) => row.dataset.commitment === text);
    show(note, at < 0 ? words.unknown : fill(words.known, { n: at + 1 }), at < 0 ? "danger" : "success");
  });

  (async () => {
    try {
      const answer = await fetch(source, { credentials: "same-origin" });
      ({ pools } = await answer.json());
      if (pools.length !== rows.length) throw new Error("other pools");
      ask(false, hear);
    } catch { fail(); return; }
    page.querySelectorAll("[data-scripted]").forEach((element) => { element.hidden = false; });
    start.addEventListener("click", () => {
      if (running) { stop(); return; }
      start.querySelector("span").textContent = words.stop;
      running = ask(true, hear);
    });
  })();
})();
