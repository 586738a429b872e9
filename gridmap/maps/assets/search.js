/* Search: names and codes of everything that has one; a list that the keyboard can walk. */
(function (gm) {
  "use strict";

  const MOST = 30;

  gm.makeSearch = function (app, root) {
    const say = app.say, data = app.data, element = gm.element, tables = data.layers;
    let entries = null, found = [], current = -1;

    function fold(text) { return String(text).normalize("NFKC").toLowerCase(); }

    /* kind, row, what is shown, what it is, what is searched */
    function index() {
      const out = [];
      function put(kind, row, name, code, what) {
        if (name || code) out.push({ kind: kind, row: row, name: name || code, code: name ? code : "", what: what, text: fold(name + " " + code) });
      }
      function all(kind, code) {
        const t = tables[kind];
        if (t) for (let f = 0; f < t.n; f++) put(kind, f, (t.name && t.name[f]) || "", code === false ? "" : t.id[f], say("panel." + { grids: "grid", communities: "community", compounds: "compound", buildings: "building" }[kind]));
      }
      all("communities"); all("grids"); all("compounds");
      if (tables.facilities) {
        for (let f = 0; f < tables.facilities.n; f++) {
          const category = data.categories[tables.facilities.category[f]];
          put("facilities", f, tables.facilities.name[f], tables.facilities.id[f], category ? category.label : say("panel.facility"));
        }
      }
      if (tables.streets) {
        const name = gm.coded(tables.streets.name), seen = {};
        for (let f = 0; f < tables.streets.n; f++) {
          const own = name(f);
          if (own && !seen[own]) { seen[own] = true; put("streets", f, own, "", say("panel.street")); }
        }
      }
      data.own.forEach(function (own, i) {
        const at = own.columns.findIndex(function (c) { return /name|名|code|编码|id$/i.test(c); });
        if (at >= 0) for (let f = 0; f < own.n; f++) put("own" + i, f, String(own.values[at][f] || ""), "", own.name);
      });
      all("buildings");
      return out;
    }

    function look(text) {
      entries = entries || index();
      const parts = fold(text).split(/\s+/).filter(Boolean), hits = [];
      if (!parts.length) return [];
      for (let i = 0; i < entries.length && hits.length < 2000; i++) {
        const at = entries[i].text;
        if (parts.every(function (p) { return at.indexOf(p) >= 0; })) hits.push(entries[i]);
      }
      const first = parts[0];
      hits.forEach(function (h, i) { h.rank = (h.text === first ? 0 : fold(h.name).indexOf(first) === 0 || fold(h.code) === first ? 1 : 2) * 1e6 + i; });
      return hits.sort(function (a, b) { return a.rank - b.rank; });
    }

    const status = element("span", { class: "gm-visually-hidden", role: "status", "aria-live": "polite" });
    const list = element("ul", { class: "gm-results", id: "gm-results", role: "listbox", "aria-label": say("search") });
    list.hidden = true;
    const input = element("input", {
      type: "search", id: "gm-search", placeholder: say("search"), "aria-label": say("search"), autocomplete: "off", spellcheck: "false",
      role: "combobox", "aria-expanded": "false", "aria-controls": "gm-results", "aria-autocomplete": "list",
      oninput: show, onfocus: function () { if (input.value) show(); },
      onblur: function () { setTimeout(close, 150); },
      onkeydown: function (event) {
        if (event.key === "ArrowDown" || event.key === "ArrowUp") {
          event.preventDefault();
          if (found.length) mark((current + (event.key === "ArrowDown" ? 1 : found.length - 1) + (current < 0 && event.key === "ArrowUp" ? 1 : 0)) % found.length);
        } else if (event.key === "Enter" && found.length) choose(found[Math.max(0, current)]);
        else if (event.key === "Escape") { input.value = ""; close(); event.stopPropagation(); }
      }
    });

    function show() {
      const hits = look(input.value);
      found = hits.slice(0, MOST);
      current = -1;
      gm.empty(list);
      if (!input.value.trim()) return close();
      found.forEach(function (hit, i) {
        list.appendChild(element("li", {
          id: "gm-result-" + i, role: "option", "aria-selected": "false",
          onmousedown: function (event) { event.preventDefault(); choose(hit); }
        }, gm.data(hit.name, "gm-result-name"), element("span", { class: "gm-result-what" }, gm.data(hit.what), hit.code ? gm.data(hit.code, "gm-result-code") : null)));
      });
      if (!hits.length) list.appendChild(element("li", { class: "gm-nothing" }, say("search.none")));
      status.textContent = hits.length ? say("search.count", { n: say.number(hits.length) }) : say("search.none");
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
    }
    function mark(i) {
      if (list.children[current]) list.children[current].setAttribute("aria-selected", "false");
      current = i;
      list.children[i].setAttribute("aria-selected", "true");
      list.children[i].scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", "gm-result-" + i);
    }
    function close() {
      list.hidden = true;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    }
    function choose(hit) {
      close();
      input.value = hit.name;
      app.select(hit.kind, hit.row, true);
    }
    root.appendChild(input);
    root.appendChild(list);
    root.appendChild(status);
  };
})(window.gridmap = window.gridmap || {});
