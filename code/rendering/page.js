/* What the page adds to pandoc's HTML: numbers that say what is known of them, sortable tables, keyboard access to
   what scrolls, contents that fold and follow the scroll, a switch of colours, links of sections, references on
   hover. Quarto brings the last four itself. */
(function () {
  "use strict";
  var russian = document.documentElement.lang.slice(0, 2) === "ru";
  var words = russian
    ? { section: "Ссылка на раздел", sort: "Сортировать", wide: "Прокручивается", theme: "Тёмная тема", show: "Показать", top: "К содержанию",
        value: "значение", interval: "95-процентный интервал", range: "размах запусков", covers: "учитывает", p: "p", n: "n", seeds: "запусков (seeds)",
        sd: "ст. откл. по запускам", outcome: "вывод", reason: "примечание", entry: "запись в хранилище",
        items: "примеры", "items and seeds": "примеры и запуски", batches: "батчи", points: "точки кривой" }
    : { section: "Link to this section", sort: "Sort", wide: "Scrolls sideways", theme: "Dark theme", show: "Show", top: "Contents",
        value: "value", interval: "95% interval", range: "range of the runs", covers: "covers", p: "p", n: "n", seeds: "seeds", sd: "s.d. over seeds",
        outcome: "outcome", reason: "note", entry: "stored in" };
  var quarto = document.getElementById("quarto-content");
  function all(selector, root) { return Array.prototype.slice.call((root || document).querySelectorAll(selector)); }

  function followScroll() {
    var links = all("#TOC a[href^='#']");
    var targets = links.map(function (link) { return document.getElementById(decodeURIComponent(link.hash.slice(1))); });
    var waiting = false;
    function mark() {
      waiting = false;
      var current = -1;
      targets.forEach(function (target, i) { if (target && target.getBoundingClientRect().top < 120) current = i; });
      links.forEach(function (link, i) {
        if (i === current) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current");
      });
      var nav = document.getElementById("TOC");
      if (current >= 0 && nav.scrollHeight > nav.clientHeight) {
        nav.scrollTop = links[current].offsetTop - nav.clientHeight / 2;
      }
    }
    addEventListener("scroll", function () { if (!waiting) { waiting = true; requestAnimationFrame(mark); } }, { passive: true });
    mark();
  }

  function linkSections() {
    all("h1[id], h2[id], h3[id], h4[id]").forEach(function (heading) {
      if (heading.id === "toc-title") return;
      var link = document.createElement("a");
      link.className = "anchor";
      link.href = "#" + heading.id;
      link.textContent = "#";
      link.setAttribute("aria-label", words.section + ": " + heading.textContent);
      heading.appendChild(link);
    });
  }

  /* One box under what it is about; Escape and what lies elsewhere close it. */
  var box = null, about = null;
  function hide() {
    if (box) box.remove();
    if (about) about.removeAttribute("aria-describedby");
    box = about = null;
  }
  function showBox(content, owner) {
    hide();
    about = owner;
    box = document.createElement("div");
    box.className = "peek";
    box.id = "peek";
    box.setAttribute("role", "tooltip");
    box.appendChild(content);
    document.body.appendChild(box);
    owner.setAttribute("aria-describedby", "peek");
    var place = owner.getBoundingClientRect(), wide = document.documentElement.clientWidth;
    var above = place.bottom + box.offsetHeight + 12 > innerHeight && place.top > box.offsetHeight + 12;
    box.style.left = Math.max(8, Math.min(place.left, wide - box.offsetWidth - 8)) + scrollX + "px";
    box.style.top = (above ? place.top - box.offsetHeight - 6 : place.bottom + 6) + scrollY + "px";
  }
  /* What `find` answers for an element is shown on hover, on focus and by touch; it can be hovered itself. */
  function explain(find) {
    var waiting = 0;
    function show(event) {
      clearTimeout(waiting);
      var found = event.target.closest && find(event.target);
      if (found && found.owner !== about) showBox(found.content(), found.owner);
      return found;
    }
    document.addEventListener("mouseover", show);
    document.addEventListener("focusin", show);
    document.addEventListener("click", function (event) { if (!show(event) && !(box && box.contains(event.target))) hide(); });
    document.addEventListener("mouseout", function (event) { if (find(event.target)) waiting = setTimeout(leave, 200); });
    document.addEventListener("focusout", function (event) { if (event.target === about) hide(); });
    function leave() { if (!(box && box.matches(":hover")) && about !== document.activeElement) hide(); else if (box) waiting = setTimeout(leave, 300); }
  }

  function captionOf(target) {
    var link = target.closest("a[href^='#fig-'], a[href^='#tbl-'], a[href^='#ref-']");
    if (!link || link.closest("#TOC")) return null;
    var place = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    var source = place && (place.querySelector("figcaption") || (place.matches(".csl-entry") && place));
    return source && { owner: link, content: function () { return document.createTextNode(source.textContent.trim()); } };
  }

  /* A number answers for itself (numbers.lua): what is known of the fact that it shows. By keyboard a table or paragraph
     is one stop; the arrow keys go on from number to number. */
  function answerNumbers() {
    var source = document.getElementById("shown-facts"), last = null;
    if (!source) return;
    var facts = JSON.parse(source.textContent), blocks = "table, p, li, dd, figcaption, h1, h2, h3, h4, div";
    var known = ["value", "low", "high", "covers", "p", "n", "seeds", "sd", "outcome", "reason", "entry", "epoch", "elapsed"];
    function local(value) { return typeof value === "number" && russian ? String(value).replace(".", ",") : words[value] || String(value); }
    function content(fact) {
      var list = document.createElement("dl"), title = document.createElement("dt");
      title.className = "key";
      title.textContent = Object.keys(fact).filter(function (key) { return known.indexOf(key) < 0; })
        .map(function (key) { return key === "quantity" ? fact[key] : key + " " + fact[key]; }).join(" · ");
      list.appendChild(title);
      known.forEach(function (key) {
        var value = key === "low" ? "[" + local(fact.low) + "; " + local(fact.high) + "]" : fact[key];
        if (key === "high" || fact[key] === "range" || fact[key] === undefined || fact[key] === "" || !(words[key] || key === "low")) return;
        var term = document.createElement("dt"), text = document.createElement("dd");
        term.textContent = words[key !== "low" ? key : fact.covers === "range" ? "range" : "interval"];
        text.textContent = key === "low" ? value : local(value);
        list.appendChild(term);
        list.appendChild(text);
      });
      return list;
    }
    function numbersOf(block) { return all("data[data-f]", block).filter(function (one) { return one.closest(blocks) === block; }); }
    all("data[data-f]").forEach(function (number) {
      var block = number.closest(blocks);
      number.tabIndex = block === last ? -1 : 0;
      last = block;
    });
    explain(function (target) {
      var number = target.closest("data[data-f]"), fact = number && facts[number.dataset.f.slice(0, 8)];
      return fact ? { owner: number, content: function () { return content(fact); } } : null;
    });
    document.addEventListener("keydown", function (event) {
      var step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      var number = step && document.activeElement.closest("data[data-f]");
      if (!number) return;
      var row = numbersOf(number.closest(blocks)), next = row[row.indexOf(number) + step];
      event.preventDefault();
      if (!next) return;
      number.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    });
  }

  /* The number that a cell begins with, whatever the language's signs; text sorts as text. */
  function leadingNumber(text) {
    var match = /^[−-]?\d[\d\u202f\u00a0]*(?:[.,]\d+)?/.exec(text.trim().replace(/^\+/, ""));
    return match ? match[0].replace("−", "-").replace(/[\u202f\u00a0]/g, "").replace(",", ".") : null;
  }

  function sortTables() {
    all("table").forEach(function (table) {
      if (!table.tHead || !table.tBodies.length || table.tBodies[0].rows.length < 8) return;
      if (table.closest(".sourceCode")) return;
      table.classList.add("sortable");
      all("td", table).forEach(function (cell) {
        var shown = cell.querySelector("data[data-f]");
        var number = shown && /^-?[\d.e-]+$/.test(shown.value) ? shown.value : leadingNumber(cell.textContent);
        if (number !== null) cell.dataset.sort = number;
      });
      all("th", table).forEach(function (cell) {
        if (!cell.textContent.trim()) return;
        var button = document.createElement("button");
        button.type = "button";
        button.className = "sort";
        button.title = words.sort;
        while (cell.firstChild) button.appendChild(cell.firstChild);
        cell.appendChild(button);
      });
    });
  }

  function scrolls(part) {
    var style = getComputedStyle(part);
    return (part.scrollWidth > part.clientWidth + 1 && /auto|scroll/.test(style.overflowX)) ||
      (part.scrollHeight > part.clientHeight + 1 && /auto|scroll/.test(style.overflowY));
  }

  function reachScrolled() {
    all(".scroll, .float-body, .quarto-float-tbl > div, .cell-output-display, .quarto-float-fig > div, pre, div.sourceCode, .chart, .data").forEach(function (part) {
      if (!scrolls(part) || part.querySelector("data[tabindex='0']")) return;
      part.tabIndex = 0;
      part.setAttribute("role", "group");
      part.setAttribute("aria-label", words.wide);
    });
  }

  /* Quarto hides its contents on a phone: there they are folded, under the title. */
  function copyContents() {
    var list = document.querySelector("#TOC > ul"), title = document.getElementById("title-block-header");
    if (!list || !title) return;
    var folded = document.createElement("details"), summary = document.createElement("summary");
    folded.className = "folded-contents";
    summary.textContent = document.getElementById("toc-title").textContent;
    folded.append(summary, list.cloneNode(true));
    all("ul, a", folded).forEach(function (part) { part.removeAttribute("class"); part.removeAttribute("id"); });
    title.after(folded);
  }

  /* Contents fold on a narrow screen, appendices on a phone; what is linked to opens. */
  function foldContents() {
    var nav = document.getElementById("TOC"), title = document.getElementById("toc-title");
    if (!nav || !title) return;
    var wide = matchMedia("(min-width: 75rem)"), link = document.createElement("a");
    var part = fold(title, "contents");
    part.firstChild.appendChild(title);
    function open() { part.open = wide.matches; }
    open();
    wide.addEventListener("change", open);
    link.className = "to-contents";
    link.href = "#TOC";
    link.textContent = "↑ " + words.top;
    link.addEventListener("click", function () { part.open = true; });
    document.body.appendChild(link);
  }
  function foldAppendices() {
    if (!matchMedia("(max-width: 40rem)").matches) return;
    all("h1[id^='app-'], section[id^='app-'].level1 > h1").forEach(function (heading) {
      fold(heading, "appendix").firstChild.textContent = words.show;
    });
  }
  /* What follows a heading, up to the next one of its kind, becomes a part that opens. */
  function fold(heading, name) {
    var part = document.createElement("details");
    part.className = name;
    part.appendChild(document.createElement("summary"));
    heading.after(part);
    while (part.nextSibling && !(part.nextSibling.matches && part.nextSibling.matches("h1, script"))) part.appendChild(part.nextSibling);
    return part;
  }
  function openTarget() {
    var target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    var own = target.matches("section") ? target.querySelector(":scope > details") : target.nextElementSibling;
    if (own && own.matches("details.appendix")) own.open = true;
    for (var part = target.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
    target.scrollIntoView();
  }

  function addThemeSwitch() {
    var button = document.createElement("button");
    button.type = "button";
    button.className = "theme";
    button.textContent = words.theme;
    var dark = matchMedia("(prefers-color-scheme: dark)").matches;
    function paint(chosen) {
      button.setAttribute("aria-pressed", String(dark));
      if (!chosen) return;
      document.documentElement.style.colorScheme = dark ? "dark" : "light";
      document.body.classList.toggle("quarto-dark", dark);
      document.body.classList.toggle("quarto-light", !dark);
    }
    button.addEventListener("click", function () { dark = !dark; paint(true); });
    paint(false);
    document.body.insertBefore(button, document.body.firstChild);
  }

  function themeSwitch() {
    all(".quarto-color-scheme-toggle").forEach(function (link) {
      link.setAttribute("role", "button");
      link.setAttribute("aria-label", words.theme);
      link.addEventListener("keydown", function (event) { if (event.key === " ") { event.preventDefault(); link.click(); } });
    });
  }

  /* Quarto gives the style sheets of its two colour schemes one name. */
  function uniqueNames() {
    all("link[id]").forEach(function (link) { if (document.getElementById(link.id) !== link) link.removeAttribute("id"); });
  }

  if (!quarto) {
    if (document.getElementById("TOC")) followScroll();
    linkSections();
    explain(captionOf);
    foldContents();
    addThemeSwitch();
  } else {
    copyContents();
  }
  foldAppendices();
  addEventListener("hashchange", openTarget);
  addEventListener("beforeprint", function () { all("details").forEach(function (part) { part.open = true; }); });
  openTarget();
  document.addEventListener("keydown", function (event) { if (event.key === "Escape") hide(); });
  answerNumbers();
  sortTables();
  uniqueNames();
  reachScrolled();
  addEventListener("load", function () { themeSwitch(); reachScrolled(); }); // Quarto adds its switch late
  addEventListener("resize", reachScrolled);
  all("details").forEach(function (part) { part.addEventListener("toggle", reachScrolled); });
})();
