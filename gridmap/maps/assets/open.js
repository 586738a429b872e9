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
    const shell = gm.makeShell(id, data, say);
    const map = L.map(id, {
      zoomControl: false, attributionControl: false, zoomSnap: 0.25, zoomDelta: 0.5, wheelPxPerZoomLevel: 90,
      minZoom: 3, maxZoom: 20, fadeAnimation: false, maxBoundsViscosity: 0.5
    });
    map.getContainer().setAttribute("role", "application");
    const app = {
      data: data, say: say, map: map, shell: shell, shapes: {}, layers: [], online: !!data.online,
      state: { visible: {}, theme: data.themes.length ? 0 : -1, category: 0, hidden: {}, selected: null }
    };
    gm.readData(app);
    app.editing = null;                    // what edit.js puts there while grids are negotiated
    app.isDrawn = function (key) { return !!app.state.visible[key] && !(app.editing && app.editing.hides(key)); };
    /* Is one service looked at: its circles, its blind spots? */
    app.focused = function () { return app.isDrawn("circles") || app.isDrawn("blind") || app.isDrawn("gaps"); };
    if (data.coverage) app.state.category = Math.max(0, data.coverage.measured.indexOf(true));
    if (data.sites && data.sites.category.length) app.state.category = Math.max(0, data.sites.category[0]);
    let legend = null, details = null, controls = null;

    /* The layers, and the order in which they are drawn, labelled and hit. */
    function collect() {
      app.layers = gm.makeLayers(app).concat(gm.fromParts("layers", app));
      app.layers.forEach(function (layer) {
        if (app.state.visible[layer.key] === undefined) app.state.visible[layer.key] = !layer.off;
      });
      app.order = gm.inOrder(app.layers);
      gm.fromParts("collected", app);
    }
    function paint(view) { return gm.paintSteps(app, view); }
    function paintChoice(view) {
      gm.fromParts("marks", app, view);
      if (app.editing) return;
      outline(view, app.hovered, "rgba(20,60,80,.75)", 2.5, null);
      outline(view, app.state.selected, "#0b4f6c", 4, "rgba(11,79,108,.10)");
    }
    function outline(view, choice, colour, width, fill) {
      const side = choice && choice.side || app;           // of a swipe between two states
      if (!choice || !side.shapes[choice.kind]) return;
      const shapes = side.shapes[choice.kind], context = view.context;
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
    const surface = new gm.Surface({ pane: "gm-map", paint: paint, sliced: true });
    app.busy = function () { return !!surface.busy; };
    const choice = new gm.Surface({ pane: "gm-choice", paint: paintChoice });

    /* Everything in words: at the start, and again in the other language. */
    function dress() {
      shell.dress(app);
      map.getContainer().setAttribute("aria-label", say("map") + ". " + say("map.keys"));
      collect();
      legend = gm.makeLegend(app, shell.legend);
      details = gm.makeDetails(app, shell.details);
      gm.makeSearch(app, shell.search);
      if (controls) controls.remove();
      controls = gm.makeControls(app, shell);
      gm.fromParts("dress", app, shell);
      show();
    }
    function show(focus) {
      const chosen = app.state.selected;
      (chosen && chosen.side ? chosen.side.details : details).show(chosen, focus);
      gm.fromParts("shown", app, shell.details);
    }
    app.otherLanguage = function () {
      gm.swap(data, data.other);
      say.use(data.lang);
      dress();
      surface.repaint();
      choice.repaint();
      shell.language.focus();
    };

    function changed() { surface.repaint(); choice.repaint(); legend.refresh(); gm.fromParts("changed", app); }
    app.changed = changed;
    app.repaintChoice = function () { choice.repaint(); };
    app.renew = function () { surface.renew(); choice.renew(); gm.fromParts("renew", app); };
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
      if (fromPanel) show();
    };
    app.select = function (kind, row, zoom, side) {
      if (app.editing) { app.editing.select(kind, row, zoom); return; }
      app.state.selected = kind && kind !== "streets" ? { kind: kind, row: row, side: side } : null;
      if (kind && app.state.visible[kind] === false) { app.state.visible[kind] = true; changed(); }
      if (kind === "facilities") {
        const category = (side || app).data.layers.facilities.category[row];
        if (app.focused()) app.state.category = category;
        app.showCategory(category, true);
      }
      if (kind !== "streets") { show(true); if (kind) shell.reveal(); }
      if (kind && zoom) (side || app).zoomTo(kind, row);
      choice.repaint();
      legend.refresh();
    };

    app.sideAt = function () { return app; };              // a swipe has two
    function pick(latlng) {
      const side = app.sideAt(latlng), at = gm.place(side, latlng), picked = side.order.picked;
      for (let i = 0; i < picked.length; i++) {
        if (!app.isDrawn(picked[i].key)) continue;
        const row = picked[i].pick(at);
        if (row >= 0) return { kind: picked[i].key, row: row, side: side === app ? undefined : side };
      }
      return null;
    }
    function tap(latlng, event) {
      if (gm.fromParts("tap", app, latlng).some(Boolean)) return;
      if (app.editing) { app.editing.click(latlng, event); return; }
      const hit = pick(latlng);
      if (hit) app.select(hit.kind, hit.row, false, hit.side); else app.select(null);
    }
    map.on("click", function (event) { tap(event.latlng, event.originalEvent); });
    map.getContainer().addEventListener("keydown", function (event) {
      if (event.key === "Enter" && !app.editing && event.target === map.getContainer()) tap(map.getCenter(), event);
    });
    let waiting = false;
    map.on("mousemove", function (event) {
      if (waiting || map._animatingZoom) return;
      waiting = true;
      requestAnimationFrame(function () {
        waiting = false;
        if (app.editing) { app.editing.hover(event.latlng); return tip(null); }
        const hit = pick(event.latlng), before = app.hovered;
        if ((hit && hit.kind + hit.row) !== (before && before.kind + before.row) || hit && hit.side !== before.side) {
          app.hovered = hit;
          map.getContainer().style.cursor = hit ? "pointer" : "";
          choice.repaint();
        }
        tip(hit, event.containerPoint);
      });
    });
    map.on("mouseout movestart", function () { if (app.editing) app.editing.hover(null); app.hovered = null; tip(null); choice.repaint(); });

    const bubble = element("div", { class: "gm-tip-bubble", "aria-hidden": "true" });
    bubble.hidden = true;
    map.getContainer().appendChild(bubble);
    function tip(hit, point) {
      bubble.hidden = !hit;
      if (!hit) return;
      gm.empty(bubble);
      const from = (hit.side || app).data, t = from.layers[hit.kind], own = !t, name = own ? from.own[+hit.kind.slice(3)].name
        : (t.name && t.name[hit.row]) || (t.label && t.label[hit.row]) || (hit.kind === "facilities" ? from.categories[t.category[hit.row]].label : t.id[hit.row]);
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
    map.on("zoomend", function () { if (legend) legend.refresh(); });

    const b = data.bounds, bounds = L.latLngBounds([b[1], b[0]], [b[3], b[2]]);
    app.home = function () { map.fitBounds(bounds, { padding: [14, 14] }); };
    app.home();
    dress();
    surface.addTo(map);
    choice.addTo(map);
    gm.fromParts("start", app);
    new ResizeObserver(function () { map.invalidateSize({ pan: false }); }).observe(map.getContainer());
    map.gridmap = app;
    gm.app = app;
    document.documentElement.setAttribute("data-gridmap", "ready");
    return map;
  };
})(window.gridmap = window.gridmap || {});
