// What a page adds where scripts run: tables that sort, pictures that enlarge, charts in place of
// pictures of lines. Without it the page shows all of its content.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };

  // --- tables

  /** What a cell is sorted by: its number, else its text; nothing, "–", comes last. */
  const key = (text) => {
    const value = text.trim();
    if (value === "" || value === "–") return null;
    const number = Number.parseFloat(value.replace(/,/g, "").replace("−", "-"));
    return Number.isNaN(number) ? value : number;
  };

  const compare = (a, b) => {
    if (a === null || b === null) return (a === null) - (b === null);
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b), undefined, { numeric: true });
  };

  for (const table of document.querySelectorAll("table")) {
    const body = table.tBodies[0];
    if (!body || body.rows.length < 3) continue;
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = make("button", { type: "button", class: "sort", title: "Sort by this column" });
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const isUp = head.getAttribute("aria-sort") !== "ascending";
        const rows = [...body.rows].map((row) => [key(row.cells[column].textContent), row]);
        rows.sort(([a], [b]) => {
          const order = compare(a, b);
          return isUp || a === null || b === null ? order : -order;
        });
        heads.forEach((each) => each.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", isUp ? "ascending" : "descending");
        body.append(...rows.map(([, row]) => row));
      });
    });
  }

  // --- pictures

  const enlarge = (image) => {
    const close = make("button", { type: "button" }, "Close");
    const large = make("img", { src: image.src, alt: image.alt });
    large.width = 2 * image.width;
    const dialog = make("dialog", { class: "enlarged", "aria-label": image.alt },
      close, make("div", { class: "scroll" }, large));
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  };

  // --- charts

  const INK = "#24292f";
  const RULE = "#d8dee4";
  const FONT = "12px system-ui, sans-serif";
  const REACH = 30; // from the pointer to a point that is named [CSS pixels]

  const short = (value) => {
    if (value === null || value === undefined) return "";
    const size = Math.abs(value);
    if (size !== 0 && (size >= 1e5 || size < 1e-3)) return value.toExponential(1).replace(".0e", "e");
    return Number(value.toPrecision(4)).toLocaleString("en", { maximumFractionDigits: 6 });
  };

  /** Whether a number is 1, 2 or 5 times a power of ten. */
  const isRound = (value) => {
    const lead = value / 10 ** Math.floor(Math.log10(value) + 1e-9);
    return [1, 2, 5].some((each) => Math.abs(lead - each) < 1e-6);
  };

  /** Draw one series: a line, its points, or both. */
  const drawSeries = (lines) => (u, index) => {
    uPlot.orient(u, index, (series, dx, dy, scaleX, scaleY, toX, toY, left, top, width, height) => {
      const { x, y, color, width: stroke, dash, points } = lines[index - 1];
      const g = u.ctx;
      const ratio = devicePixelRatio || 1;
      g.save();
      g.beginPath();
      g.rect(left, top, width, height);
      g.clip();
      g.strokeStyle = g.fillStyle = color;
      g.lineWidth = stroke * 1.3 * ratio;
      g.setLineDash(dash.map((each) => each * ratio));
      g.lineJoin = "round";
      const path = new Path2D();
      let isDown = false;
      x.forEach((value, k) => {
        const isThere = value !== null && y[k] !== null && !(scaleX.distr === 3 && value <= 0)
          && !(scaleY.distr === 3 && y[k] <= 0);
        if (!isThere) { isDown = false; return; }
        const [px, py] = [toX(value, scaleX, width, left), toY(y[k], scaleY, height, top)];
        if (isDown) path.lineTo(px, py);
        else path.moveTo(px, py);
        isDown = true;
        if (points) {
          g.beginPath();
          g.arc(px, py, 3 * ratio, 0, 7);
          g.fill();
        }
      });
      if (stroke) g.stroke(path);
      g.restore();
    });
    return null;
  };

  const drawPanel = (place, panel, alt) => {
    const { lines } = panel;
    const tip = make("div", { class: "tip", role: "status" });
    tip.hidden = true;
    const dot = make("div", { class: "dot" });
    dot.hidden = true;
    const home = { x: panel.x.range, y: panel.y.range };
    const scale = (axis) => ({ time: false, distr: axis.log ? 3 : 1, auto: false,
      range: (u, low, high) => [low ?? axis.range[0], high ?? axis.range[1]] });
    const axis = ({ label, log }) => ({ label, font: FONT, labelFont: FONT, stroke: INK, labelSize: 22,
      grid: { stroke: RULE, width: 1 }, ticks: { stroke: RULE, width: 1, size: 5 },
      values: (u, ticks) => ticks.map((tick) => (log && !isRound(tick) ? "" : short(tick))) });
    const width = () => Math.max(200, place.clientWidth - 12);
    // axes and their labels take some 60 pixels besides the panel itself
    const height = () => Math.round(Math.min(420, Math.max(190, panel.aspect * width() + 60)));
    const u = new uPlot({
      mode: 2, width: width(), height: height(), scales: { x: scale(panel.x), y: scale(panel.y) },
      legend: { show: false },
      cursor: { points: { show: false }, dataIdx: () => null,
        drag: { x: true, y: true, uni: 25, setScale: true } },
      axes: [axis(panel.x), { ...axis(panel.y), size: 58 }],
      series: [{}, ...lines.map(({ name, color }) => ({ label: name, stroke: color,
        facets: [{ scale: "x", auto: false }, { scale: "y", auto: false }],
        paths: drawSeries(lines) }))],
    }, [null, ...lines.map(({ x, y }) => [x, y])], place);
    const reset = () => {
      for (const name of ["x", "y"]) u.setScale(name, { min: home[name][0], max: home[name][1] });
    };
    reset();
    u.root.setAttribute("role", "img");
    u.root.setAttribute("aria-label", alt);
    u.root.setAttribute("tabindex", "0");
    u.over.append(tip, dot);
    u.over.addEventListener("dblclick", (event) => {
      event.stopImmediatePropagation();
      reset();
    }, true);

    const show = (line, k) => {
      const point = lines[line];
      const [px, py] = [u.valToPos(point.x[k], "x"), u.valToPos(point.y[k], "y")];
      const name = point.name && lines.length > 1 ? `${point.name}: ` : "";
      tip.textContent = `${name}${short(point.x[k])}, ${short(point.y[k])}`;
      tip.hidden = dot.hidden = false;
      dot.style.left = `${px}px`;
      dot.style.top = `${py}px`;
      dot.style.background = point.color;
      const isLeft = px > u.over.clientWidth / 2;
      tip.style.left = isLeft ? "auto" : `${px + 10}px`;
      tip.style.right = isLeft ? `${u.over.clientWidth - px + 10}px` : "auto";
      tip.style.top = `${Math.max(0, py - 30)}px`;
    };
    const hide = () => { tip.hidden = dot.hidden = true; };
    u.over.addEventListener("mousemove", (event) => {
      const box = u.over.getBoundingClientRect();
      const [mx, my] = [event.clientX - box.left, event.clientY - box.top];
      let best = null;
      let least = REACH ** 2;
      lines.forEach(({ x, y }, line) => {
        if (!u.series[line + 1].show) return;
        x.forEach((value, k) => {
          if (value === null || y[k] === null) return;
          const distance = (u.valToPos(value, "x") - mx) ** 2 + (u.valToPos(y[k], "y") - my) ** 2;
          if (distance < least) [best, least] = [[line, k], distance];
        });
      });
      if (best) show(...best);
      else hide();
    });
    u.over.addEventListener("mouseleave", hide);
    const lengths = lines.map(({ x }) => x.length);
    let at = [lengths.indexOf(Math.max(...lengths)), -1];
    u.root.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const turn = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") { reset(); hide(); }
      if (step === undefined && turn === undefined) return;
      event.preventDefault();
      const shown = lines.map((_, k) => k).filter((k) => u.series[k + 1].show);
      if (!shown.length) return;
      let line = Math.max(0, shown.indexOf(at[0]));
      line = shown[(line + (turn ?? 0) + shown.length) % shown.length];
      const last = lines[line].x.length - 1;
      at = [line, Math.min(last, Math.max(0, at[1] + (step ?? 0)))];
      show(...at);
    });
    new ResizeObserver(() => {
      if (place.clientWidth && width() !== u.width) u.setSize({ width: width(), height: height() });
    }).observe(place);
    return { u, reset };
  };

  const drawChart = (figure, chart) => {
    const image = figure.querySelector("img");
    const frame = image.closest(".scroll");
    const grid = make("div", { class: "chart" });
    grid.style.setProperty("--columns", chart.columns);
    const names = new Map(); // of all panels: name -> [[chart, series]]
    frame.before(grid);
    const drawn = chart.panels.map((panel) => {
      const place = make("div", { class: "panel" });
      if (panel.title || panel.note) {
        place.append(make("p", { class: "title" }, panel.title, make("span", {}, panel.note)));
      }
      grid.append(place);
      const title = panel.title || image.alt;
      const made = drawPanel(place, panel, `${title}: ${panel.y.label} over ${panel.x.label}`);
      panel.lines.forEach(({ name, color }, k) => {
        if (!name) return;
        if (!names.has(name)) names.set(name, { color, places: [] });
        names.get(name).places.push([made.u, k + 1]);
      });
      return made;
    });
    const bar = make("div", { class: "bar" });
    if (names.size > 1) {
      for (const [name, { color, places }] of names) {
        const swatch = make("span", { class: "swatch" });
        swatch.style.background = color;
        const button = make("button", { type: "button", class: "legend", "aria-pressed": "true" },
          swatch, name);
        button.addEventListener("click", () => {
          const isOn = button.getAttribute("aria-pressed") !== "true";
          button.setAttribute("aria-pressed", String(isOn));
          places.forEach(([u, series]) => u.setSeries(series, { show: isOn }));
        });
        bar.append(button);
      }
    }
    const swap = make("button", { type: "button", "aria-pressed": "false" }, "Picture");
    swap.addEventListener("click", () => {
      const isPicture = swap.getAttribute("aria-pressed") !== "true";
      swap.setAttribute("aria-pressed", String(isPicture));
      figure.classList.toggle("charted", !isPicture);
    });
    bar.append(make("button", { type: "button", onclick: () => drawn.forEach((each) => each.reset()) },
      "Whole range"), swap);
    grid.after(bar);
    figure.classList.add("charted");
  };

  for (const figure of document.querySelectorAll("figure")) {
    const image = figure.querySelector("img");
    if (!image) continue;
    const data = figure.querySelector("script[type='application/json']");
    if (data && typeof uPlot !== "undefined") drawChart(figure, JSON.parse(data.textContent));
    const button = make("button", { type: "button", class: "enlarge",
      onclick: () => enlarge(image) }, "Enlarge");
    image.closest(".scroll").after(button);
  }
});
