/* What the page adds to pandoc's HTML: contents that follow the scroll, links of sections, references on hover,
   sortable tables, keyboard access to what scrolls. Quarto brings the first three itself. */
(function () {
  "use strict";
  var russian = document.documentElement.lang.slice(0, 2) === "ru";
  var words = russian
    ? { section: "Ссылка на раздел", sort: "Сортировать", wide: "Прокручивается", theme: "Тёмная тема" }
    : { section: "Link to this section", sort: "Sort", wide: "Scrolls sideways", theme: "Dark theme" };
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

  function peek() {
    var box = null;
    function hide() { if (box) { box.remove(); box = null; } }
    function show(event) {
      var link = event.target.closest && event.target.closest("a[href^='#fig-'], a[href^='#tbl-'], a[href^='#ref-']");
      if (!link || link.closest("#TOC")) return;
      var target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
      var source = target && (target.querySelector("figcaption") || (target.matches(".csl-entry") && target));
      if (!source) return;
      hide();
      box = document.createElement("div");
      box.className = "peek";
      box.setAttribute("role", "tooltip");
      box.textContent = source.textContent.trim();
      document.body.appendChild(box);
      var place = link.getBoundingClientRect();
      var left = Math.min(place.left, document.documentElement.clientWidth - box.offsetWidth - 8);
      box.style.left = Math.max(8, left) + scrollX + "px";
      box.style.top = place.bottom + scrollY + 6 + "px";
    }
    document.addEventListener("mouseover", show);
    document.addEventListener("focusin", show);
    document.addEventListener("mouseout", hide);
    document.addEventListener("focusout", hide);
    document.addEventListener("keydown", function (event) { if (event.key === "Escape") hide(); });
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
        var number = leadingNumber(cell.textContent);
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
      if (!scrolls(part)) return;
      part.tabIndex = 0;
      part.setAttribute("role", "group");
      part.setAttribute("aria-label", words.wide);
    });
  }

  /* Quarto hides its contents on a phone: there they are folded, under the title. */
  function foldContents() {
    var list = document.querySelector("#TOC > ul"), title = document.getElementById("title-block-header");
    if (!list || !title) return;
    var folded = document.createElement("details"), summary = document.createElement("summary");
    folded.className = "folded-contents";
    summary.textContent = document.getElementById("toc-title").textContent;
    folded.append(summary, list.cloneNode(true));
    all("ul, a", folded).forEach(function (part) { part.removeAttribute("class"); part.removeAttribute("id"); });
    title.after(folded);
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
    peek();
  } else {
    foldContents();
  }
  sortTables();
  uniqueNames();
  reachScrolled();
  addEventListener("load", function () { themeSwitch(); reachScrolled(); }); // Quarto adds its switch late
  addEventListener("resize", reachScrolled);
  all("details").forEach(function (part) { part.addEventListener("toggle", reachScrolled); });
})();
