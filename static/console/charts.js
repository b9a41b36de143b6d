// Draws every [data-chart] element from the JSON at its address, in the page's colours, and writes the same figures into
// a table for those who do not see the drawing. The shape of the JSON is in scancode/docs/look.md.
(() => {
  "use strict";
  const COLOURS = { light: ["#1f7a5a", "#3b82c4", "#e0a12b", "#c2513f", "#7a68b3", "#2a9d9d", "#8a9440", "#a3607f"], dark: ["#3fae86", "#62a4e0", "#eab94f", "#e07a68", "#a192db", "#4fc3c3", "#b1bb62", "#cb8aa8"] };
  const figures = [];
  const dark = () => document.documentElement.getAttribute("data-bs-theme") === "dark";
  const locale = document.documentElement.lang;

  const number = (value, unit) => {
    if (value === null || value === undefined) return "–";
    if (unit === "fen") return "¥" + (value / 100).toLocaleString(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    return value.toLocaleString(locale) + (unit ? (unit === "%" ? "%" : " " + unit) : "");
  };
  const brief = (value, unit) => {
    const shown = unit === "fen" ? value / 100 : value;
    return (unit === "fen" ? "¥" : "") + new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 }).format(shown);
  };
  const share = (value, before) => (before ? (100 * value / before).toLocaleString(locale, { maximumFractionDigits: 1 }) + "%" : "");

  // Written out: the page's own custom properties may hold color-mix(), which the canvas library cannot read.
  const palette = () => ({
    font: getComputedStyle(document.body).fontFamily,
    ...(dark()
      ? { colours: COLOURS.dark, ink: "#dfe3e8", muted: "#97a1ad", surface: "#1b222c", line: "rgba(255,255,255,.1)" }
      : { colours: COLOURS.light, ink: "#1f2630", muted: "#667382", surface: "#ffffff", line: "rgba(20,24,28,.09)" }),
  });

  const base = (p, unit) => ({
    color: p.colours,
    textStyle: { fontFamily: p.font, color: p.ink },
    animationDuration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 500,
    // rich text is drawn on the canvas; the default would write style attributes, which the policy forbids
    tooltip: { renderMode: "richText", confine: true, backgroundColor: p.surface, borderColor: p.line, textStyle: { color: p.ink, fontFamily: p.font }, valueFormatter: (value) => number(value, unit) },
    aria: { enabled: false },
  });
  const legend = (p, series) => (series.length > 1 ? { bottom: 0, icon: "roundRect", itemWidth: 10, itemHeight: 10, textStyle: { color: p.muted } } : undefined);

  const axes = (json, p, width) => {
    const flat = json.kind === "hbar" || json.kind === "funnel";
    const few = json.categories.length <= 8 && json.kind !== "line" && json.kind !== "area"; // days may be left out, names may not
    const fit = flat ? { width: Math.min(130, width * .3), overflow: "truncate", interval: 0 }
      : few ? { interval: 0, width: Math.max(32, (width - 64) / json.categories.length - 8), overflow: "truncate" } : { hideOverlap: true };
    const round = flat ? [0, 4, 4, 0] : [4, 4, 0, 0];
    const names = { type: "category", data: json.categories, inverse: flat, axisTick: { show: false }, axisLine: { lineStyle: { color: p.line } }, axisLabel: { color: p.muted, ...fit } };
    const values = { type: "value", splitLine: { lineStyle: { color: p.line } }, axisLabel: { color: p.muted, hideOverlap: true, formatter: (value) => brief(value, json.unit) }, minInterval: json.unit === "fen" ? 0 : 1 };
    const lines = json.kind === "line" || json.kind === "area";
    const bottom = json.series.length < 2 ? 4 : json.series.length > 2 && width < 320 ? 56 : 34; // a small phone's legend has two lines
    return {
      ...base(p, json.unit),
      tooltip: { ...base(p, json.unit).tooltip, trigger: "axis", axisPointer: { type: lines ? "line" : "shadow", lineStyle: { color: p.muted }, shadowStyle: { color: p.line } } },
      legend: legend(p, json.series),
      grid: { left: 4, right: flat ? 56 : 12, top: 14, bottom, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
      xAxis: flat ? values : names,
      yAxis: flat ? names : values,
      series: json.series.map((one) => ({
        name: one.name,
        type: lines ? "line" : "bar",
        data: one.values,
        stack: json.kind === "stack" ? "all" : undefined,
        areaStyle: json.kind === "area" ? { opacity: .14 } : undefined,
        symbol: "circle", symbolSize: 6, showSymbol: one.values.length < 32, lineStyle: { width: 2.5 },
        barMaxWidth: 34,
        itemStyle: lines || json.kind === "stack" ? undefined : { borderRadius: round },
        label: flat && json.series.length === 1 ? { show: true, position: "right", color: p.muted, formatter: (item) => brief(item.value, json.unit) } : undefined,
      })),
    };
  };

  const funnel = (json, p, width) => {
    const values = json.series[0].values;
    const option = axes({ ...json, series: json.series.slice(0, 1) }, p, width);
    // Without the value axis the chart makes no room for the names by itself: about 13 px a wide character, 7 px a narrow one.
    const room = Math.max(...json.categories.map((name) => [...name].reduce((sum, letter) => sum + (letter.codePointAt(0) > 255 ? 13 : 7.2), 0)));
    option.grid = { ...option.grid, left: Math.min(room + 18, width * .36), right: 112, outerBoundsMode: "none" };
    option.xAxis.show = false;
    option.xAxis.max = Math.max(...values, 1);
    option.yAxis.axisLine.show = false;
    option.yAxis.axisLabel = { ...option.yAxis.axisLabel, color: p.ink, overflow: "break", width: option.grid.left - 12 };
    option.series[0].barWidth = "62%";
    option.series[0].barMaxWidth = 40;
    option.series[0].showBackground = true;
    option.series[0].backgroundStyle = { color: p.line, borderRadius: 4 };
    option.series[0].itemStyle = { borderRadius: 4 };
    option.series[0].label = {
      show: true, position: "right", color: p.ink,
      formatter: ({ value, dataIndex }) => {
        const whole = json.of[dataIndex]; // the step of which this one is a part
        return whole === null ? brief(value, json.unit) : `${brief(value, json.unit)}  {rate|${share(value, values[whole])}}`;
      },
      rich: { rate: { color: p.muted, fontSize: 12 } },
    };
    return option;
  };

  const pie = (json, p) => ({
    ...base(p, json.unit),
    tooltip: { ...base(p, json.unit).tooltip, trigger: "item" },
    legend: { bottom: 0, type: "scroll", icon: "circle", textStyle: { color: p.muted } },
    series: [{ type: "pie", radius: ["46%", "70%"], center: ["50%", "44%"], label: { color: p.ink, formatter: "{b} {d}%" }, itemStyle: { borderColor: p.surface, borderWidth: 2 }, data: json.categories.map((name, index) => ({ name, value: json.series[0].values[index] })) }],
  });

  const draw = (figure) => {
    const p = palette();
    const make = { funnel, pie }[figure.json.kind] || axes;
    figure.chart.setOption(make(figure.json, p, figure.chart.getWidth()), true);
  };

  // The same figures as text: built node by node, so that no name can become markup.
  const tabulate = (element, json) => {
    const place = element.querySelector(".chart__table .table-responsive");
    if (!place || place.querySelector("table")) return;
    const table = document.createElement("table");
    table.className = "table table-sm table-vcenter";
    const row = (parent, cells, tag) => {
      const line = parent.insertRow();
      cells.forEach((text, index) => {
        const cell = document.createElement(index ? tag : "th");
        cell.textContent = text;
        if (index) cell.className = "text-end";
        cell.scope = index ? "" : "row";
        line.append(cell);
      });
    };
    row(table.createTHead(), ["", ...json.series.map((one) => one.name)], "th");
    const body = table.createTBody();
    json.categories.forEach((name, index) => row(body, [name, ...json.series.map((one) => number(one.values[index], json.unit))], "td"));
    place.append(table);
  };

  const message = (element, text) => {
    const canvas = element.querySelector(".chart__canvas");
    const words = document.createElement("span");
    words.className = "chart__nothing";
    words.textContent = text;
    canvas.replaceChildren(words);
    element.querySelector(".chart__table").hidden = true;
  };

  const load = async (element) => {
    if (element.dataset.drawn) return;
    element.dataset.drawn = "1";
    try {
      const answer = await fetch(element.dataset.chart, { credentials: "same-origin", headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const json = await answer.json();
      if (!json.series.some((one) => one.values.some((value) => value))) { message(element, element.dataset.chartEmpty); return; }
      const canvas = element.querySelector(".chart__canvas");
      canvas.replaceChildren();
      tabulate(element, json);
      const figure = { element, json, chart: echarts.init(canvas) };
      figures.push(figure);
      draw(figure);
      new ResizeObserver(() => { figure.chart.resize(); draw(figure); }).observe(canvas);
    } catch { message(element, element.dataset.chartError); }
  };

  const look = (root) => root.querySelectorAll("[data-chart]").forEach(load);
  look(document);
  document.addEventListener("htmx:after:swap", () => look(document));
  new MutationObserver(() => figures.forEach(draw)).observe(document.documentElement, { attributes: true, attributeFilter: ["data-bs-theme"] });
})();
