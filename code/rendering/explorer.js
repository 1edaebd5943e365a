/* The explorer: five views of the study's numbers, chosen by native selects; state in the URL's hash. */
(function () {
  "use strict";
  var root = document.getElementById("study-explorer");
  var source = document.getElementById("explorer-data");
  if (!root || !source || !window.Plot) return;
  var data = JSON.parse(source.textContent);
  var words = data.words, form = root.querySelector("form"), chart = root.querySelector(".chart");
  var percentMetrics = ["accuracy", "macro_f1", "weighted_f1", "f1", "f1_unacceptable", "f1_by_tag", "drop", "relative"];
  var views = ["estimates", "tags", "curves", "drift", "tradeoff"];
  var shown = [];

  function objects(rows, keys) {
    return rows.map(function (row) {
      var object = {};
      keys.forEach(function (key, i) { object[key] = row[i]; });
      return object;
    });
  }
  var estimates = objects(data.estimates, ["task", "evaluation", "metric", "group", "method", "value", "low", "high", "seeds"]);
  var curves = objects(data.curves, ["task", "method", "seed", "split", "metric", "step", "value"]);
  var drift = objects(data.drift, ["task", "method", "seed", "metric", "layer", "value"]);
  var prices = objects(data.prices, ["task", "method", "price", "price_low", "price_high"]);

  function unique(values) { return values.filter(function (v, i) { return values.indexOf(v) === i; }); }
  function name(key) { return (data.methods[key] && data.methods[key].name) || data.names[key] || words[key] || key; }
  function layerName(layer) { var m = /^encoder\.layer\.(\d+)$/.exec(layer); return m ? m[1] : name(layer); }
  function isDark() {
    if (document.body.classList.contains("quarto-dark")) return true;
    if (document.body.classList.contains("quarto-light")) return false;
    return matchMedia("(prefers-color-scheme: dark)").matches;
  }
  function color(method) { var m = data.methods[method]; return !m ? "currentColor" : m.color === "#222222" ? "currentColor" : isDark() ? m.dark : m.color; }
  function show(metric, value) {
    if (value === null || value === undefined) return "–";
    var percent = percentMetrics.indexOf(metric) >= 0;
    var digits = percent ? 1 : Math.abs(value) >= 10 ? 1 : 3;
    var text = (percent ? 100 * value : value).toLocaleString(data.language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
    return text + (percent ? (data.language === "ru" ? "\u00a0%" : "%") : "");
  }

  function state() {
    var found = {};
    new FormData(form).forEach(function (value, key) { found[key] = value; });
    return found;
  }
  function fill(select, options, wanted) {
    select.textContent = "";
    options.forEach(function (option) {
      var element = document.createElement("option");
      element.value = option[0];
      element.textContent = option[1];
      select.appendChild(element);
    });
    var values = options.map(function (o) { return o[0]; });
    select.value = values.indexOf(wanted) >= 0 ? wanted : values[0];
    select.parentElement.hidden = options.length < 2;
    select.disabled = options.length < 2;
    return select.value;
  }

  function offers(view, task) {
    var rows = { curves: curves, drift: drift, tradeoff: prices }[view] || estimates;
    return rows.some(function (r) { return r.task === task && (view !== "tags" || r.group); });
  }

  /* Every select offers what the choices before it leave. */
  function offer(wanted) {
    var chosen = {};
    function choose(key, options) { chosen[key] = fill(form.elements[key], options, wanted[key]); }
    function named(keys) { return keys.map(function (key) { return [key, name(key)]; }); }
    choose("view", named(views));
    choose("task", named(data.tasks.filter(function (task) { return offers(chosen.view, task); })));
    var here = estimates.filter(function (e) { return e.task === chosen.task; });
    var metrics = {
      estimates: unique(here.filter(function (e) { return !e.group; }).map(function (e) { return e.evaluation + "|" + e.metric; })),
      tags: unique(here.filter(function (e) { return e.group; }).map(function (e) { return e.evaluation + "|" + e.metric; })),
      curves: unique(curves.filter(function (c) { return c.task === chosen.task; }).map(function (c) { return c.split + "|" + c.metric; })).sort(function (a, b) { return /loss$/.test(a) - /loss$/.test(b); }),
      drift: ["l2", "relative", "rms"],
      tradeoff: unique(here.filter(function (e) { return !e.group; }).map(function (e) { return e.evaluation + "|" + e.metric; }))
    }[chosen.view];
    var several = unique(here.map(function (e) { return e.evaluation; })).length > 1;
    choose("metric", metrics.map(function (pair) {
      var parts = pair.split("|");
      if (parts.length < 2) return [pair, name(pair)];
      return [pair, chosen.view === "curves" || several || chosen.view === "tags" ? name(parts[1]) + " – " + name(parts[0]) : name(parts[1])];
    }));
    var rows = select(chosen);
    choose("method", [["", words.all]].concat(named(unique(rows.map(function (r) { return r.method; })))));
    var items = chosen.view === "tags" ? unique(rows.map(function (r) { return r.group; })) : chosen.view === "drift" ? unique(rows.map(function (r) { return r.layer; })) : [];
    choose("part", [["", words.all]].concat(items.map(function (key) { return [key, layerName(key)]; })));
    form.elements.part.parentElement.firstChild.textContent = chosen.view === "drift" ? words.layer : words.tag;
    var seeds = chosen.view === "curves" || chosen.view === "drift" ? unique(rows.map(function (r) { return String(r.seed); })).sort() : [];
    choose("seed", [["", words.mean]].concat(seeds.map(function (seed) { return [seed, seed]; })));
    return chosen;
  }

  function select(chosen) {
    var parts = (chosen.metric || "").split("|");
    function task(row) { return row.task === chosen.task; }
    if (chosen.view === "curves") return curves.filter(function (c) { return task(c) && c.split === parts[0] && c.metric === parts[1]; });
    if (chosen.view === "drift") return drift.filter(function (d) { return task(d) && d.metric === chosen.metric && d.value !== null; });
    return estimates.filter(function (e) {
      return task(e) && e.evaluation === parts[0] && e.metric === parts[1] && e.value !== null && (chosen.view === "tags") === Boolean(e.group);
    });
  }

  /* Means over seeds, with their range, of rows that agree in these keys. */
  function pool(rows, keys) {
    var groups = new Map();
    rows.forEach(function (row) {
      var key = keys.map(function (k) { return row[k]; }).join("\u0000");
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push(row);
    });
    return Array.from(groups.values()).map(function (group) {
      var values = group.map(function (row) { return row.value; }), out = {};
      keys.forEach(function (k) { out[k] = group[0][k]; });
      out.value = d3.mean(values);
      out.low = d3.min(values);
      out.high = d3.max(values);
      return out;
    });
  }

  function table(chosen) {
    var rows = select(chosen).filter(function (r) {
      return (!chosen.method || r.method === chosen.method) && (!chosen.part || (r.group || r.layer) === chosen.part) && (!chosen.seed || String(r.seed) === chosen.seed);
    });
    if (chosen.view === "curves") return chosen.seed ? rows : pool(rows, ["task", "method", "split", "metric", "step"]);
    if (chosen.view === "drift") return chosen.seed ? rows : pool(rows, ["task", "method", "metric", "layer"]);
    if (chosen.view !== "tradeoff") return rows;
    return rows.map(function (row) {
      var price = prices.filter(function (p) { return p.task === row.task && p.method === row.method; })[0];
      return price && Object.assign({}, row, price);
    }).filter(Boolean);
  }

  var pen = document.createElement("canvas").getContext("2d");
  function textWidth(text) { pen.font = "13px system-ui, sans-serif"; return pen.measureText(text).width; } // the charts' font: figures.css

  function draw(chosen) {
    var metric = chosen.metric.split("|").pop(), rows = shown = table(chosen);
    var percent = percentMetrics.indexOf(metric) >= 0;
    var width = Math.max(260, Math.min(chart.clientWidth || 640, 760));
    var methods = unique(rows.map(function (r) { return r.method; }));
    var axis = { label: name(metric), tickFormat: function (v) { return (percent ? Math.round(1000 * v) / 10 : v).toLocaleString(data.language) + (percent ? "%" : ""); }, grid: true, ticks: width < 480 ? 3 : 5 };
    function stroke(r) { return color(r.method); }
    function bounded(r) { return r.low !== null && r.high !== null; }
    function title(r) { return name(r.method) + (r.group || r.layer ? ", " + layerName(r.group || r.layer) : "") + ": " + show(metric, r.value); }
    var marks, options = { width: width, marginLeft: 70, marginBottom: 50, marginRight: 24, style: { background: "none", overflow: "visible" }, x: axis };
    if (chosen.view === "estimates" || chosen.view === "tags") {
      var label = chosen.view === "tags" && !chosen.part ? function (r) { return r.group; } : function (r) { return name(r.method); };
      var order = unique(rows.map(label));
      options.marginLeft = 24 + Math.min(0.6 * width, d3.max(order, textWidth) || 0);
      options.height = 80 + order.length * (chosen.view === "tags" && !chosen.part ? 14 * Math.max(1, methods.length) : 38);
      options.y = { label: null, domain: order };
      var shift = function (r) { return chosen.view === "tags" && !chosen.part ? 12 * (methods.indexOf(r.method) - (methods.length - 1) / 2) : 0; };
      marks = [];
      methods.forEach(function (method) {
        var own = rows.filter(function (r) { return r.method === method; }), dy = own.length ? shift(own[0]) : 0;
        marks.push(Plot.ruleY(own.filter(bounded), { y: label, x1: "low", x2: "high", stroke: stroke, strokeWidth: 2, dy: dy }));
        marks.push(Plot.dot(own.filter(function (r) { return r.seeds; }).flatMap(function (r) { return r.seeds.map(function (v) { return { method: r.method, group: r.group, value: v }; }); }), { y: label, x: "value", r: 1.5, fill: "currentColor", dy: dy }));
        marks.push(Plot.dot(own, { y: label, x: "value", r: 5, fill: stroke, title: title, dy: dy }));
        if (dy === 0) marks.push(Plot.text(own, { y: label, x: "value", text: function (r) { return show(metric, r.value); }, dy: -13 }));
      });
    } else if (chosen.view === "curves") {
      options.height = 340;
      options.y = axis;
      options.x = { label: words.step, ticks: 6 };
      marks = [
        Plot.areaY(chosen.seed ? [] : rows, { x: "step", y1: "low", y2: "high", z: "method", fill: stroke, fillOpacity: 0.15 }),
        Plot.lineY(rows, { x: "step", y: "value", z: "method", stroke: stroke, strokeWidth: 2, title: title })
      ];
    } else if (chosen.view === "drift") {
      options.height = 340;
      options.y = axis;
      options.x = { label: words.layer, domain: unique(rows.map(function (r) { return layerName(r.layer); })), tickRotate: width < 560 ? -60 : 0 };
      if (width < 560) options.marginBottom = 110;
      marks = [
        Plot.lineY(rows.filter(function (r) { return /^encoder/.test(r.layer); }), { x: function (r) { return layerName(r.layer); }, y: "value", z: "method", stroke: stroke, strokeWidth: 2 }),
        Plot.dot(rows, { x: function (r) { return layerName(r.layer); }, y: "value", fill: stroke, r: 5, title: title }),
        Plot.ruleX(chosen.seed ? [] : rows, { x: function (r) { return layerName(r.layer); }, y1: "low", y2: "high", stroke: stroke })
      ];
    } else {
      options.height = 340;
      options.y = axis;
      options.x = { label: words.price, zero: true, grid: true, ticks: width < 480 ? 3 : 5 };
      marks = [
        Plot.ruleX(rows.filter(bounded), { x: "price", y1: "low", y2: "high", stroke: stroke }),
        Plot.ruleY(rows, { y: "value", x1: "price_low", x2: "price_high", stroke: stroke }),
        Plot.dot(rows, { x: "price", y: "value", r: 6, fill: stroke, title: title })
      ];
    }
    ["x", "y"].forEach(function (side) { if (options[side]) Object.assign(options[side], { labelAnchor: "center", labelArrow: "none" }); });
    options.marks = marks;
    options.ariaLabel = summary(chosen, rows, metric);
    var svg = Plot.plot(options);
    svg.querySelectorAll("[aria-label]").forEach(function (part) { part.removeAttribute("aria-label"); });
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", options.ariaLabel);
    chart.textContent = "";
    chart.appendChild(svg);
    if (methods.length > 1 && chosen.view !== "estimates") chart.appendChild(legend(methods));
    var note = chosen.view === "estimates" || chosen.view === "tags" ? words.marks : chosen.view === "tradeoff" ? words.crosses : chosen.seed ? "" : words.ranges;
    if (note) chart.appendChild(Object.assign(document.createElement("p"), { className: "legend", textContent: note }));
    root.querySelector(".summary").textContent = options.ariaLabel;
    list(rows, metric);
  }

  function legend(methods) {
    var line = document.createElement("p");
    line.className = "legend";
    methods.forEach(function (method) {
      var dot = document.createElement("span");
      dot.textContent = "● ";
      dot.style.color = color(method);
      dot.setAttribute("aria-hidden", "true");
      line.appendChild(dot);
      line.appendChild(document.createTextNode(name(method) + "   "));
    });
    return line;
  }

  /* One sentence of what is shown: for everybody's eye, and for screen readers. */
  function summary(chosen, rows, metric) {
    var last = {};
    rows.forEach(function (r) { last[r.method + "\u0000" + (chosen.view === "curves" ? "" : r.group || r.layer || "")] = r; });
    var values = Object.keys(last).slice(0, 5).map(function (key) {
      var r = last[key], interval = r.low !== null && r.low !== undefined && r.low !== r.high ? " [" + show(metric, r.low) + "; " + show(metric, r.high) + "]" : "";
      return name(r.method) + (r.group || r.layer ? " " + layerName(r.group || r.layer) : "") + " " + show(metric, r.value) + interval;
    });
    return name(chosen.task) + ", " + name(chosen.view) + ", " + name(metric) + ": " + (values.join("; ") || words.nothing) + (Object.keys(last).length > 5 ? "; …" : ".");
  }

  var columns = ["task", "evaluation", "split", "metric", "group", "layer", "method", "seed", "step", "price", "price_low", "price_high", "value", "low", "high"];
  function used(rows) { return columns.filter(function (c) { return rows.some(function (r) { return r[c] !== undefined && r[c] !== ""; }); }); }
  function list(rows, metric) {
    var keys = used(rows), element = document.createElement("table"), head = element.createTHead().insertRow(), body = element.createTBody();
    keys.forEach(function (key) { var th = document.createElement("th"); th.scope = "col"; th.textContent = key === "value" ? words.value_shown : words[key] || key; head.appendChild(th); });
    rows.slice(0, 200).forEach(function (row) {
      var line = body.insertRow();
      keys.forEach(function (key) {
        var value = row[key];
        line.insertCell().textContent = key === "value" || key === "low" || key === "high" ? show(metric, value) : value === null || value === undefined ? "–" : typeof value === "string" ? name(value) : String(value);
      });
    });
    var place = root.querySelector(".data");
    place.textContent = "";
    place.appendChild(element);
    place.tabIndex = 0;
    place.setAttribute("role", "group");
    place.setAttribute("aria-label", words.data);
  }

  function csv(rows) {
    function cell(value) { var text = value === null || value === undefined ? "" : String(value); return /[",\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text; }
    var keys = used(rows);
    return [keys.join(",")].concat(rows.map(function (r) { return keys.map(function (k) { return cell(r[k]); }).join(","); })).join("\n") + "\n";
  }
  function download(kind) {
    var content = kind === "csv" ? csv(shown) : JSON.stringify({ choice: state(), rows: shown }, null, 1);
    var link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], { type: kind === "csv" ? "text/csv" : "application/json" }));
    link.download = "study." + kind;
    link.click();
    setTimeout(function () { URL.revokeObjectURL(link.href); }, 1000);
  }

  function readHash() {
    var wanted = {}, hash = decodeURIComponent(location.hash.slice(1));
    if (hash.indexOf("explore?") !== 0) return wanted;
    new URLSearchParams(hash.slice("explore?".length)).forEach(function (value, key) { wanted[key] = value; });
    return wanted;
  }
  function update(wanted, remember) {
    var chosen = offer(wanted);
    draw(chosen);
    if (remember) history.replaceState(null, "", "#explore?" + new URLSearchParams(chosen).toString());
  }
  form.addEventListener("change", function () { update(state(), true); });
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  root.querySelectorAll("button[data-format]").forEach(function (button) {
    button.addEventListener("click", function () { download(button.dataset.format); });
  });
  addEventListener("hashchange", function () { if (location.hash.indexOf("#explore?") === 0) update(readHash(), false); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function () { update(state(), false); });
  new MutationObserver(function () { update(state(), false); }).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  var width = 0;
  new ResizeObserver(function () { if (Math.abs(chart.clientWidth - width) > 8) { width = chart.clientWidth; update(state().view ? state() : readHash(), false); } }).observe(chart);
  update(readHash(), false);
  if (location.hash.indexOf("#explore?") === 0) root.scrollIntoView();
})();
