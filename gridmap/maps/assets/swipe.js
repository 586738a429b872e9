/* Swipe: two states of the same ground side by side, with a divider that mouse, finger and arrow keys move.

   The state before is an app of its own that shares all but its data with the one after. Each is drawn whole on a
   surface of its own, and the divider only says how much of either is seen: moving it draws nothing anew. */
(function (gm) {
  "use strict";

  const FAR = 1e6, STEP = 0.01;
  let before = null, surface = null, bar = null, names = null, share = 0.5;

  /* What `old` says in place of what `value` says, however deep. */
  function over(value, old) {
    if (!value || !old || typeof old !== "object" || Array.isArray(old) || Array.isArray(value) || typeof value !== "object") return old;
    const out = Object.assign({}, value);
    for (const key in old) out[key] = over(value[key], old[key]);
    return out;
  }
  function dataBefore(data) {
    const out = over(data, data.before);
    data.before.gone.forEach(function (kind) { delete out.layers[kind]; });
    return Object.assign(out, { routes: null, edit: null });
  }

  /* Legend rows of both sides as one list: what only one of them shows is in it as well. */
  function together(app, after, old) {
    const seen = new Set(after.map(function (row) { return row.label; })), rank = {};
    [app, before].forEach(function (side) {
      const theme = side.data.themes[app.state.theme];
      if (theme) theme.classes.forEach(function (cls) { rank[cls.label] = cls.rank; });
    });
    const more = old.filter(function (row) { return !seen.has(row.label); }).map(function (row) {
      return row.count === undefined ? row : Object.assign({}, row, { count: 0 });
    });
    return after.concat(more).sort(function (a, b) { return (rank[a.label] || 0) - (rank[b.label] || 0); });
  }

  function collected(app) {
    before = before || Object.create(app);
    before.data = dataBefore(app.data);
    before.route = null;
    before.select = function (kind, row, zoom) { app.select(kind, row, zoom, kind ? before : undefined); };
    gm.readData(before, app);
    before.layers = gm.makeLayers(before);
    before.order = gm.inOrder(before.layers);
    before.layers.forEach(function (old) {
      const layer = app.layers.find(function (one) { return one.key === old.key; });
      if (!layer) return;
      const own = layer.legend;
      layer.legend = function () {
        const rows = together(app, own(), old.legend());
        const counted = rows.some(function (row) { return row.count !== undefined; });
        return counted ? rows.concat([{ text: app.say("swipe.legend", { after: app.say("swipe.after") }) }]) : rows;
      };
    });
  }

  /* How much of the map shows what was before: 0 ... 1. */
  function set(app, value) {
    share = Math.max(0, Math.min(1, value));
    const say = app.say, percent = Math.round(100 * share);
    bar.style.left = 100 * share + "%";
    bar.setAttribute("aria-valuenow", percent);
    bar.setAttribute("aria-valuetext", say("swipe.at", { n: percent, before: say("swipe.before") }));
    clip(app);
  }
  function clip(app) {
    const x = app.map.containerPointToLayerPoint([share * app.map.getSize().x, 0]).x;
    const box = function (west, east) { return "polygon(" + [[west, -FAR], [east, -FAR], [east, FAR], [west, FAR]].map(function (p) { return p[0] + "px " + p[1] + "px"; }).join(",") + ")"; };
    app.map.getPane("gm-before").style.clipPath = box(-FAR, x);
    app.map.getPane("gm-map").style.clipPath = box(x, FAR);
  }

  function divider(app) {
    const map = app.map, element = gm.element;
    bar = element("div", { class: "gm-swipe", id: "gm-swipe", role: "slider", tabindex: "0", "aria-valuemin": 0, "aria-valuemax": 100, "aria-orientation": "horizontal" },
      element("div", { class: "gm-swipe-handle", "aria-hidden": "true" }, gm.icon("M6 4 2.5 8 6 12M10 4l3.5 4-3.5 4")));
    names = [element("span", { class: "gm-swipe-name gm-swipe-before" }), element("span", { class: "gm-swipe-name gm-swipe-after" })];
    names.forEach(function (name) { bar.appendChild(name); });
    L.DomEvent.disableClickPropagation(bar);
    const follow = function (event) {
      const box = map.getContainer().getBoundingClientRect();
      set(app, (event.clientX - box.left) / box.width);
    };
    bar.addEventListener("pointerdown", function (event) { bar.setPointerCapture(event.pointerId); bar.focus(); event.preventDefault(); });
    bar.addEventListener("pointermove", function (event) { if (bar.hasPointerCapture(event.pointerId)) follow(event); });
    bar.addEventListener("keydown", function (event) {
      const far = event.shiftKey ? 10 : 1;
      const to = { ArrowLeft: share - far * STEP, ArrowRight: share + far * STEP, Home: 0, End: 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      set(app, to);
    });
    map.getContainer().appendChild(bar);
    map.on("move zoomend viewreset resize", function () { clip(app); });
  }

  gm.parts.push({
    collected: function (app) { if (app.data.before) collected(app); },
    dress: function (app, shell) {
      if (!app.data.before) return;
      const say = app.say;
      before.details = gm.makeDetails(before, shell.details);
      if (!bar) divider(app);
      bar.setAttribute("aria-label", say("swipe.divider", { before: say("swipe.before"), after: say("swipe.after") }));
      ["before", "after"].forEach(function (side, k) { gm.empty(names[k]); names[k].appendChild(gm.data(say("swipe." + side))); });
      if (surface) { set(app, share); surface.repaint(); }
    },
    start: function (app) {
      if (!app.data.before) return;
      app.map.createPane("gm-before").style.zIndex = 350;
      app.map.getPane("gm-before").style.pointerEvents = "none";
      surface = new gm.Surface({ pane: "gm-before", paint: function (view) { gm.paint(before, view); } });
      surface.addTo(app.map);
      app.sideAt = function (latlng) { return app.map.latLngToContainerPoint(latlng).x < share * app.map.getSize().x ? before : app; };
      set(app, share);
    },
    changed: function () { if (surface) surface.repaint(); },
    renew: function () { if (surface) surface.renew(); },
    /* which side the figures are of, and who gained before all else */
    shown: function (app, root) {
      const chosen = app.state.selected;
      if (!app.data.before) return;
      root.insertBefore(gm.element("p", { class: "gm-side" }, gm.data(app.say(chosen && chosen.side ? "swipe.before" : "swipe.after"))), root.firstChild);
      const first = root.querySelector(".gm-section");
      if (!chosen) Array.from(root.querySelectorAll(".gm-gains")).forEach(function (node) { if (node !== first) root.insertBefore(node, first); });
    }
  });
})(window.gridmap = window.gridmap || {});
