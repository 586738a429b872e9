/* Open: builds the page around the map and keeps its one state: what is visible, how it is coloured, what is chosen. */
(function (gm) {
  "use strict";

  /* folium makes the content of popups with jQuery; this one thing it asks of it does not need the library. */
  window.$ = window.$ || function (html) {
    const holder = document.createElement("template");
    holder.innerHTML = html.trim();
    return Array.from(holder.content.childNodes);
  };

  gm.open = function (id) {
    const data = gm.unsqueeze(JSON.parse(document.getElementById("gm-data").textContent));
    const say = gm.speaker(data.words, data.lang), element = gm.element;
    document.documentElement.lang = data.lang === "zh" ? "zh-CN" : "en";
    const shell = frame(id, data, say);
    const map = L.map(id, {
      zoomControl: false, attributionControl: false, zoomSnap: 0.25, zoomDelta: 0.5, wheelPxPerZoomLevel: 90,
      minZoom: 3, maxZoom: 20, fadeAnimation: false, maxBoundsViscosity: 0.5
    });
    map.getContainer().setAttribute("aria-label", say("map"));
    map.getContainer().setAttribute("role", "application");
    const app = {
      data: data, say: say, map: map, shapes: {}, layers: [], online: !!data.online,
      state: { visible: {}, theme: data.themes.length ? 0 : -1, category: 0, hidden: {}, selected: null }
    };
    for (const kind in data.layers) app.shapes[kind] = gm.shapes(data.layers[kind], data.frame);
    data.own.forEach(function (own, i) { app.shapes["own" + i] = gm.shapes(own, data.frame); });

    const decoded = {};
    app.reach = function (category) {
      const columns = data.layers.buildings && data.layers.buildings.reach;
      if (!columns || !columns[category]) return null;
      return decoded[category] || (decoded[category] = gm.reach(columns[category]));
    };
    app.isDrawn = function (key) { return !!app.state.visible[key]; };
    /* Is one service looked at: its circles, its blind spots? */
    app.focused = function () { return app.isDrawn("circles") || app.isDrawn("blind") || app.isDrawn("gaps"); };
    app.spots = function (kind, row, view) {
      const spot = data.layers[kind].spot[row], f = data.frame;
      return [gm.worldX(f[0] + spot[0] * f[2]) * view.scale - view.ox, gm.worldY(f[1] + spot[1] * f[3]) * view.scale - view.oy];
    };
    app.bounds = function (kind, row) {
      const s = app.shapes[kind], b = 4 * row;
      if (!s || !isFinite(s.box[b])) return null;
      const at = function (x, y) { return L.CRS.EPSG3857.pointToLatLng(L.point(x, y), 0); };
      return L.latLngBounds(at(s.box[b], s.box[b + 1]), at(s.box[b + 2], s.box[b + 3]));
    };
    app.zoomTo = function (kind, row) {
      const bounds = app.bounds(kind, row);
      if (bounds) map.fitBounds(bounds, { maxZoom: kind === "facilities" || kind === "buildings" ? 17.5 : 17, padding: [60, 60] });
    };

    app.layers = gm.makeLayers(app);
    app.layers.forEach(function (layer) { app.state.visible[layer.key] = !layer.off; });
    if (data.coverage) app.state.category = Math.max(0, data.coverage.measured.indexOf(true));
    const drawing = [];
    app.layers.forEach(function (layer) {
      if (layer.draw) drawing.push([layer.order, layer, layer.draw]);
      if (layer.over) drawing.push([layer.overOrder, layer, layer.over]);
    });
    drawing.sort(function (a, b) { return a[0] - b[0]; });
    const first = ["communities", "grids", "facilities"];      // who gets room for a label before the others
    const worded = app.layers.filter(function (l) { return l.words; }).sort(function (a, b) {
      return (first.indexOf(a.key) + 4) % 4 - (first.indexOf(b.key) + 4) % 4;
    });
    const picked = app.layers.filter(function (l) { return l.pick; }).sort(function (a, b) { return RANK(a) - RANK(b); });

    function paint(view) {
      drawing.forEach(function (one) { if (app.isDrawn(one[1].key)) one[2](view); });
      const labels = gm.labels(view);
      worded.forEach(function (layer) { if (app.isDrawn(layer.key)) layer.words(view, labels); });
    }
    function paintChoice(view) {
      outline(view, app.hovered, "rgba(20,60,80,.75)", 2.5, null);
      outline(view, app.state.selected, "#0b4f6c", 4, "rgba(11,79,108,.10)");
    }
    function outline(view, choice, colour, width, fill) {
      if (!choice || !app.shapes[choice.kind]) return;
      const shapes = app.shapes[choice.kind], context = view.context;
      if (shapes.kindOf(choice.row) === 0) {
        gm.dots(shapes, view, function (f) { return f === choice.row; }, function (f, x, y) {
          context.beginPath();
          context.arc(x, y, 15, 0, 2 * Math.PI);
          ring();
        });
        return;
      }
      context.beginPath();
      gm.trace(shapes, choice.row, view);
      if (fill && shapes.kindOf(choice.row) === 2) { context.fillStyle = fill; context.fill("evenodd"); }
      ring();
      function ring() {
        context.strokeStyle = "rgba(255,255,255,.9)";
        context.lineWidth = width + 3;
        context.stroke();
        context.strokeStyle = colour;
        context.lineWidth = width;
        context.stroke();
      }
    }

    map.createPane("gm-map").style.zIndex = 350;
    map.createPane("gm-choice").style.zIndex = 360;
    ["gm-map", "gm-choice"].forEach(function (pane) { map.getPane(pane).style.pointerEvents = "none"; });
    const surface = new gm.Surface({ pane: "gm-map", paint: paint });
    const choice = new gm.Surface({ pane: "gm-choice", paint: paintChoice });

    const legend = gm.makeLegend(app, shell.legend);
    const details = gm.makeDetails(app, shell.details);
    gm.makeSearch(app, shell.search);

    function changed() { surface.repaint(); legend.refresh(); }
    app.show = function (key, on) { app.state.visible[key] = on; changed(); };
    app.showCategory = function (c, on) { app.state.hidden[c] = !on; changed(); };
    app.setTheme = function (theme) {
      app.state.theme = theme;
      if (theme >= 0 && data.themes[theme].category !== undefined) app.state.category = data.themes[theme].category;
      changed();
    };
    app.setCategory = function (category, fromPanel) {
      app.state.category = category;
      const theme = data.themes[app.state.theme];
      if (theme && theme.category !== undefined) {
        data.themes.forEach(function (t, i) { if (t.category === category) app.state.theme = i; });
      }
      if (fromPanel && app.shapes.circles) app.state.visible.circles = true;
      changed();
      if (fromPanel) details.show(app.state.selected);
    };
    app.select = function (kind, row, zoom) {
      app.state.selected = kind && kind !== "streets" ? { kind: kind, row: row } : null;
      if (kind && app.state.visible[kind] === false) { app.state.visible[kind] = true; changed(); }
      if (kind === "facilities") {
        const category = data.layers.facilities.category[row];
        if (app.focused()) app.state.category = category;
        app.showCategory(category, true);
      }
      if (kind !== "streets") { details.show(app.state.selected, true); if (kind) shell.reveal(); }
      if (kind && zoom) app.zoomTo(kind, row);
      choice.repaint();
    };

    function pick(latlng) {
      const at = gm.place(app, latlng);
      for (let i = 0; i < picked.length; i++) {
        if (!app.isDrawn(picked[i].key)) continue;
        const row = picked[i].pick(at);
        if (row >= 0) return { kind: picked[i].key, row: row };
      }
      return null;
    }
    map.on("click", function (event) {
      const hit = pick(event.latlng);
      if (hit) app.select(hit.kind, hit.row); else app.select(null);
    });
    let waiting = false;
    map.on("mousemove", function (event) {
      if (waiting || map._animatingZoom) return;
      waiting = true;
      requestAnimationFrame(function () {
        waiting = false;
        const hit = pick(event.latlng), before = app.hovered;
        if ((hit && hit.kind + hit.row) !== (before && before.kind + before.row)) {
          app.hovered = hit;
          map.getContainer().style.cursor = hit ? "pointer" : "";
          choice.repaint();
        }
        tip(hit, event.containerPoint);
      });
    });
    map.on("mouseout movestart", function () { app.hovered = null; tip(null); choice.repaint(); });

    const bubble = element("div", { class: "gm-tip-bubble", "aria-hidden": "true" });
    bubble.hidden = true;
    map.getContainer().appendChild(bubble);
    function tip(hit, point) {
      bubble.hidden = !hit;
      if (!hit) return;
      gm.empty(bubble);
      const t = data.layers[hit.kind], own = !t, name = own ? data.own[+hit.kind.slice(3)].name
        : (t.name && t.name[hit.row]) || (t.label && t.label[hit.row]) || (hit.kind === "facilities" ? data.categories[t.category[hit.row]].label : t.id[hit.row]);
      bubble.appendChild(gm.data(name));
      if (t && t.households && t.households[hit.row] !== undefined && t.households[hit.row] !== null) {
        bubble.appendChild(element("span", {}, say("tip.households", { n: say.number(t.households[hit.row]) })));
      }
      const size = map.getSize(), right = point.x > size.x - 220;
      bubble.style.left = right ? "" : point.x + 14 + "px";
      bubble.style.right = right ? size.x - point.x + 14 + "px" : "";
      bubble.style.top = Math.min(size.y - 40, point.y + 14) + "px";
    }

    document.addEventListener("keydown", function (event) { if (event.key === "Escape" && app.state.selected) app.select(null); });
    map.on("zoomend", function () { legend.refresh(); });

    let before = null;
    window.addEventListener("beforeprint", function () {
      before = before || { bounds: map.getBounds(), center: map.getCenter(), zoom: map.getZoom() };
      document.documentElement.classList.add("gm-printing");
      map.invalidateSize({ animate: false, pan: false });
      map.fitBounds(before.bounds, { animate: false });
      surface.renew();
      choice.renew();
    });
    window.addEventListener("afterprint", function () {
      document.documentElement.classList.remove("gm-printing");
      map.invalidateSize({ animate: false, pan: false });
      if (before) map.setView(before.center, before.zoom, { animate: false });
      before = null;
    });

    controls(app, shell);
    const b = data.bounds, bounds = L.latLngBounds([b[1], b[0]], [b[3], b[2]]);
    app.home = function () { map.fitBounds(bounds, { padding: [14, 14] }); };
    app.home();
    surface.addTo(map);
    choice.addTo(map);
    details.show(null);
    new ResizeObserver(function () { map.invalidateSize({ pan: false }); }).observe(map.getContainer());
    map.gridmap = app;
    gm.app = app;
    document.documentElement.setAttribute("data-gridmap", "ready");
    return map;
  };

  function RANK(layer) {
    const at = ["facilities", "compounds", "buildings"].indexOf(layer.key);
    if (layer.group === "own") return 1;
    return at >= 0 ? [0, 2, 3][at] : layer.key === "grids" ? 8 : 9;
  }

  /* Title, search, legend, panel: everything but the map itself. */
  function frame(id, data, say) {
    const element = gm.element, app = document.getElementById("gm-app"), box = document.getElementById(id);
    const search = element("div", { class: "gm-search", role: "search" });
    const legend = element("aside", { class: "gm-legend", id: "gm-legend", "aria-label": say("layers") });
    const details = element("aside", { class: "gm-details", id: "gm-details", "aria-label": say("details") });
    const toggle = function (panel, key, icon) {
      const button = element("button", {
        type: "button", class: "gm-icon gm-toggle", "aria-label": say(key), title: say(key), "aria-controls": panel.id, "aria-expanded": "true",
        onclick: function () { set(panel, button, !panel.classList.contains("gm-open") && !isWide(panel) || panel.classList.contains("gm-closed")); }
      }, icon);
      return button;
    };
    const isWide = function (panel) { return getComputedStyle(panel).position === "static"; };
    const set = function (panel, button, open) {
      panel.classList.toggle("gm-open", open);
      panel.classList.toggle("gm-closed", !open);
      button.setAttribute("aria-expanded", String(open));
    };
    const left = toggle(legend, "button.layers", icon("M2 4h12M2 8h12M2 12h12")), right = toggle(details, "button.details", icon("M3 14V8M8 14V2M13 14v-9"));
    const print = element("button", { type: "button", class: "gm-icon gm-print", "aria-label": say("button.print"), title: say("button.print"), onclick: function () { window.print(); } }, icon("M4 6V2h8v4M4 12H2V6h12v6h-2M4 10h8v4H4z"));
    const header = element("header", { class: "gm-top" }, left,
      element("div", { class: "gm-title" }, element("h1", {}, gm.data(data.title)), element("p", {}, say("date", { date: data.date }))),
      search, print, right);
    const stage = element("main", { class: "gm-stage" });
    app.insertBefore(element("a", { class: "gm-skip", href: "#" + id }, say("skip")), box);
    app.insertBefore(header, box);
    app.insertBefore(legend, box);
    app.insertBefore(stage, box);
    stage.appendChild(box);
    app.appendChild(details);
    return {
      search: search, legend: legend, details: details, stage: stage,
      reveal: function () { if (!isWide(details) || details.classList.contains("gm-closed")) set(details, right, true); }
    };
  }

  function icon(path) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 16 16");
    svg.setAttribute("aria-hidden", "true");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("d", path);
    svg.appendChild(line);
    return svg;
  }

  function controls(app, shell) {
    const map = app.map, say = app.say, element = gm.element;
    const Scale = L.Control.Scale.extend({
      _updateMetric: function (metres) {
        const n = this._getRoundNum(metres);
        this._updateScale(this._mScale, n < 1000 ? say("unit.m", { n: n }) : say("unit.km", { n: n / 1000 }), n / metres);
      }
    });
    new Scale({ imperial: false, position: "bottomleft", maxWidth: 140 }).addTo(map);
    const Buttons = L.Control.extend({
      onAdd: function () {
        const make = function (key, path, act) {
          return element("button", { type: "button", class: "gm-icon", "aria-label": say(key), title: say(key), onclick: act }, icon(path));
        };
        const box = element("div", { class: "gm-buttons" },
          make("zoom.in", "M8 3v10M3 8h10", function () { map.zoomIn(1); }),
          make("zoom.out", "M3 8h10", function () { map.zoomOut(1); }),
          make("button.home", "M2.5 6V2.5h3.5M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10", function () { app.home(); }));
        L.DomEvent.disableClickPropagation(box);
        return box;
      }
    });
    new Buttons({ position: "topright" }).addTo(map);
    const North = L.Control.extend({
      onAdd: function () { return element("div", { class: "gm-north", "aria-hidden": "true" }, icon("M8 1 12 14 8 11 4 14z"), element("span", {}, say("north"))); }
    });
    new North({ position: "bottomright" }).addTo(map);
  }
})(window.gridmap = window.gridmap || {});
